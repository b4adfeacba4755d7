"""The record of which LanceDB store is this database's, and of its current generation.

Invariant: ``hold`` and ``locked`` exclude each other until their transactions end, so that no
confirmation of one generation commits after the record has come to name another.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.engine import Connection

from atom_backend.domain.generations import Generation
from atom_backend.domain.index_state import Confirmation, EntryState
from atom_backend.relational.leases import NOW
from atom_backend.relational.tables import index_entries as entries
from atom_backend.relational.tables import vector_store as record

_CONFIRMATION = (
    sa.column("item_id", sa.Uuid),
    sa.column("revision", sa.BigInteger),
    sa.column("spec", sa.Text),
    sa.column("chunk_count", sa.Integer),
)
_INDEXED = entries.c.settled_at.is_not(None)


class PostgresStoreRecord:
    """The only row of ``vector_store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self) -> Generation | None:
        return self._read(sa.select(record.c.store_id, record.c.generation))

    def locked(self) -> Generation | None:
        return self._read(sa.select(record.c.store_id, record.c.generation).with_for_update())

    def hold(self, generation: Generation) -> bool:
        # Waits for a switch that is under way, and then looks at the row that it left.
        held = (
            sa.select(record.c.generation)
            .where(record.c.store_id == generation.store, record.c.generation == generation.number)
            .with_for_update(read=True)
        )
        return self._connection.scalar(held) is not None

    def write(self, generation: Generation) -> None:
        values = {
            "store_id": generation.store,
            "generation": generation.number,
            "changed_at": NOW,
        }
        written = insert(record).values(single=True, **values)
        self._connection.execute(
            written.on_conflict_do_update(index_elements=[record.c.single], set_=values)
        )

    def in_use(self) -> bool:
        return bool(self._connection.scalar(sa.select(sa.exists().where(_INDEXED))))

    def accept(self, confirmations: Sequence[Confirmation]) -> int:
        given = sa.func.unnest(
            sa.literal([one.item_id for one in confirmations], ARRAY(sa.Uuid)),
            sa.literal([one.revision for one in confirmations], ARRAY(sa.BigInteger)),
            sa.literal([one.spec for one in confirmations], ARRAY(sa.Text)),
            sa.literal([one.chunk_count for one in confirmations], ARRAY(sa.Integer)),
        ).table_valued(*_CONFIRMATION)
        given = given.alias("given").render_derived()
        unheld = (
            sa.select(entries.c.item_id, *given.c["revision", "spec", "chunk_count"])
            .where(
                entries.c.item_id == given.c.item_id,
                entries.c.revision == given.c.revision,
                entries.c.state.in_([EntryState.DUE.value, EntryState.SETTLED.value]),
                sa.not_(entries.c.deleted),
            )
            .order_by(entries.c.item_id)
            .with_for_update(of=entries)
            .cte("unheld")
        )
        accepted = (
            sa.update(entries)
            .where(entries.c.item_id == unheld.c.item_id)
            .values(
                indexed_revision=unheld.c.revision,
                spec=unheld.c.spec,
                chunk_count=unheld.c.chunk_count,
                state=EntryState.SETTLED.value,
                settled_at=NOW,
                attempts=0,
                reason=None,
            )
        )
        return self._connection.execute(accepted).rowcount

    def _read(self, query: sa.Select[tuple[object, ...]]) -> Generation | None:
        row = self._connection.execute(query).one_or_none()
        return None if row is None else Generation(row.store_id, row.generation)
