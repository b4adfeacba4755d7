"""Measurements of the running service against plain alternatives, made in the same run.

``quality``, ``ingest`` and ``search`` are the programs; docs/benchmarks.md holds their figures.
"""
