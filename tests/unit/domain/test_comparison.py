"""The comparison of both stores, beside one that looks at each item by itself and is slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atom_backend.domain.census import as_uuid, wanted
from atom_backend.domain.comparison import UNUSABLE_FENCE, Comparison, has
from atom_backend.domain.drift import Drift
from atom_backend.domain.generations import REBUILT
from atom_backend.domain.index_state import EntryState
from atom_backend.domain.items import Kind
from tests.unit.domain.columns import (
    Entry,
    Row,
    Source,
    chunk_rows,
    entries,
    mark_rows,
    sources,
)

ITEMS = [UUID(int=number << 8) for number in range(1, 4)]
"""Their last byte is zero, which numpy cuts off."""
STRANGER = UUID(int=99)
MINE, YOURS = UUID(int=256), UUID(int=512)
OTHER_HASH = b"o" * 32


def mostly(right: Any, *wrong: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([right] * 6 + list(wrong))


owners = mostly(MINE, YOURS)
states = mostly(EntryState.SETTLED, EntryState.DUE, EntryState.PARKED)
counts = mostly(2, 0, 1, 3, 2**31 - 1)
fences = mostly(5, REBUILT, 4, 6, UNUSABLE_FENCE + 1, -1)
revisions = mostly(1, 2)
rightly = mostly(True, False)
hashes = mostly(b"h" * 32, OTHER_HASH)
kinds = mostly(Kind.DOCUMENT, Kind.TASK)


@st.composite
def stores(draw: st.DrawFn) -> tuple[list[Entry], list[Source], list[Row], list[Row]]:
    """Entries, sources, chunks and processed rows that mostly fit together."""
    known, real = [draw(st.lists(st.sampled_from(ITEMS), unique=True)) for _ in range(2)]
    if draw(rightly):
        known = real
    return (
        [
            Entry(
                item,
                draw(owners),
                draw(revisions),
                draw(revisions),
                draw(mostly(5, 6)),
                draw(counts),
                draw(states),
                not draw(rightly),
                draw(rightly),
                draw(kinds),
            )
            for item in known
        ],
        [Source(item, draw(owners), draw(revisions), draw(hashes), draw(kinds)) for item in real],
        draw(rows(ordinals=[0, 1], more=st.sampled_from([0, 1, 2, -1]))),
        draw(rows(ordinals=[0], more=st.just(0))),
    )


@st.composite
def rows(draw: st.DrawFn, ordinals: Sequence[int], more: st.SearchStrategy[int]) -> list[Row]:
    usual = [(item, ordinal) for item in ITEMS for ordinal in ordinals if draw(rightly)]
    extra = draw(st.lists(st.tuples(st.sampled_from([*ITEMS, STRANGER]), more), max_size=2))
    places = draw(st.permutations(usual + extra))
    return [
        Row(
            item,
            draw(owners),
            draw(revisions),
            draw(fences),
            draw(rightly),
            draw(rightly),
            ordinal,
            draw(counts),
            draw(hashes),
            draw(mostly(Kind.DOCUMENT, Kind.TASK, None)),
        )
        for item, ordinal in places
    ]


def found(
    entry_list: Sequence[Entry],
    source_list: Sequence[Source],
    chunks: Sequence[Row],
    marks: Sequence[Row],
    portion: int = 99,
) -> dict[UUID, set[Drift]]:
    """What the comparison says, the rows given in portions of this size."""
    comparison = compared(entry_list, source_list, chunks, marks, portion)
    verdicts = comparison.verdicts()
    assert len(set(verdicts["item"].tolist())) == len(verdicts)
    return {
        as_uuid(verdict["item"]): {drift for drift in Drift if has(verdict, drift)}
        for verdict in verdicts
    }


def compared(
    entry_list: Sequence[Entry],
    source_list: Sequence[Source],
    chunks: Sequence[Row],
    marks: Sequence[Row],
    portion: int = 99,
) -> Comparison:
    comparison = Comparison(wanted(entries(entry_list), sources(source_list)))
    for place in range(0, len(marks), portion):
        comparison.add_marks(mark_rows(marks[place : place + portion]))
    for place in range(0, len(chunks), portion):
        comparison.add_chunks(chunk_rows(chunks[place : place + portion]))
    return comparison


def expected(
    entry: Entry | None, source: Source | None, chunks: Sequence[Row], marks: Sequence[Row]
) -> set[Drift]:
    """The same of one item, told plainly."""
    rows = [*chunks, *marks]
    owner = source or entry
    if owner is None:
        return {Drift.ORPHANED} if rows else set()
    faults = contradiction(entry, source)
    if any(row.owner != owner.owner for row in rows):
        faults.add(Drift.FOREIGN)
    if entry is None or source is None or entry.state is not EntryState.SETTLED:
        return faults
    faults |= set().union(*(wrong(row, entry) for row in rows))
    if any(row.kind is not source.kind for row in rows):
        faults.add(Drift.WRONG_KIND)
    if entry.indexed_revision != entry.revision or any(row.hash != source.hash for row in marks):
        faults.add(Drift.STALE)
    if not entry.current_spec:
        faults.add(Drift.WRONG_SPEC)
    if any(row.chunk_count != entry.chunk_count for row in marks):
        faults.add(Drift.PARTIAL)
    return faults | miscounted(entry.chunk_count, [row.ordinal for row in chunks], len(marks))


def contradiction(entry: Entry | None, source: Source | None) -> set[Drift]:
    faults = set()
    live = entry is not None and not entry.deleted
    if live != (source is not None):
        faults.add(Drift.MISSING if source else Drift.ORPHANED)
    if entry and source and entry.owner != source.owner:
        faults.add(Drift.FOREIGN)
    if entry and source and entry.kind is not source.kind:
        faults.add(Drift.WRONG_KIND)
    if entry and source and live and entry.revision != source.revision:
        faults.add(Drift.STALE)
    return faults if live or source else set()


def wrong(row: Row, entry: Entry) -> set[Drift]:
    faults = set()
    if not row.sound:
        faults.add(Drift.CORRUPT)
    if not row.current_spec:
        faults.add(Drift.WRONG_SPEC)
    if row.revision != entry.revision or row.fence not in {entry.fence, REBUILT}:
        faults.add(Drift.STALE)
    return faults


def miscounted(count: int, ordinals: Sequence[int], marks: int) -> set[Drift]:
    faults = {Drift.DUPLICATE} if marks > 1 else set()
    if not marks:
        return faults | {Drift.UNMARKED if ordinals else Drift.MISSING} | split(count, ordinals)
    return faults | (split(count, ordinals) if ordinals else {Drift.HOLLOW})


def split(count: int, ordinals: Sequence[int]) -> set[Drift]:
    if not ordinals or sorted(ordinals) == list(range(min(count, 99))):
        return set()
    if len(ordinals) == count:
        return {Drift.PARTIAL, Drift.DUPLICATE}
    return {Drift.PARTIAL if len(ordinals) < count else Drift.DUPLICATE}


@settings(deadline=None)
@given(stores(), st.integers(1, 9))
def test_what_is_found_is_what_looking_at_each_item_finds(
    made: tuple[list[Entry], list[Source], list[Row], list[Row]], portion: int
) -> None:
    entry_list, source_list, chunks, marks = made
    assert found(*made, portion) == {
        item: faults
        for item in [*ITEMS, STRANGER]
        if (
            faults := expected(
                next((one for one in entry_list if one.item == item), None),
                next((one for one in source_list if one.item == item), None),
                [row for row in chunks if row.item == item],
                [row for row in marks if row.item == item],
            )
        )
    }


ITEM = ITEMS[0]
RIGHT = (
    [Entry(ITEM, MINE)],
    [Source(ITEM, MINE)],
    [Row(ITEM, MINE, ordinal=1), Row(ITEM, MINE, ordinal=0)],
    [Row(ITEM, MINE)],
)


def test_what_is_right_is_not_found() -> None:
    assert found(*RIGHT) == {}


FIRST, SECOND = RIGHT[2]
(MARK,) = RIGHT[3]


@pytest.mark.parametrize(
    ("chunks", "marks", "named"),
    [
        ([], [], "missing"),
        ([FIRST, SECOND], [], "unmarked"),
        ([], [MARK], "hollow"),
        ([FIRST], [MARK], "partial"),
        ([FIRST, FIRST], [MARK], "duplicate partial"),
        ([FIRST, replace(SECOND, ordinal=2)], [MARK], "duplicate partial"),
        ([FIRST, replace(SECOND, ordinal=-1)], [MARK], "duplicate partial"),
        ([FIRST, SECOND, SECOND], [MARK], "duplicate"),
        ([FIRST, SECOND], [MARK, MARK], "duplicate"),
        ([FIRST, SECOND], [replace(MARK, chunk_count=3)], "partial"),
        ([FIRST, SECOND], [replace(MARK, hash=OTHER_HASH)], "stale"),
        ([FIRST, replace(SECOND, revision=2)], [MARK], "stale"),
        ([FIRST, replace(SECOND, fence=4)], [MARK], "stale"),
        ([FIRST, replace(SECOND, fence=REBUILT)], [MARK], ""),
        ([FIRST, replace(SECOND, owner=YOURS)], [MARK], "foreign"),
        ([FIRST, replace(SECOND, sound=False)], [MARK], "corrupt"),
        ([FIRST, replace(SECOND, current_spec=False)], [MARK], "wrong_spec"),
        ([FIRST, replace(SECOND, kind=Kind.TASK)], [MARK], "wrong_kind"),
        ([FIRST, SECOND], [replace(MARK, kind=None)], "wrong_kind"),
        ([FIRST, SECOND, Row(STRANGER, MINE)], [MARK], "orphaned"),
    ],
)
def test_a_single_fault_is_called_by_its_name(
    chunks: list[Row], marks: list[Row], named: str
) -> None:
    names = set().union(*found(*RIGHT[:2], chunks, marks).values())
    assert " ".join(sorted(names)) == named


@pytest.mark.parametrize("state", [EntryState.DUE, EntryState.LEASED, EntryState.PARKED])
def test_of_what_is_not_settled_only_foreign_rows_are_found(state: EntryState) -> None:
    entry_list = [Entry(ITEM, MINE, state=state)]
    old = [Row(ITEM, MINE, revision=0, fence=1, sound=False)]
    assert found(entry_list, RIGHT[1], old, []) == {}
    assert found(entry_list, RIGHT[1], [replace(old[0], owner=YOURS)], []) == {
        ITEM: {Drift.FOREIGN}
    }


def test_who_is_excused_is_not_found() -> None:
    comparison = compared(RIGHT[0], RIGHT[1], [Row(STRANGER, MINE)], [])
    both = comparison.verdicts()
    assert len(both) == 2
    assert len(comparison.verdicts(both["item"])) == 0
    assert comparison.verdicts(both["item"][:1])["item"].tolist() == both["item"][1:].tolist()


def test_a_verdict_says_whose_the_item_is_and_how_its_entry_stands() -> None:
    entry_list = [Entry(ITEM, YOURS, fence=8), Entry(ITEMS[1], MINE, fence=9)]
    source_list = [Source(ITEM, MINE), Source(ITEMS[1], MINE)]
    strangers = [Row(STRANGER, MINE)]
    one, other, unknown = compared(entry_list, source_list, strangers, []).verdicts()
    assert (as_uuid(one["owner"]), one["fence"], one["contradicted"]) == (MINE, 8, True)
    assert (other["settled"], other["known"], other["contradicted"]) == (True, True, False)
    assert (unknown["known"], unknown["settled"]) == (False, False)


def test_the_highest_fence_is_remembered_and_those_that_nobody_can_outrank() -> None:
    fenced = [Row(ITEM, MINE, fence=fence) for fence in (7, UNUSABLE_FENCE, UNUSABLE_FENCE - 1, 3)]
    comparison = compared(*RIGHT[:2], fenced, [Row(STRANGER, MINE, fence=UNUSABLE_FENCE)])
    assert comparison.highest_fence == UNUSABLE_FENCE - 1
    assert comparison.unusable_fences == {UNUSABLE_FENCE: {ITEM, STRANGER}}


def test_an_item_is_described_by_what_both_stores_say() -> None:
    comparison = compared(RIGHT[0], RIGHT[1], RIGHT[2][:1], [])
    said = comparison.describe(ITEM)
    assert "settled at revision 1 with 2 chunks under fence 5" in said
    assert "0 processed rows and 1 chunks" in said
    assert "does not know" in comparison.describe(STRANGER)
    assert "no index entry" in compared([], RIGHT[1], [], []).describe(ITEM)
