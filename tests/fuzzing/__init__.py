"""Requests made up from the API document, good ones and bad ones, from every sort of caller.

Invariant: every answer is counted; a 5xx, or an answer that the document does not announce, is a
finding and never passed over.
"""
