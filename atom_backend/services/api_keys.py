"""API keys: making, listing and removing them, and knowing the caller that presents one.

Invariant: a key is believed because its random part was compared with what is stored, at most a
minute ago by this process; and each transaction asks again, in the statement that begins it,
whether the key is still there, has not expired, and belongs to an account of the same role. So a
key costs a transaction of its own once a minute, which also notes its use, and no other.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from atom_backend.clock import Clock, new_id
from atom_backend.domain.api_keys import (
    MOST_KEYS,
    ApiKey,
    new_key,
    read_key,
    require_grantable,
)
from atom_backend.domain.permissions import Scope
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import KeyUse, Principal
from atom_backend.domain.secrets import Secret
from atom_backend.errors import Conflict, FieldProblem, InvalidInput, Unauthenticated

_REMEMBERED = 1_024
"""Keys."""

_MINUTE = 60


class ApiKeys:
    """The use cases around API keys."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock
        self._known = lru_cache(_REMEMBERED)(self._look_up)

    def principal(self, text: str) -> Principal:
        """Whose key this is.

        Raises Unauthenticated (code ``damaged_api_key`` or ``invalid_api_key``), and
        DatabaseUnavailable, for nobody else knows keys.
        """
        key_id, digest = read_key(text)
        return self._known(key_id, digest, int(self._clock.now().timestamp()) // _MINUTE)

    def create(
        self,
        principal: Principal,
        name: str,
        scopes: Sequence[Scope],
        expires_at: datetime | None,
    ) -> tuple[ApiKey, Secret]:
        """A new key, which is shown this once.

        Raises InvalidInput, or Conflict (code ``too_many_api_keys``).
        """
        granted = require_grantable(scopes, principal.role)
        if expires_at is not None and expires_at <= self._clock.now():
            problem = FieldProblem("/expires_at", "This time has passed already.")
            raise InvalidInput(problems=[problem])
        key_id = new_id()
        secret, digest = new_key(key_id)
        with self._transactions.owner(principal) as work:
            work.take_turn()
            if len(work.api_keys.every()) >= MOST_KEYS:
                raise Conflict(
                    f"An account has {MOST_KEYS} API keys at most: remove one first.",
                    code="too_many_api_keys",
                )
            return work.api_keys.add(key_id, digest, name, granted, expires_at), secret

    def listing(self, principal: Principal) -> Sequence[ApiKey]:
        """Newest first, also those that have expired."""
        with self._transactions.owner(principal) as work:
            return work.api_keys.every()

    def get(self, principal: Principal, key_id: UUID) -> ApiKey:
        """Raises NotFound."""
        with self._transactions.owner(principal) as work:
            return work.api_keys.get(key_id)

    def remove(self, principal: Principal, key_id: UUID) -> None:
        """It opens nothing any more. Raises NotFound."""
        with self._transactions.owner(principal) as work:
            work.api_keys.remove(key_id)

    def _look_up(self, key_id: UUID, digest: bytes, minute: int) -> Principal:
        """What was found holds for the ``minute``."""
        with self._transactions.sign_in() as work:
            stored = work.api_keys.find(key_id)
            if stored is None or not hmac.compare_digest(stored.digest, digest):
                raise Unauthenticated("There is no such API key.", code="invalid_api_key")
            work.api_keys.note_use(key_id)
        return Principal(stored.user_id, None, stored.role, KeyUse(key_id, stored.scopes))
