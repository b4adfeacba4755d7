"""Bytes in, text out: PDF, DOCX, HTML, Markdown and plain text."""
