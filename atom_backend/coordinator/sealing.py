"""Sealing the audit trail: entries that were committed are put into the chain, batch by batch.

Invariant: a batch is one transaction, made by the one process that holds the chain in it; killed
at any point, the next pass goes on where the chain ends. Nobody who writes entries waits for this.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from atom_backend.domain.audit_chain import (
    GENESIS,
    AuditChain,
    Head,
    Mark,
    Moment,
    Seal,
    digest_after,
)
from atom_backend.domain.ports import Transactions

logger = logging.getLogger(__name__)

_PUBLISH_SECONDS = 300.0
_NOTHING = Head(0, GENESIS)


class Sealing:
    """The pass that seals; it also writes the chain's head into the log from time to time.

    That is the copy which whoever can rewrite the database does not reach.
    """

    def __init__(
        self,
        transactions: Transactions,
        *,
        batch: int = 2_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transactions = transactions
        self._batch = batch
        self._monotonic = monotonic
        self._published: Head | None = None
        self._publish_at = 0.0

    def run_once(self) -> str:
        """Seal all that is there; a sentence that says so."""
        with self._transactions.auditor() as work:
            mark, moment = work.chain.mark(), work.chain.moment()
        after = mark.settled_id
        while True:
            with self._transactions.auditor() as work:
                if not work.chain.hold():
                    return "Another process seals the audit trail."
                last, full = _seal_some(work.chain, after, self._batch)
                if not full:
                    _move_mark(work.chain, mark, moment)
                    head = work.chain.head()
                    break
            after = last
        self._publish(head)
        return "Every entry of the audit trail is sealed that was there."

    def _publish(self, head: Head) -> None:
        if head in (self._published, _NOTHING) or self._monotonic() < self._publish_at:
            return
        self._published, self._publish_at = head, self._monotonic() + _PUBLISH_SECONDS
        logger.info("the head of the audit trail is %s", head)


def _seal_some(chain: AuditChain, after_id: int, limit: int) -> tuple[int, bool]:
    """The last entry that was sealed, and whether there may be more."""
    entries = chain.unsealed(after_id, limit)
    if not entries:
        return after_id, False
    head = chain.head()
    seals = []
    for entry_id, entry in entries:
        head = Head(head.position + 1, digest_after(head.digest, entry))
        seals.append(Seal(head.position, entry_id, head.digest))
    chain.add(seals)
    return entries[-1][0], len(entries) == limit


def _move_mark(chain: AuditChain, before: Mark, moment: Moment) -> None:
    """Called when all is sealed that ``moment`` could see.

    Numbers of transactions begin anew where a dump was restored: what cannot be is watched anew.
    """
    mark = chain.mark()
    if mark != before:
        return  # another process was here in between, and knows better
    if mark.watched_until > moment.next_transaction:
        settled = mark.settled_id
    elif mark.watched_until <= moment.oldest_running:
        settled = mark.watched_id
    else:
        return
    after = Mark(settled, moment.latest_id, moment.next_transaction)
    if after.watched_id > settled or settled > mark.settled_id:
        chain.move_mark(after)
