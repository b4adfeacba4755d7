"""Removing the beginning of the audit trail (as the owner of the tables, never as the service).

Invariant: first the chain's new beginning and an entry that tells of the removal are committed,
then entries go with their seals; interrupted, the next call goes on. What is left verifies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from atom_backend.domain.audit_chain import Head
from atom_backend.domain.drift import Progress
from atom_backend.relational.deadline import patience
from atom_backend.relational.engine import create_engine

_AT_ONCE = 5_000
_PATIENCE = 120.0

# Up to the first entry that is to be kept, whatever the times of those behind it. A seal without
# its entry is kept, too: a removal that nobody told of shall not become one that was.
_LAST = sa.text("""
    select s.position, s.digest from audit_seals s
    where s.position < coalesce((
        select min(kept.position) from audit_seals kept
        left join audit_entries e on e.id = kept.entry_id
        where e.id is null or e.at >= :before
    ), 9223372036854775807)
    order by s.position desc limit 1
""")
_BEGIN = sa.text("""
    update audit_chain set pruned_position = :position, pruned_digest = :digest
    where pruned_position < :position
""")
_BASE = sa.text("select pruned_position, pruned_digest from audit_chain")
_TELL = sa.text("""
    insert into audit_entries (action, resource, item_id, revision)
    values ('remove', 'audit', gen_random_uuid(), :position)
""")
_REMOVE = sa.text("""
    with gone as (
        delete from audit_seals where position in (
            select s.position from audit_seals s, audit_chain c
            where s.position <= c.pruned_position order by s.position limit :most
        ) returning entry_id
    ), entries as (
        delete from audit_entries using gone where id = gone.entry_id
    )
    select count(*) from gone
""")
_LEFT = sa.text("""
    select count(*) from audit_seals s, audit_chain c where s.position <= c.pruned_position
""")


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many entries were removed, and where the chain begins now."""

    removed: int
    base: Head


def prune(url: str, before: datetime, progress: Progress) -> Pruned | None:
    """Remove the entries written before this moment, as far as they are sealed; None if none."""
    engine = create_engine(url, max_connections=0, application_name="atom-backend-prune")
    try:
        return _prune(engine, before, progress)
    finally:
        engine.dispose()


def _prune(engine: Engine, before: datetime, progress: Progress) -> Pruned | None:
    with _begun(engine) as connection:
        last = connection.execute(_LAST, {"before": before}).one_or_none()
        if last is not None:
            place = {"position": last.position, "digest": last.digest}
            if connection.execute(_BEGIN, place).rowcount:
                connection.execute(_TELL, place)
        total = connection.execute(_LEFT).scalar_one()
        position, digest = connection.execute(_BASE).one()
    if not total:
        return None
    done = 0
    while done < total:
        with _begun(engine) as connection:
            removed = connection.execute(_REMOVE, {"most": _AT_ONCE}).scalar_one()
        if not removed:
            break
        done += removed
        progress(done, total)
    return Pruned(done, Head(position, bytes(digest)))


@contextmanager
def _begun(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection, patience(connection, _PATIENCE):
        connection.execute(sa.text("select set_config('search_path', 'public', true)"))
        yield connection
