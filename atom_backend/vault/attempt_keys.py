"""What failed attempts are counted under: neither address nor account can be read from it.

Invariant: whoever has the table of failures but not the signing key cannot even tell whether an
e-mail address that it guesses stands there.
"""

from __future__ import annotations

import hmac
import json


class KeyedAttempts:
    """The ``AttemptKeys`` port: HMAC-SHA-256 (RFC 2104) under a key of its own, made from the key
    that signs access tokens."""

    def __init__(self, signing_key: bytes) -> None:
        self._key = hmac.digest(signing_key, b"atom-backend failed attempts", "sha256")

    def key(self, purpose: str, *parts: str) -> bytes:
        # As JSON, so that no two lists of parts are one text.
        return hmac.digest(self._key, json.dumps([purpose, *parts]).encode(), "sha256")
