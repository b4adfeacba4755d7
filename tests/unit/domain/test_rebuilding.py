"""Which entries a rebuild may call settled, by the processed rows that it has written."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from atom_backend.domain.census import wanted
from atom_backend.domain.index_state import EntryState
from atom_backend.domain.items import Kind
from atom_backend.domain.rebuilding import acceptable
from tests.unit.domain.columns import Entry, Row, Source, entries, mark_rows, sources

ITEM, OWNER = UUID(int=1 << 120), UUID(int=2)
DUE = Entry(ITEM, OWNER, state=EntryState.DUE)
MARK = Row(ITEM, OWNER)


def accepted(entry: Entry, mark: Row) -> list[tuple[bytes, int, int]]:
    table = wanted(entries([entry]), sources([Source(ITEM, OWNER)]))
    return list(acceptable(table, mark_rows([mark])))


def test_an_entry_is_accepted_whose_processed_row_is_as_it_must_be() -> None:
    assert [one[1:] for one in accepted(DUE, MARK)] == [(1, 2)]
    assert accepted(replace(DUE, state=EntryState.SETTLED), MARK) == []


@pytest.mark.parametrize(
    "wrong",
    [
        replace(MARK, item=UUID(int=9)),
        replace(MARK, revision=2),
        replace(MARK, kind=Kind.TASK),
        replace(MARK, kind=None),
        replace(MARK, current_spec=False),
        replace(MARK, sound=False),
    ],
)
def test_none_is_accepted_whose_processed_row_is_another(wrong: Row) -> None:
    assert accepted(DUE, wrong) == []
