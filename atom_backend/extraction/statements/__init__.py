"""Bank statements: bytes of a CSV file in, a proposed mapping out, then drafts of transactions.

``reader.CsvStatements`` is the face of this package. Nothing here runs in another process: the
csv module and a few bounded expressions are all that touches the file.
Invariant: memory is bounded by the size of the file, and preview and import read it alike.
"""
