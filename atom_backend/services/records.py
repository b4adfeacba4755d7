"""Records: create, read, change, replace by external identifier, remove, list; of any resource.

Invariant (I1, I2): a write and the index entry that announces it are one transaction, and so is
what a resource's rules want made besides; what the index would not read anew is not announced.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from atom_backend.clock import Clock, SystemClock, new_id
from atom_backend.domain.metadata import alike, merged
from atom_backend.domain.owner_work import OwnerWork, StoredResponse
from atom_backend.domain.ports import Transactions
from atom_backend.domain.preconditions import IfMatch
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.checks import check
from atom_backend.domain.resources.fields import Anything, Json
from atom_backend.domain.resources.listing import Listing
from atom_backend.domain.resources.records import Records
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Others, Record, Settled, Values, refused
from atom_backend.errors import Conflict, NotFound
from atom_backend.services.idempotency import Receipt, once
from atom_backend.services.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Put:
    """What a create-or-replace came to."""

    record: Record
    outcome: Literal["new", "replaced", "unchanged"]


class RecordService:
    """The use cases around one owner's records; every call names the resource."""

    def __init__(
        self,
        transactions: Transactions,
        *,
        waiting: Waiting | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._transactions = transactions
        self._waiting = waiting or Waiting()
        self._clock = clock or SystemClock()

    def create(
        self,
        principal: Principal,
        resource: Resource,
        given: Values,
        receipt: Receipt[Record] | None = None,
    ) -> Record | StoredResponse:
        """A new record, or the kept answer of the request with the same idempotency key.

        Raises InvalidInput, or Conflict (code ``external_id_taken``, ``existing_id`` set).
        """
        with self._transactions.owner(principal) as work:
            _to_write(work, resource)
            return once(work.idempotency, receipt, lambda: self._add(work, resource, given))

    def create_together(
        self,
        principal: Principal,
        resource: Resource,
        plan: Callable[[Others], Sequence[Values]],
        receipt: Receipt[tuple[Record, ...]] | None = None,
    ) -> tuple[Record, ...] | StoredResponse:
        """Several new records or none: those that ``plan`` wants, which sees the others.

        Raises as ``create`` does, and what ``plan`` raises.
        """
        with self._transactions.owner(principal) as work:
            records = _to_write(work, resource)

            def add() -> tuple[Record, ...]:
                wanted = plan(records)
                return tuple(self._add(work, resource, given) for given in wanted)

            return once(work.idempotency, receipt, add)

    def put(
        self,
        principal: Principal,
        resource: Resource,
        given: Values,
        if_match: IfMatch | None = None,
        *,
        keeping: Collection[str] = (),
    ) -> Put:
        """Create or replace the record with this external identifier.

        A replaced one keeps what it has in the fields ``keeping``.
        """
        put = partial(self._put, principal, resource, given, if_match, keeping)
        try:
            return put()
        except Conflict:
            # Somebody created it between our look and our insert: now there is one to replace.
            return put()

    def ingest(self, principal: Principal, resource: Resource, given: Values) -> Put:
        """One line of a bulk load: by its external identifier if it has one."""
        if given.get("external_id") is not None:
            return self.put(principal, resource, given)
        record = self.create(principal, resource, given)
        assert isinstance(record, Record)
        return Put(record, "new")

    def get(self, principal: Principal, resource: Resource, item_id: UUID) -> Record:
        """Raises NotFound."""
        with self._transactions.owner(principal) as work:
            return work.records(resource).get(item_id)

    def whole(self, principal: Principal, resource: Resource, item_id: UUID) -> Record:
        """The record with the fields that stand apart. Raises NotFound."""
        with self._transactions.owner(principal) as work:
            return work.records(resource).get(item_id, whole=True)

    def get_by_external_id(
        self, principal: Principal, resource: Resource, external_id: str
    ) -> Record:
        """Raises NotFound."""
        with self._transactions.owner(principal) as work:
            record = work.records(resource).by_external_id(external_id)
        if record is None:
            raise NotFound(f"There is no {resource.one} with this external identifier.")
        return record

    def listing(self, principal: Principal, resource: Resource, listing: Listing) -> list[Record]:
        with self._transactions.owner(principal) as work:
            return work.records(resource).listing(listing)

    def change(
        self,
        principal: Principal,
        resource: Resource,
        item_id: UUID,
        patch: Values,
        if_match: IfMatch | None = None,
    ) -> Record:
        """Write what differs; a change that changes nothing leaves the revision alone.

        JSON objects are merged (RFC 7386), every other field is replaced.
        """
        with self._transactions.owner(principal) as work:
            before = _to_write(work, resource).get(item_id, for_update=True, whole=True)
            if if_match is not None:
                if_match.check(before.revision)
            return self._change(work, resource, before, _patched(resource, before, patch))

    def remove(
        self,
        principal: Principal,
        resource: Resource,
        item_id: UUID,
        if_match: IfMatch | None = None,
    ) -> None:
        """Gone from every answer when this returns; the vector store follows by tombstone."""
        with self._transactions.owner(principal) as work:
            records = _to_write(work, resource)
            before = records.get(item_id, for_update=True, whole=True)
            if if_match is not None:
                if_match.check(before.revision)
            resource.rules.removing(before, records)
            for gone in (item_id, *resource.rules.removed_with(before, records)):
                records.remove(gone)
                if resource.searchable:
                    work.index.bury(gone)

    def wait_until_indexed(
        self, principal: Principal, resource: Resource, record: Record, seconds: float
    ) -> Record:
        """The record as it was written, once that is indexed or parked, or after ``seconds``."""
        look = partial(self.get, principal, resource, record.id)
        return self._waiting.until_indexed(record, look, seconds)

    def _put(
        self,
        principal: Principal,
        resource: Resource,
        given: Values,
        if_match: IfMatch | None,
        keeping: Collection[str],
    ) -> Put:
        with self._transactions.owner(principal) as work:
            before = _to_write(work, resource).by_external_id(
                given["external_id"], for_update=True, whole=True
            )
            if if_match is not None:
                if_match.check(before.revision if before else None)
            if before is None:
                return Put(self._add(work, resource, given), "new")
            kept = {name: before.values[name] for name in keeping}
            wanted = _replaced(resource, before, {**given, **kept})
            record = self._change(work, resource, before, wanted)
            same = record.revision == before.revision
            return Put(record, "unchanged" if same else "replaced")

    def _add(self, work: OwnerWork, resource: Resource, given: Values) -> Record:
        return self._make(work, resource, new_id(), _complete(resource, given))

    def _make(self, work: OwnerWork, resource: Resource, item_id: UUID, wanted: Values) -> Record:
        records, now = work.records(resource), self._clock.now()
        settled = resource.rules.settled(wanted, None, records, item_id, now)
        if settled.placement is not None:
            work.conversations.keep(settled.placement)
        if resource.most is not None:
            records.alone()
            if records.size() >= resource.most:
                raise Conflict(
                    f"There are {resource.most} {resource.name} already: remove one first.",
                    code="too_many",
                )
        record = records.add(item_id, settled.values)
        self._follow(work, resource, settled)
        return record

    def _change(
        self, work: OwnerWork, resource: Resource, before: Record, wanted: Values
    ) -> Record:
        records, now = work.records(resource), self._clock.now()
        settled = resource.rules.settled(wanted, before, records, before.id, now)
        if alike(settled.values, before.values):
            return before
        if settled.placement is not None:
            work.conversations.keep(settled.placement)
        record = records.change(before, settled.values)
        if record.content_revision != before.content_revision:
            work.index.want(record.id, resource.kind, record.revision)
            record = records.get(record.id)
        self._follow(work, resource, settled)
        return record

    def _follow(self, work: OwnerWork, resource: Resource, settled: Settled) -> None:
        for item_id, values in settled.following.items():
            self._make(work, resource, item_id, values)


def _to_write(work: OwnerWork, resource: Resource) -> Records:
    """The records, before any of them is locked."""
    if resource.rules.serial:
        work.take_turn()
    return work.records(resource)


def _complete(
    resource: Resource, given: Values, kept: Values = MappingProxyType({})
) -> dict[str, Any]:
    """All fields: what was neither given nor is kept has its default. Raises InvalidInput."""
    given = resource.rules.completed(given)
    check(resource, given)
    given = {**kept, **given}
    return {one.name: given.get(one.name, one.default) for one in resource.fields}


def _replaced(resource: Resource, before: Record, given: Values) -> dict[str, Any]:
    """As if made anew, but for what only the rules write."""
    kept = {one.name: before.values[one.name] for one in resource.fields if not one.given}
    return _complete(resource, given, kept)


def _patched(resource: Resource, before: Record, patch: Values) -> dict[str, Any]:
    """A null clears a field that may be empty, and sets one that has a default back to it."""
    values = dict(before.values)
    for name, value in resource.rules.completed(patch).items():
        field = resource.field(name)
        if field.required and value is None:
            raise refused(name, "This cannot be cleared.")
        if value is None:
            values[name] = field.default
        elif isinstance(field.type, Json | Anything):
            values[name] = merged(values[name], value, name)
        else:
            values[name] = value
    return values
