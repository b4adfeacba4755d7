"""Bank statements: bytes of a CSV file in, a proposed mapping out, then drafts of transactions.

``reader.CsvStatements`` is the face of this package; ``files.ConfinedStatements`` lets the reading
child use it.
Invariant: memory is bounded by the size of the file, and preview and import read it alike.
"""
