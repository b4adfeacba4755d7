"""What passes the check of a resource's values can be stored, whichever way it comes in."""

from __future__ import annotations

from typing import Any

import pytest

from atom_backend.domain import limits
from atom_backend.domain.resources.checks import check
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.resources.fields import Choice, Field, Many, Structure, Text, Whole
from atom_backend.domain.resources.resource import Resource
from atom_backend.errors import InvalidInput
from tests.making import a_draft

PART = Structure("Part", (Field("name", Text(3), "A name.", required=True),))
PARTS = Resource(
    name="parts",
    one="part",
    about="For this test.",
    own=(
        Field("state", Choice(("new", "old")), "One of two.", default="new"),
        Field("count", Whole(0, 9), "How many."),
        Field("note", Text(3, blank=True), "Anything short.", default=""),
        Field("code", Text(9, pattern="^[a-z]+$"), "Letters."),
        Field("parts", Many(PART, 2), "At most two.", default=()),
    ),
)
COMMON: dict[str, Any] = {"source": None, "external_id": None, "tags": (), "metadata": {}}


@pytest.mark.parametrize(
    ("wrong", "pointers"),
    [
        ({"title": " "}, ["/title"]),
        ({"title": None, "text": None}, ["/title", "/text"]),
        ({"title": "x" * (limits.TITLE_CHARS + 1)}, ["/title"]),
        ({"text": "a\0b"}, ["/text"]),
        ({"text": "half: \ud800"}, ["/text"]),
        ({"content_type": "\0"}, ["/content_type"]),
        ({"byte_size": -1}, ["/byte_size"]),
        ({"tags": ("a", "a")}, ["/tags"]),
        ({"tags": ("a", " ", "\0")}, ["/tags/1", "/tags/2"]),
        ({"tags": tuple(map(str, range(65)))}, ["/tags"]),
        ({"metadata": {"a": float("nan")}}, ["/metadata"]),
        ({"metadata": {"x\0": 1}}, ["/metadata"]),
        ({"metadata": {"a": [{"b": "\0"}]}}, ["/metadata"]),
        ({"source": "", "external_id": "x" * 513}, ["/source", "/external_id"]),
    ],
)
def test_what_could_not_be_stored_is_refused_by_its_place(
    wrong: dict[str, Any], pointers: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(DOCUMENTS, a_draft() | wrong)
    assert [one.pointer for one in refused.value.problems] == pointers


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"state": "lost"}, "/state"),
        ({"count": 10}, "/count"),
        ({"note": "long"}, "/note"),
        ({"code": "A1"}, "/code"),
        ({"parts": ({"name": "a"}, {"name": "long"})}, "/parts/1/name"),
        ({"parts": ({},)}, "/parts/0/name"),
        ({"parts": ({"name": "a"},) * 3}, "/parts"),
    ],
)
def test_every_type_is_held_to_its_bounds(values: dict[str, Any], pointer: str) -> None:
    good: dict[str, Any] = {"state": "old", "note": " ", "code": "x", "parts": ({"name": "abc"},)}
    check(PARTS, COMMON | good)
    with pytest.raises(InvalidInput) as refused:
        check(PARTS, COMMON | good | values)
    assert [one.pointer for one in refused.value.problems] == [pointer]


def test_what_only_looks_wrong_is_kept() -> None:
    check(DOCUMENTS, a_draft(metadata={"a": "\\u0000"}, content_type="application/pdf"))
