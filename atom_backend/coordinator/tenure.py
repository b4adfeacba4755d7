"""The leases of one batch while it is worked on: kept alive, and given up when lost.

A worker that was paused past its lease must not believe that it still holds it: only what the
last extension confirmed is held.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from atom_backend.domain.index_state import Lease, Postponement
from atom_backend.domain.ports import Transactions

_RENEW_AFTER = 1 / 3
"""The share of a lease's time after which it is prolonged."""

_OUTDATED = "the item was written while it was indexed"


class Tenure:
    """What one worker holds under one fence."""

    def __init__(
        self,
        transactions: Transactions,
        leases: Sequence[Lease],
        seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fence = leases[0].fence
        self._transactions = transactions
        self._seconds = seconds
        self._monotonic = monotonic
        self._held = {lease.item_id for lease in leases}
        self._extended_at = monotonic()

    def keep(self) -> None:
        """Prolong the leases when a good part of their time has passed."""
        if self._monotonic() - self._extended_at > self._seconds * _RENEW_AFTER:
            self.confirm_held()

    def confirm_held(self) -> set[UUID]:
        """The items that are still held, and still wanted as they were when leased."""
        before = self._monotonic()
        with self._transactions.worker() as work:
            self._held &= work.index.extend(list(self._held), self.fence, self._seconds)
        self._extended_at = before
        return self._held

    def release(self, item_ids: Sequence[UUID]) -> None:
        """Give back what was written or deleted meanwhile, so that it is due at once.

        Nothing happens to leases that another worker has taken over.
        """
        given_back = [Postponement(item_id, 0.0, _OUTDATED, refund=True) for item_id in item_ids]
        with self._transactions.worker() as work:
            work.index.postpone(given_back, self.fence)
