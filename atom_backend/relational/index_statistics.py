"""How much waits, and since when; every number is read from a partial index.

Invariant: settled entries are at most counted (index-only), so that a million of them do not make
a look at the queue expensive.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from atom_backend.domain.backoff import SUSPECT_AFTER
from atom_backend.domain.index_state import EntryState, IndexStatistics
from atom_backend.relational.leases import NOW
from atom_backend.relational.tables import index_entries as entries

_WAITING = entries.c.state.in_([EntryState.DUE.value, EntryState.LEASED.value])
_PARKED = entries.c.state == EntryState.PARKED.value


def seconds_until_due(connection: Connection) -> float | None:
    """0 when something is due now, None when nothing waits."""
    fresh = _first(entries.c.due_at, entries.c.attempts < SUSPECT_AFTER)
    suspect = _first(entries.c.due_at, entries.c.attempts >= SUSPECT_AFTER)
    seconds = connection.scalar(sa.select(_seconds(sa.func.least(fresh, suspect) - NOW)))
    return None if seconds is None else max(0.0, float(seconds))


def statistics(connection: Connection) -> IndexStatistics:
    waited = _seconds(NOW - _first(entries.c.requested_at))
    row = connection.execute(
        sa.select(
            *(_count(entries.c.state == state.value).label(state.value) for state in EntryState),
            _count(sa.or_(_WAITING, _PARKED), entries.c.deleted).label("tombstones"),
            waited.label("lag"),
        )
    ).one()
    return IndexStatistics(
        due=row.due,
        leased=row.leased,
        settled=row.settled,
        parked=row.parked,
        tombstones=row.tombstones,
        lag_seconds=0.0 if row.lag is None else max(0.0, float(row.lag)),
    )


def _first(time: sa.Column[object], *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[object]:
    """The earliest of a time of waiting entries: one step into a partial index."""
    return sa.select(sa.func.min(time)).where(_WAITING, *conditions).scalar_subquery()


def _count(*conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(entries).where(*conditions).scalar_subquery()


def _seconds(interval: sa.ColumnElement[object]) -> sa.ColumnElement[int]:
    return sa.extract("epoch", interval)
