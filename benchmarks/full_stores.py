"""Both stores full of settled items, made by the quickest ways that they have.

The rows are what the service would have written, only that texts and vectors are random: LanceDB
is filled by the service's own store, PostgreSQL by COPY. Invariant: a check of them finds nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg2
from psycopg2 import extensions
from sqlalchemy.engine import make_url
from tqdm import tqdm

from atom_backend.clock import new_id
from atom_backend.domain.items import Chunk, Kind, Projection, content_hash
from atom_backend.relational.embedded import start_embedded
from atom_backend.relational.provision import provision
from atom_backend.vectors.generations import prepare_tables
from atom_backend.vectors.store import LanceVectorStore

PROCESSED, CHUNKS = "processed_documents", "document_chunks"
DIMENSION = 384
SPEC = "a chunker|a model|384"
_ITEMS_AT_ONCE = 5_000
_LETTERS = 600
_OWNERS = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where the stores are: libpq's and SQLAlchemy's address of one, the folder of the other."""

    dsn: str
    url: str
    lance: str

    def vectors(self) -> LanceVectorStore:
        return LanceVectorStore(
            self.lance, dimension=DIMENSION, processed_table=PROCESSED, chunks_table=CHUNKS
        )


@contextmanager
def full_stores(folder: Path, items: int) -> Iterator[Place]:
    """Both stores with so many items of one chunk each, while this is open."""
    with closing(start_embedded(folder / "postgres")) as server:
        urls = provision(server)
        dsn = make_url(urls.owner).set(drivername="postgresql").render_as_string()
        place = Place(dsn, urls.service, str(folder / "lancedb"))
        prepare_tables(
            place.lance,
            dimension=DIMENSION,
            processed_table=PROCESSED,
            chunks_table=CHUNKS,
            store=new_id(),
        )
        _fill(place, items)
        yield place


def _fill(place: Place, items: int) -> None:
    random = np.random.default_rng(1)
    owners = [new_id() for _ in range(_OWNERS)]
    # COPY does not work beside the service's deadlines; the next engine brings them back.
    extensions.set_wait_callback(None)
    with closing(psycopg2.connect(place.dsn)) as postgres, closing(place.vectors()) as vectors:
        cursor = postgres.cursor()
        # A GIN index costs more than everything else together, and no check reads it.
        cursor.execute("drop index items_search")
        _copy(cursor, "users (id, email, normalized_email, role)", _users(owners))
        with tqdm(total=items, unit="item", unit_scale=True, desc="Filling", disable=None) as bar:
            for fence, begin in enumerate(range(0, items, _ITEMS_AT_ONCE), start=1):
                count = min(_ITEMS_AT_ONCE, items - begin)
                batch = [_projection(random, owners[n % _OWNERS]) for n in range(count)]
                vectors.add_chunks(batch, fence)
                vectors.add_processed(batch, fence)
                _copy(cursor, _SOURCES, _sources(batch))
                _copy(cursor, _ENTRIES, _entries(batch, fence))
                bar.update(count)
        postgres.commit()
        postgres.autocommit = True
        cursor.execute("vacuum analyze")
        vectors.maintain()


_SOURCES = "items (id, owner_id, kind, content_hash, title, text)"
_ENTRIES = (
    "index_entries (item_id, owner_id, kind, revision, leased_revision, indexed_revision, state,"
    " due_at, fence, attempts, spec, chunk_count, requested_at, settled_at)"
)


def _projection(random: np.random.Generator, owner_id: UUID) -> Projection:
    item_id = new_id()
    title = f"Item {item_id}"
    text = " ".join(random.bytes(_LETTERS // 4).hex(" ", 3).split())
    vector = random.standard_normal(DIMENSION, np.float32)
    vector /= np.linalg.norm(vector)
    chunk = Chunk(uuid.uuid5(item_id, "1:0"), 0, 0, len(text), text)
    return Projection(
        item_id=item_id,
        owner_id=owner_id,
        kind=Kind.DOCUMENT,
        revision=1,
        title=title,
        content_hash=content_hash(title, text),
        spec=SPEC,
        chunks=(chunk,),
        vectors=vector[np.newaxis],
        embedding=vector,
    )


def _users(owners: list[UUID]) -> Iterator[tuple[object, ...]]:
    for owner in owners:
        yield owner, f"{owner}@example.org", f"{owner}@example.org", "user"


def _sources(batch: list[Projection]) -> Iterator[tuple[object, ...]]:
    for one in batch:
        text = one.chunks[0].text
        digest = f"\\\\x{one.content_hash.hex()}"
        yield one.item_id, one.owner_id, one.kind.value, digest, one.title, text


def _entries(batch: list[Projection], fence: int) -> Iterator[tuple[object, ...]]:
    for one in batch:
        settled = ("settled", "now", fence, 0, SPEC, 1, "now", "now")
        yield one.item_id, one.owner_id, one.kind.value, 1, 1, 1, *settled


def _copy(cursor: extensions.cursor, table: str, rows: Iterator[tuple[object, ...]]) -> None:
    lines = StringIO("".join("\t".join(map(str, row)) + "\n" for row in rows))
    cursor.copy_expert(f"copy {table} from stdin", lines)
