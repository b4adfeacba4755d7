"""Atom Backend: the hybrid relational-plus-vector storage service for AI assistants."""

__version__ = "0.1.0"
