"""Bytes in, text out: PDF, DOCX, HTML, Markdown and plain text.

``extractor.SubprocessExtractor`` is the face of this package. It sniffs and decodes here; whatever
needs a real parser (PDF, DOCX, HTML) is read by ``child``, a process with little memory, little
time, no environment and no files, because a parser of hostile bytes must be free to crash.

Invariant: the package imports nothing by itself, so that the child starts quickly.
"""
