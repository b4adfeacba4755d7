"""The pieces of the demonstration: whatever day it is, the same of them lie in the week before."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from atom_backend.domain.demonstration.account import pieces, questions
from atom_backend.domain.demonstration.pieces import Days, Named, Piece

SAID_LAST_WEEK = {
    *("demo/piano-1", "demo/piano-2", "demo/piano-3", "demo/chat"),
    *("demo/visit", "demo/rehearsal"),
}
A_YEAR_AND_MORE = [date(2027, 12, 1) + timedelta(days=number) for number in range(430)]


def own_time(piece: Piece) -> datetime | None:
    """When a message was sent, or an event begins."""
    moment: datetime | None = piece.values.get("sent_at") or piece.values.get("starts_at")
    return moment


def test_the_same_was_said_last_week_on_every_day_of_a_leap_year() -> None:
    for today in A_YEAR_AND_MORE:
        days = Days(today)
        begins, ends = days.bounds_of_last_week
        assert begins.weekday() == 0
        assert timedelta(days=7) <= datetime.combine(today, begins.timetz()) - begins
        said = {piece.name for piece in pieces(days) if begins <= (own_time(piece) or ends) < ends}
        assert said == SAID_LAST_WEEK, today
        assert questions(days)[1].filter.happens_before == ends


def test_each_piece_follows_what_it_refers_to_and_has_a_name_of_its_own() -> None:
    known: set[tuple[str, str]] = set()
    for piece in pieces(Days(date(2030, 1, 1))):
        values = piece.values.values()
        referred = {(one.resource, one.name) for one in values if isinstance(one, Named)}
        assert referred <= known
        assert (piece.resource, piece.name) not in known
        known.add((piece.resource, piece.name))
