"""Every field type comes back from the database as it was given."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from atom_backend.domain.resources.fields import (
    Amount,
    Field,
    Many,
    Moment,
    Reference,
    Structure,
    Tags,
    Text,
    Truth,
)
from atom_backend.relational.stored_values import loaded, stored

NOON = datetime(2030, 5, 1, 12, 0, 0, 7, tzinfo=UTC)
PART = Structure(
    "Part",
    (
        Field("at", Moment(), "When.", required=True),
        Field("item", Reference(), "What."),
        Field("paid", Amount(), "How much."),
        Field("done", Truth(), "Whether.", default=False),
        Field("words", Many(Text(9), 3), "Which."),
    ),
)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Tags(), ("a", "b")),
        (Many(Text(5), 3), ("one", "two")),
        (Many(Text(5), 3), ()),
        (Many(Text(5), 3), None),
        (Many(Moment(), 3), (NOON,)),
        (
            Many(PART, 2),
            (
                {"at": NOON, "item": UUID(int=7), "paid": Decimal("-0.10"), "done": True}
                | {"words": ("x",)},
                {"at": NOON, "item": None, "paid": None, "done": False, "words": None},
            ),
        ),
    ],
)
def test_a_value_comes_back_as_it_was(kind: Any, value: Any) -> None:
    kept = stored(kind, value)
    assert loaded(kind, json.loads(json.dumps(kept))) == value


def test_a_time_with_an_offset_comes_back_as_the_same_instant() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=5)))
    assert loaded(Many(Moment(), 1), stored(Many(Moment(), 1), (east,))) == (NOON,)
