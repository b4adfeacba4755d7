"""What takes place when: series unrolled, and the time that is taken.

Invariant: no instance in the window is missed, and of single events only those in it are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from atom_backend.domain.calendar.agenda import Instance, Place, Window, agenda
from atom_backend.domain.calendar.events import Event, EventStatus
from atom_backend.domain.calendar.occurrences import Interval, busy
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.event_values import event_of
from atom_backend.domain.resources.events import EVENTS
from atom_backend.domain.resources.listing import Condition, Listing, Match, NotAll
from atom_backend.domain.resources.records import Records
from atom_backend.domain.resources.rules import Record

Conditions = tuple[Condition | NotAll, ...]

_MOMENT = timedelta(microseconds=1)
_PAGE = 500
_SERIES = Condition("series", Match.EQUAL, True)
_SINGLE = Condition("series", Match.EQUAL, False)
_TAKES_TIME = (
    Condition("transparent", Match.EQUAL, False),
    Condition("status", Match.NONE_OF, (EventStatus.CANCELLED,)),
)


class Calendars:
    """The questions about one owner's events and time."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def instances(
        self,
        principal: Principal,
        window: Window,
        limit: int,
        *,
        conditions: Conditions = (),
        status: EventStatus | None = None,
        after: Place | None = None,
    ) -> list[Instance[Record]]:
        """The first ``limit`` instances in the window, by start, that come ``after``.

        ``conditions`` are for events, and ``status`` is for instances, which may differ in it.
        """
        own = () if status is None else (Condition("status", Match.EQUAL, status),)
        with self._transactions.owner(principal) as work:
            records = work.records(EVENTS)
            found = [
                *_begun(records, window, (*conditions, *own), limit, after),
                *_beginning(records, window, (*conditions, *own), limit, after),
                *_series(records, window, conditions),
            ]
        return agenda(map(_event, found), window, limit, after=after, status=status)

    def busy(
        self, principal: Principal, window: Window, calendars: Sequence[str] = ()
    ) -> list[Interval]:
        """The time in the window that the events of these calendars, or of all, take.

        Raises InvalidInput ``too_many_occurrences``.
        """
        named: list[Conditions] = [(Condition("calendar", Match.EQUAL, one),) for one in calendars]
        with self._transactions.owner(principal) as work:
            records = work.records(EVENTS)
            events = (
                event
                for conditions in named or [()]
                for _, _, event in map(_event, _candidates(records, window, conditions))
            )
            return busy(events, window.start, window.end)


def _candidates(records: Records, window: Window, conditions: Conditions) -> Iterator[Record]:
    """All events that may take time in the window, read a page at a time."""
    single = (*conditions, *_TAKES_TIME)
    for query in (
        _query(window, (*single, _SINGLE, _underway(window))),
        _query(window, (*single, _SINGLE, *_begins_within(window))),
        _query(window, (*conditions, _SERIES)),
    ):
        yield from _every(records, query)


def _begun(
    records: Records, window: Window, conditions: Conditions, limit: int, after: Place | None
) -> Iterable[Record]:
    """Single events that have begun when the window opens, and are not over."""
    if after is not None and after.start >= window.start:
        return ()
    query = _query(window, (*conditions, _SINGLE, _underway(window)))
    return records.listing(replace(query, limit=limit, after=_key(after)))


def _beginning(
    records: Records, window: Window, conditions: Conditions, limit: int, after: Place | None
) -> Iterable[Record]:
    """Single events that begin in the window: an index leads to the first of them."""
    rest = window if after is None else replace(window, start=max(window.start, after.start))
    query = _query(window, (*conditions, _SINGLE, *_begins_within(rest)))
    return records.listing(replace(query, limit=limit, after=_key(after)))


def _series(records: Records, window: Window, conditions: Conditions) -> Iterator[Record]:
    return _every(records, _query(window, (*conditions, _SERIES)))


def _every(records: Records, query: Listing) -> Iterator[Record]:
    """All that a query lists, in pages of bounded size."""
    while True:
        page = records.listing(query)
        yield from page
        if len(page) < query.limit:
            return
        query = replace(query, after=(page[-1].values["starts_at"], page[-1].id))


def _query(window: Window, conditions: Conditions) -> Listing:
    """Events whose span meets the window, by start."""
    every = (*conditions, *meeting(window))
    return Listing(_PAGE, every, sort="starts_at", descending=False)


def meeting(window: Window) -> Conditions:
    """That the span of an event meets the window, in which it may then have an instance."""
    return (
        Condition("happens_at", Match.UNTIL, window.end),
        Condition("over_at", Match.FROM, window.start + _MOMENT),
    )


def _underway(window: Window) -> Condition:
    return Condition("happens_at", Match.UNDERWAY, window.start)


def _begins_within(window: Window) -> Conditions:
    return (
        Condition("starts_at", Match.FROM, window.start),
        Condition("starts_at", Match.UNTIL, window.end),
    )


def _key(after: Place | None) -> tuple[object, UUID] | None:
    return None if after is None else (after.start, after.event_id)


def _event(record: Record) -> tuple[UUID, Record, Event]:
    return record.id, record, event_of(record.values)
