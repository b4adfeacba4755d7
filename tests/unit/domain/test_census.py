"""Columns of both sides of PostgreSQL, joined, compared over time, and turned into identifiers."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from atom_backend.domain.census import NO_ENTRY, as_column, as_uuid, as_uuids, touched, wanted
from atom_backend.domain.index_state import EntryState
from tests.unit.domain.columns import Entry, Source, entries, sources

OWNER = UUID(int=1)
ITEMS = [UUID(int=number) for number in (3, 256, 1 << 127, 5)]


@given(st.lists(st.uuids() | st.integers(0, 9).map(lambda n: UUID(int=n << 64))))
def test_identifiers_come_out_of_a_column_as_they_went_in(identifiers: list[UUID]) -> None:
    column = as_column(identifiers)
    assert as_uuids(column) == identifiers
    assert [as_uuid(one) for one in column] == identifiers
    assert as_uuids(column[::2]) == identifiers[::2]


@given(st.sets(st.sampled_from(ITEMS)), st.sets(st.sampled_from(ITEMS)))
def test_every_item_that_has_an_entry_or_a_row_is_wanted_once(
    known: set[UUID], real: set[UUID]
) -> None:
    joined = wanted(
        entries([Entry(item, OWNER, fence=item.int % 99) for item in known]),
        sources([Source(item, OWNER, hash=item.bytes * 2) for item in real]),
    )
    assert as_uuids(joined["item"]) == sorted(known | real)
    for record in joined:
        item = as_uuid(record["item"])
        assert (record["state"] != NO_ENTRY) == (item in known)
        assert record["fence"] == (item.int % 99 if item in known else 0)
        assert record["has_source"] == (item in real)
        assert bytes(record["hash"]) == ((item.bytes * 2).rstrip(b"\0") if item in real else b"")


def test_what_changed_appeared_or_went_was_touched() -> None:
    same, changed, went, came = (Entry(item, OWNER) for item in ITEMS)
    before = wanted(entries([same, changed, went]), sources([]))
    leased = replace(changed, fence=9, state=EntryState.LEASED)
    after = wanted(entries([came, leased, same]), sources([]))
    assert set(as_uuids(touched(before, after))) == {changed.item, went.item, came.item}
    assert len(touched(before, before)) == 0
