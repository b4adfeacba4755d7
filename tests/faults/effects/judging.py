"""What must be true after a fault, at once and in the end."""

from __future__ import annotations

from tests.faults.effects.users import User
from tests.integration.coordinator.stage import Stage
from tests.invariants import CHUNKS, PROCESSED, rows_by_item
from tests.promises.stores import parked

_SETTLED = "select item_id, revision, chunk_count from index_entries where state = 'settled'"
_UNANNOUNCED = """
    select d.id, e.item_id
    from items d full join (select * from index_entries where not deleted) e on e.item_id = d.id
    where d.id is null or e.item_id is null or e.revision <> d.content_revision
"""


def assert_made_good(stage: Stage, *users: User) -> None:
    """Once all is quiet: what was acknowledged is there, both stores agree, nobody was wronged."""
    for user in users:
        user.assert_kept()
    assert parked(stage.sql) == {}
    stage.assert_in_step()


def assert_settled_is_whole(stage: Stage) -> None:
    """At any moment: what is said to be indexed can be found, all of it."""
    marks, chunks = (rows_by_item(stage.lance, table) for table in (PROCESSED, CHUNKS))
    for item_id, revision, chunk_count in stage.sql(_SETTLED):
        assert revision in [row["revision"] for row in marks[item_id]]
        present = [row for row in chunks.get(item_id, []) if row["revision"] == revision]
        assert {row["ordinal"] for row in present} == set(range(chunk_count))


def assert_announced(stage: Stage) -> None:
    """At any moment: an item and the entry that announces it are there together or not at all."""
    assert stage.sql(_UNANNOUNCED) == []
