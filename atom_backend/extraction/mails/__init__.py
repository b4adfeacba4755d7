"""Mails (RFC 5322, MIME) and mbox files read."""
