"""Memories: short facts that an assistant has learned about its user.

Invariant: history stays: a fact that is superseded says by which, since when, and is never
rewritten by that.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from atom_backend.domain.items import Kind
from atom_backend.domain.resources.fields import Field, Moment, Reference, Share, Text
from atom_backend.domain.resources.listing import Filter, Match
from atom_backend.domain.resources.resource import Resource, Said
from atom_backend.domain.resources.rules import Others, Record, Rules, Settled, Values, refused

_TITLE_CHARS = 200


class MemoryRules(Rules):
    """Who supersedes whom, and when."""

    def settled(
        self, values: Values, before: Record | None, others: Others, item_id: UUID, now: datetime
    ) -> Settled:
        begins, ends, newer = (values[n] for n in ("valid_from", "valid_to", "superseded_by"))
        if newer is not None and (before is None or before.values["superseded_by"] != newer):
            others.alone()
            _require_newer(newer, item_id, others)
            ends = ends or now
        if begins is not None and ends is not None and begins > ends:
            raise refused("valid_to", "A fact cannot end before it begins.")
        return Settled({**values, "valid_to": ends})


def _require_newer(newer: UUID, item_id: UUID, others: Others) -> None:
    """One that exists, and is not in its turn superseded by this one."""
    seen = {item_id}
    following: UUID | None = newer
    while following is not None:
        if following in seen:
            raise refused("superseded_by", "A fact cannot supersede itself.")
        seen.add(following)
        fact = others.find(following)
        if fact is None and following == newer:
            raise refused("superseded_by", "There is no memory with this identifier.")
        following = None if fact is None else fact.values["superseded_by"]


def _title(text: str) -> str:
    return text.strip().splitlines()[0][:_TITLE_CHARS]


def _says(values: Values) -> Said:
    return Said(_title(values["text"]), values["text"], values["valid_from"])


MEMORIES = Resource(
    name="memories",
    one=Kind.MEMORY,
    about="Short facts that the assistant has learned.",
    own=(
        Field("text", Text(100_000), "The fact.", required=True),
        Field("kind", Text(100), "What sort of fact it is, as in preference or person."),
        Field("source_item_id", Reference(), "The item that it was learned from."),
        Field("confidence", Share(), "How sure it is, from 0 to 1."),
        Field("valid_from", Moment(), "Since when it holds."),
        Field("valid_to", Moment(), "Until when it held."),
        Field("superseded_by", Reference(), "The newer fact that holds instead."),
    ),
    says=_says,
    filters=(
        Filter("kind", "kind", Match.EQUAL, "What sort of fact."),
        Filter("source_item_id", "source_item_id", Match.EQUAL, "Learned from this item."),
        Filter("superseded_by", "superseded_by", Match.EQUAL, "What this fact has superseded."),
        Filter("valid_after", "valid_from", Match.FROM, "Held since then or later."),
        Filter("valid_before", "valid_from", Match.UNTIL, "Held since earlier."),
        Filter("text", "text", Match.WORDS, "All of these words are in it."),
    ),
    sorts=("valid_from", "confidence"),
    rules=MemoryRules(),
    example={"text": "Likes the window seat.", "kind": "preference", "confidence": 0.9},
)
