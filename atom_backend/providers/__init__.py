"""OAuth providers over HTTP: the file that describes them, discovery, and the token requests.

The only package that imports an HTTP client. Invariants: nothing that a provider says reaches a
log or an answer of ours except codes made of a few harmless characters; credentials go to the
configured or discovered addresses alone, never where a redirect points.
"""
