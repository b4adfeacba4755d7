"""The promises I1 to I8 as functions, which every test of a fault ends with.

A promise takes what it needs, what clients saw (``history``), PostgreSQL, LanceDB's folder, the
logs, and gives a list of violations, each a sentence that begins with the promise's number.
Invariant: nothing here asks the service; its stores are read directly.
"""
