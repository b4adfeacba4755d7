"""Statements that PostgreSQL plans once for each connection, and not each time.

Planning a read of a few rows takes it several times as long as running it. psycopg2 sends text, so
PREPARE and EXECUTE are said in SQL. A plan holds nobody's rights: PostgreSQL makes it anew for
another role, and asks row-level security's condition each time.

Invariant: nothing is prepared where a pooler may hand the next transaction to another server. The
server named its process when it let us in; a pooler makes a name up.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from psycopg2 import errors
from psycopg2.extensions import cursor
from sqlalchemy import event
from sqlalchemy.engine import Engine, ExecutionContext

from atom_backend.errors import DatabaseUnavailable

PREPARED = {"prepared": True}
"""Execution options of a statement whose text is the same each time, and that is asked often."""

MOST = 64
"""Plans that a connection keeps: the server holds some tens of kilobytes for each."""

_PLANS = "plans"
_LOST = (errors.InvalidSqlStatementName, errors.FeatureNotSupported)
"""Somebody has discarded the plans, or a column has another type than when they were made."""


def install(engine: Engine) -> None:
    """Prepare what is marked so, on every connection of this engine."""
    event.listen(engine, "do_execute", _execute)


class Plans:
    """What one connection has prepared: how each statement is called now."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._made = 0

    def run(self, asking: cursor, statement: str, parameters: Any) -> None:
        """Raises DatabaseUnavailable where the plans are no longer there, or no longer fit."""
        known = self._calls.get(statement)
        if known is None:
            known = self._prepare(asking, statement)
        self._calls.move_to_end(statement)
        try:
            asking.execute(known[1], parameters)
        except _LOST:
            self._calls.clear()
            raise DatabaseUnavailable("The database was changed: ask again.") from None

    def _prepare(self, asking: cursor, statement: str) -> tuple[str, str]:
        if len(self._calls) >= MOST:
            _, (oldest, _) = self._calls.popitem(last=False)
            asking.execute(f"deallocate {oldest}")
        self._made += 1
        name, numbered = f"atom_{self._made}", _Numbered()
        asking.execute(f"prepare {name} as {statement % numbered}")
        given = ", ".join(f"%({parameter})s" for parameter in numbered)
        self._calls[statement] = (name, f"execute {name} ({given})" if given else f"execute {name}")
        return self._calls[statement]


class _Numbered(dict[str, str]):
    """psycopg2's names of parameters, as PostgreSQL's numbers in the order in which they come."""

    def __missing__(self, name: str) -> str:
        self[name] = f"${len(self) + 1}"
        return self[name]


def _execute(asking: cursor, statement: str, parameters: Any, context: ExecutionContext) -> bool:
    """Whether the statement was run here."""
    if not context.execution_options.get("prepared"):
        return False
    kept = context.root_connection.info
    if _PLANS not in kept:
        kept[_PLANS] = Plans() if _direct(asking) else None
    plans: Plans | None = kept[_PLANS]
    if plans is None:
        return False
    plans.run(asking, statement, parameters)
    return True


def _direct(asking: cursor) -> bool:
    """Whether the process that let us in is the one that answers."""
    asking.execute("select pg_backend_pid()")
    [answering] = asking.fetchone() or (None,)
    return bool(asking.connection.get_backend_pid() == answering)
