"""The whole account of the demonstration, and what may be asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from atom_backend.domain.demonstration.letters import letters
from atom_backend.domain.demonstration.money import money
from atom_backend.domain.demonstration.papers import papers
from atom_backend.domain.demonstration.pieces import Days, Piece, named
from atom_backend.domain.demonstration.plans import plans
from atom_backend.domain.items import Kind
from atom_backend.domain.search import SearchFilter, SearchRequest

_SHOWN = 3
"""Results of each search."""


@dataclass(frozen=True, slots=True)
class Question:
    """One example search. ``about`` says in words what narrows it."""

    query: str
    about: str = ""
    kinds: frozenset[Kind] = frozenset()
    filter: SearchFilter = field(default_factory=SearchFilter)

    @property
    def request(self) -> SearchRequest:
        return SearchRequest(self.query, limit=_SHOWN, kinds=self.kinds, filter=self.filter)


PREFERENCES: Mapping[str, Any] = {
    "ui.theme": "dark",
    "notifications.quiet_hours": {"from": "22:00", "to": "07:00"},
    "garden.beds": 3,
}


def pieces(days: Days) -> Iterator[Piece]:
    """Every record, after those that it refers to."""
    yield from papers()
    yield from plans(days)
    yield from letters(days)
    yield from money(days)
    yield from named("integrations", _integrations(days))


def questions(days: Days) -> tuple[Question, ...]:
    """Five searches that have an answer here."""
    begins, ends = days.bounds_of_last_week
    return (
        Question("may the landlord ask for more rent?"),
        Question(
            "what did we talk about last week?",
            f"messages and events from {begins:%-d %B} to {days.last_week(6):%-d %B}",
            frozenset({Kind.MESSAGE, Kind.EVENT}),
            SearchFilter(happens_after=begins, happens_before=ends),
        ),
        Question("which food is dangerous for me?", "memories", frozenset({Kind.MEMORY})),
        Question("who looks after the tomatoes while we are on holiday?"),
        Question("toothache", "events and tasks", frozenset({Kind.EVENT, Kind.TASK})),
    )


def _integrations(days: Days) -> dict[str, dict[str, Any]]:
    return {
        "mail": {
            "service": "imap",
            "account": "me@example.org",
            "settings": {"host": "mail.example.org", "port": 993, "folders": ["Inbox"]},
            "last_sync_at": days.at(0, "00:00"),
            "cursor": "uid 4711",
        },
        "calendar": {
            "service": "caldav",
            "account": "me@example.org",
            "settings": {"url": "https://calendar.example.org/dav", "calendars": ["home"]},
            "state": "error",
            "last_error": "The server did not answer within 30 seconds.",
        },
    }
