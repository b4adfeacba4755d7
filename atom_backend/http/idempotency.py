"""Idempotency keys on the wire: what identifies a request, and the answer that is kept.

Invariant: two requests have one fingerprint exactly when they ask for the same thing; spelling
that carries no meaning (white space, the boundary of a form) does not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import Response

from atom_backend.domain.owner_work import StoredResponse
from atom_backend.http.contract import Call
from atom_backend.http.request_headers import IDEMPOTENCY_KEY
from atom_backend.services.idempotency import Receipt

T = TypeVar("T")


def receipt(
    call: Call[Any, Any], asked: Callable[[], bytes], render: Callable[[T], Response]
) -> Receipt[T] | None:
    """What the service is to keep, if the caller sent a key; ``asked`` makes the fingerprint."""
    key = call.header(IDEMPOTENCY_KEY)
    if key is None:
        return None
    known_by = asked()

    def keep(outcome: T) -> StoredResponse:
        response = render(outcome)
        return StoredResponse(
            known_by, response.status_code, dict(response.headers), response.get_data()
        )

    return Receipt(key, known_by, keep)


def replay(kept: StoredResponse) -> Response:
    """The first answer again, marked as such."""
    response = Response(kept.body, status=kept.status, headers=dict(kept.headers))
    response.headers["Idempotency-Replayed"] = "true"
    return response


def fingerprint(parts: Iterable[bytes]) -> bytes:
    """SHA-256 over the parts, unambiguous at their borders: 32 bytes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
