"""Secrets in memory.

Invariant: the plaintext of a secret leaves its ``Secret`` by ``reveal`` alone, never by a log, a
traceback or a representation.
"""

from __future__ import annotations

import hmac
from typing import Any, NoReturn


class Secret:
    """A plaintext that shows itself only when it is asked to."""

    __slots__ = ("_plaintext",)

    def __init__(self, plaintext: str) -> None:
        self._plaintext = plaintext

    def reveal(self) -> str:
        """The plaintext."""
        return self._plaintext

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        ours, theirs = (one._plaintext.encode("utf-8", "surrogatepass") for one in (self, other))
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._plaintext))

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("A secret is not pickled or copied into another process.")
