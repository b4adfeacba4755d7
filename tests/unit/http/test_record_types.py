"""What requests may say of the field types of resources, and what they are answered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from atom_backend.domain.resources.fields import (
    Amount,
    Anything,
    Field,
    Many,
    Structure,
    Text,
    Truth,
    WallTime,
    Whole,
)
from atom_backend.http.resources.record_types import asked, shown

PEOPLE = Many(
    Structure(
        "Person",
        (Field("name", Text(5), "Who.", required=True), Field("age", Whole(0, 150), "How old.")),
    ),
    2,
)


def taken(kind: Any, value: object) -> Any:
    return TypeAdapter(asked(kind)).validate_json(json.dumps(value))


def answered(kind: Any, value: object) -> Any:
    adapter = TypeAdapter(shown(kind))
    return json.loads(adapter.dump_json(adapter.validate_python(value)))


@pytest.mark.parametrize(
    ("kind", "given", "read"),
    [
        (Truth(), True, True),
        (Amount(), "-12.50", Decimal("-12.50")),
        (WallTime(), "2030-05-01T09:30:00", datetime(2030, 5, 1, 9, 30)),
        (WallTime(), "2030-05-01T09:30:00Z", datetime(2030, 5, 1, 9, 30, tzinfo=UTC)),
        (WallTime(), "2030-05-01", datetime(2030, 5, 1)),
        (Text(3, blank=True), "", ""),
        (Many(Text(3), 2), ["a", "b"], ("a", "b")),
        (Anything(), [1, {"a": None}], [1, {"a": None}]),
    ],
)
def test_what_a_type_admits_is_read(kind: Any, given: object, read: object) -> None:
    assert taken(kind, given) == read


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Truth(), "true"),
        (Truth(), 1),
        (Amount(), 12.5),
        (Amount(), "1e30"),
        (Amount(), "1" + "0" * 30),
        (Amount(), "NaN"),
        (Amount(), "1,5"),
        (Amount(), "١"),
        (Amount(), "-0"),
        (WallTime(), "2030-02-30T00:00:00"),
        (WallTime(), "2030-05-1"),
        (WallTime(), "2030-05-01Z"),
        (WallTime(), 7),
        (Text(3), ""),
        (Text(3, blank=True), "abcd"),
        (Many(Text(3), 2), ["a", "b", "c"]),
        (Many(Text(3), 2), ["a", ""]),
        (Many(Text(3), 2), "ab"),
        (PEOPLE, [{"age": 3}]),
        (PEOPLE, [{"name": "A", "unheard": 1}]),
        (PEOPLE, [{"name": "A", "age": 151}]),
        (Anything(), 2**70),
    ],
)
def test_what_a_type_does_not_admit_is_refused(kind: Any, given: object) -> None:
    with pytest.raises(ValidationError):
        taken(kind, given)


def test_an_object_in_a_list_has_all_its_fields() -> None:
    (person,) = taken(PEOPLE, [{"name": "A"}])
    assert person.model_dump() == {"name": "A", "age": None}
    assert answered(PEOPLE, ({"name": "A", "age": None},)) == [{"name": "A", "age": None}]


def test_an_amount_is_answered_in_digits_and_a_time_with_its_offset() -> None:
    assert answered(Amount(), Decimal("1E+3")) == "1000"
    east = timezone(timedelta(hours=2))
    moment = datetime(2030, 5, 1, 9, 30, tzinfo=east)
    assert answered(WallTime(), moment) == "2030-05-01T09:30:00.000000+02:00"
