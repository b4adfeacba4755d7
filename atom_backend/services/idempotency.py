"""Doing a thing once for an idempotency key (IETF draft-ietf-httpapi-idempotency-key-header).

Invariant: the claim, the effect and the kept answer are one transaction. A key whose request
failed is free again; a key whose request succeeded gives the same answer until it expires.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from atom_backend.domain.owner_work import Idempotency, StoredResponse
from atom_backend.errors import InvalidInput

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Receipt(Generic[T]):
    """What a caller wants kept: ``fingerprint`` identifies the request (32 bytes), ``render``
    makes the answer to keep from the outcome."""

    key: str
    fingerprint: bytes
    render: Callable[[T], StoredResponse]


def once(kept: Idempotency, receipt: Receipt[T] | None, act: Callable[[], T]) -> T | StoredResponse:
    """The outcome of ``act``, or the answer kept from the first time.

    Raises Conflict while another request holds the key, and InvalidInput (code
    ``idempotency_key_reused``) when the key came with another request before.
    """
    if receipt is None:
        return act()
    earlier = kept.claim(receipt.key)
    if earlier is not None:
        if earlier.fingerprint != receipt.fingerprint:
            raise InvalidInput(
                "This Idempotency-Key was used with a different request: use a new key.",
                code="idempotency_key_reused",
            )
        return earlier
    outcome = act()
    kept.store(receipt.key, receipt.render(outcome))
    return outcome
