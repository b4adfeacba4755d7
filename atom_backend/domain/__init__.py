"""The service's nouns and pure decisions: no I/O, no framework, no clock of its own.

What belongs here: dataclasses that layers hand to each other, functions from values to values,
and the ports (``ports.py``) that adapters fill. What does not: anything that can fail because of
something outside this process.
"""
