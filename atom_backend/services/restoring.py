"""Bringing an archive back into an empty account.

Invariants: all of it is stored or nothing; what is stored has passed the rules of its resource, as
if it had been created; each item is announced to the index (I1, I2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from atom_backend.clock import Clock, SystemClock
from atom_backend.domain.owner_work import OwnerWork
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.archives import Archive, Archived, Entry, Restored, in_order
from atom_backend.domain.resources.listing import Listing
from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.domain.resources.rules import Settled, refused
from atom_backend.errors import Conflict, FieldProblem, InvalidInput

_MOST_ROUNDS = 20
"""Of trying again what was refused because it names what comes later."""


class Restoring:
    """The use case."""

    def __init__(self, transactions: Transactions, *, clock: Clock | None = None) -> None:
        self._transactions = transactions
        self._clock = clock or SystemClock()

    def restore(self, principal: Principal, archive: Archive) -> Restored:
        """Store everything; how many records of each resource.

        Raises Conflict (``account_not_empty``, ``too_many``; ``id_taken`` or ``being_erased`` where
        an identifier is in use on this server), or InvalidInput with pointers that begin with the
        line.
        """
        with self._transactions.owner(principal) as work:
            work.take_turn()
            _require_room(work, archive.entries)
            if archive.display_name is not None:
                work.account.rename(archive.display_name)
            self._place(work, archive.entries)
            restored = self._restore(work, in_order(archive.entries))
            self._redate(work, archive.entries)
            return restored

    def _place(self, work: OwnerWork, entries: Sequence[Entry]) -> None:
        """Which records belong together, before any of them is stored."""
        for entry in entries:
            if entry.resource.rules.threaded:
                archived, records = entry.read(), work.records(entry.resource)
                with _told_of(entry):
                    placement = entry.resource.rules.placed(archived.values, records, entry.id)
                if placement is not None:
                    work.conversations.keep(placement)

    def _redate(self, work: OwnerWork, entries: Sequence[Entry]) -> None:
        """What PostgreSQL makes of other rows has changed with each of them."""
        for entry in entries:
            if any(field.derived for field in entry.resource.fields):
                work.records(entry.resource).redate(entry.read())

    def _restore(self, work: OwnerWork, entries: Sequence[Entry]) -> Restored:
        restored: Counter[str] = Counter({resource.name: 0 for resource in RESOURCES})
        for _ in range(_MOST_ROUNDS):
            later: list[Entry] = []
            refusal: InvalidInput | None = None
            absent = {entry.id for entry in entries}
            for entry in entries:
                try:
                    self._restore_one(work, entry)
                except InvalidInput as error:
                    if absent.isdisjoint(entry.references):
                        raise
                    later.append(entry)
                    refusal = refusal or error
                else:
                    absent.discard(entry.id)
                    restored[entry.resource.name] += 1
            if refusal is None:
                return restored
            if len(later) == len(entries):
                break
            entries = later
        assert refusal is not None
        raise refusal

    def _restore_one(self, work: OwnerWork, entry: Entry) -> None:
        archived = entry.read()
        with _told_of(entry):
            settled = self._settled(work, entry, archived)
            records = work.records(entry.resource)
            if settled.placement is not None:
                work.conversations.keep(settled.placement)
            records.restore(archived, settled.values)
            if entry.resource.searchable:
                work.index.welcome(archived.id, entry.resource.kind, archived.revision)

    def _settled(self, work: OwnerWork, entry: Entry, archived: Archived) -> Settled:
        records, now = work.records(entry.resource), self._clock.now()
        settled = entry.resource.rules.restored(archived.values, records, archived.id, now)
        if settled.following:
            raise refused("values", "What has to follow this record is not named by it.")
        return settled


def _require_room(work: OwnerWork, entries: Sequence[Entry]) -> None:
    arriving = Counter(entry.resource.name for entry in entries)
    for resource in RESOURCES:
        if work.records(resource).listing(Listing(limit=1)):
            raise Conflict(
                f"The account has {resource.name} already; import into an empty one.",
                code="account_not_empty",
            )
        if resource.most is not None and arriving[resource.name] > resource.most:
            raise Conflict(
                f"An account may have {resource.most} {resource.name}, and no more.",
                code="too_many",
            )


@contextmanager
def _told_of(entry: Entry) -> Iterator[None]:
    """Errors say in which line of the archive they are."""
    try:
        yield
    except InvalidInput as error:
        problems = [
            FieldProblem(f"/{entry.line}/values{one.pointer}", one.detail) for one in error.problems
        ]
        raise InvalidInput(f"Line {entry.line}: {error.message}", problems=problems) from None
    except Conflict as error:
        raise Conflict(
            f"Line {entry.line}: {error.message}", code=error.code, existing_id=error.existing_id
        ) from None
