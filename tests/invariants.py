"""Whether both stores are in step (I2, I3, I5), found out by reading all of both.

The wanted state comes from the rows of PostgreSQL and from nothing that the service computes about
LanceDB; every column of every row in LanceDB is compared with it. A parked item is excused from
being projected, if it says why it is parked, but not from belonging to its owner.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import lancedb
import numpy as np

from atom_backend.domain.generations import REBUILT
from atom_backend.domain.items import document_embedding, embedding_text
from tests.conftest import RunSql

PROCESSED = "processed_documents"
CHUNKS = "document_chunks"

Row = dict[str, Any]

_WANTED = """
    select d.*, e.item_id, e.state, e.reason, e.deleted, e.revision as entry_revision,
        e.indexed_revision, e.spec, e.chunk_count, e.fence, e.owner_id as entry_owner,
        e.kind as entry_kind
    from items d full join index_entries e on e.item_id = d.id
"""


def assert_in_step(sql: RunSql, lance: Path, *, spec: str | None = None) -> None:
    """Everything is settled (or parked), and LanceDB holds exactly what PostgreSQL wants.

    ``spec``: the index spec that everything must have been made under.
    """
    assert out_of_step(sql, lance, spec=spec) == []


def out_of_step(sql: RunSql, lance: Path, *, spec: str | None = None) -> list[str]:
    """What is wrong, each fault as one sentence that begins with its name."""
    wanted = {row.id: row for row in sql(_WANTED) if row.id is not None}
    unwanted = [row.item_id for row in sql(_WANTED) if row.id is None]
    marks, chunks = rows_by_item(lance, PROCESSED), rows_by_item(lance, CHUNKS)
    faults = [f"tombstone: the entry of {item_id} outlives its document" for item_id in unwanted]
    faults += [
        f"orphan: {len(found[item_id])} rows of {item_id}, which does not exist"
        for found in (marks, chunks)
        for item_id in found.keys() - wanted.keys()
    ]
    for item_id, document in wanted.items():
        faults += _faults(document, marks.get(item_id, []), chunks.get(item_id, []), spec)
    return faults


def rows_by_item(lance: Path, table: str) -> dict[UUID, list[Row]]:
    """Every row of a table, in the generation that is the active one."""
    rows: dict[UUID, list[Row]] = {}
    found = lancedb.connect(lance).open_table(active_name(lance, table))
    for row in found.to_arrow().to_pylist():
        rows.setdefault(UUID(bytes=row["document_id"]), []).append(row)
    return rows


def active_name(lance: Path, table: str) -> str:
    """What the table is called at present: a rebuild makes new ones."""
    pointer, _ = (lance / f"{CHUNKS}.current").read_text().splitlines()
    number = json.loads(pointer)["active"]
    return table if number == 1 else f"{table}_{number}"


def _faults(document: Any, marks: list[Row], chunks: list[Row], spec: str | None) -> Iterator[str]:
    name = document.id
    if any(row["owner_id"] != document.owner_id.bytes for row in [*marks, *chunks]):
        yield f"foreign: {name} has rows of another owner than its document"
    if document.state is None:
        yield f"unannounced: {name} has no index entry"
        return
    if document.state == "parked":
        if not document.reason:
            yield f"silent: {name} is parked without a reason"
        return
    yield from _entry_faults(document, spec)
    if not marks:
        yield f"missing: {name} has no processed row"
        return
    if len(marks) > 1:
        yield f"duplicate: {name} has {len(marks)} processed rows"
    yield from _mark_faults(document, marks[0])
    yield from _chunk_faults(document, marks[0], sorted(chunks, key=lambda row: row["ordinal"]))


def _entry_faults(document: Any, spec: str | None) -> Iterator[str]:
    name = document.id
    if document.state != "settled":
        yield f"unsettled: {name} is {document.state}: {document.reason}"
    if document.entry_owner != document.owner_id:
        yield f"foreign: the entry of {name} belongs to another owner"
    if document.entry_kind != document.kind:
        yield f"kind: the entry of {name} says that it is a {document.entry_kind}"
    if document.deleted:
        yield f"tombstone: {name} exists, but its entry says that it was deleted"
    if document.entry_revision != document.content_revision:
        yield f"stale: the entry of {name} does not want the document's revision"
    if document.indexed_revision != document.content_revision:
        yield f"stale: the entry of {name} says revision {document.indexed_revision}"
    if spec is not None and document.spec != spec:
        yield f"spec: {name} was indexed as {document.spec}"


def _mark_faults(document: Any, mark: Row) -> Iterator[str]:
    name = document.id
    if mark["revision"] != document.content_revision:
        yield f"stale: the processed row of {name} has revision {mark['revision']}"
    if mark["fence"] not in {document.fence, REBUILT}:
        yield f"stale: the processed row of {name} has fence {mark['fence']}, not the entry's"
    if mark["content_hash"] != bytes(document.content_hash):
        yield f"stale: the processed row of {name} has the hash of another content"
    if mark["spec"] != document.spec:
        yield f"spec: the processed row of {name} was made as {mark['spec']}"
    if mark["chunk_count"] != document.chunk_count:
        yield f"partial: the processed row of {name} counts {mark['chunk_count']} chunks"
    if mark["kind"] != document.kind:
        yield f"kind: {name} is said to be a {mark['kind']}"
    if not _has_length_one(mark["embedding"]):
        yield f"vector: the embedding of {name} does not have length 1"


def _chunk_faults(document: Any, mark: Row, chunks: list[Row]) -> Iterator[str]:
    name = document.id
    ordinals = Counter(row["ordinal"] for row in chunks)
    if max(ordinals.values(), default=0) > 1 or ordinals.keys() - range(document.chunk_count):
        yield f"duplicate: {name} has {len(chunks)} chunks instead of {document.chunk_count}"
    if range(document.chunk_count) - ordinals.keys():
        yield f"partial: {name} lacks chunks, {len(chunks)} of {document.chunk_count} are there"
    for row in chunks:
        yield from _row_faults(document, mark, row)
    if _letters(*(_passage(document, row) for row in chunks)) != _letters(document.text):
        yield f"partial: the chunks of {name} are not its whole text"
    vectors = np.asarray([row["vector"] for row in chunks], np.float32)
    if chunks and not np.allclose(document_embedding(vectors), mark["embedding"], atol=1e-5):
        yield f"vector: the embedding of {name} is not the mean of its chunks"


def _row_faults(document: Any, mark: Row, row: Row) -> Iterator[str]:
    name = f"chunk {row['ordinal']} of {document.id}"
    if row["revision"] != document.content_revision:
        yield f"stale: {name} has revision {row['revision']}"
    if row["fence"] != mark["fence"]:
        yield f"stale: {name} was written under another fence than its processed row"
    if row["chunk_id"] != _chunk_id(document, row).bytes:
        yield f"corrupt: {name} has the identifier of another chunk"
    if row["spec"] != document.spec:
        yield f"spec: {name} was made as {row['spec']}"
    if row["title"] != document.title:
        yield f"stale: {name} has another title"
    if row["content"] != embedding_text(document.title, _passage(document, row)):
        yield f"corrupt: {name} is not the text at {row['start']} to {row['end']}"
    if row["kind"] != document.kind:
        yield f"kind: {name} is said to be a {row['kind']}"
    if not _has_length_one(row["vector"]):
        yield f"vector: {name} has a vector that does not have length 1"


def _passage(document: Any, row: Row) -> str:
    return str(document.text[row["start"] : row["end"]])


def _letters(*texts: str) -> str:
    """Everything but white space, which chunks may leave out."""
    return "".join(part for text in texts for part in text.split())


def _chunk_id(document: Any, row: Row) -> UUID:
    return uuid.uuid5(document.id, f"{document.content_revision}:{row['ordinal']}")


def _has_length_one(vector: list[float]) -> bool:
    return bool(abs(float(np.linalg.norm(vector)) - 1) < 1e-3)
