"""What a search costs at the very least: the parts that it is made of, called directly.

Encode the question with the service's own encoder, ask the service's own LanceDB folder by the
synchronous API for the best ten chunks of one owner, as LanceDB itself searches in that mode, and
fetch their rows by one SELECT. No HTTP, no sign-in, no check of anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

import lancedb
import psycopg2
from lancedb.query import MatchQuery
from psycopg2.extensions import connection
from sqlalchemy.engine import make_url

from atom_backend.embedding.encoder import open_onnx
from atom_backend.relational.embedded import start_embedded
from atom_backend.relational.provision import service_urls
from benchmarks.service import Service, models_folder

_CHUNKS = "document_chunks"
_INDEXED_WITHIN = 180.0
_SCORES = {"vector": ["_distance"], "text": ["_score"], "hybrid": []}
"""To be named, or LanceDB logs a warning with every query; its hybrid one refuses both."""

_SELECT = """
select id, revision, title, content_type, source, external_id, tags, metadata, created_at
from items join documents using (id) where id = any(%s::uuid[])
"""


class BareParts:
    """The parts, open and bound to one owner."""

    def __init__(self, service: Service, owner_id: UUID, postgres: connection) -> None:
        self._embedder = open_onnx(models_folder(), model=None, threads=2).embedder
        self._chunks: Any = lancedb.connect(service.data_folder / "lancedb_data").open_table(
            _CHUNKS
        )
        self._match: Any = MatchQuery
        self._await_indexes()
        self._owner = f"owner_id = X'{owner_id.hex}'"
        self._postgres = postgres

    def search(
        self, query: str, mode: str, limit: int = 10, *, encoded: bool = False
    ) -> list[tuple[Any, ...]]:
        """The rows of the documents that hold the best chunks.

        ``encoded``: encode the question also where the mode has no use for that.
        """
        if encoded:
            self._embedder.embed([query])
        asked = self._asked(query, mode).where(self._owner, prefilter=True).limit(limit)
        found = asked.select(["document_id", "content", *_SCORES[mode]]).to_list()
        identifiers = {str(UUID(bytes=row["document_id"])) for row in found}
        with self._postgres.cursor() as cursor:
            cursor.execute(_SELECT, (list(identifiers),))
            return cursor.fetchall()

    def _await_indexes(self) -> None:
        """Return when the worker's upkeep has indexed every row, and look at what it has made.

        A table that was opened earlier would go on searching the unindexed rows one by one.
        """
        deadline = time.monotonic() + _INDEXED_WITHIN
        while time.monotonic() < deadline:
            self._chunks.checkout_latest()
            if not any(index.num_unindexed_rows for index in self._chunks.list_indices()):
                return
            time.sleep(1)
        raise RuntimeError("the worker did not index every row in time")

    def _asked(self, query: str, mode: str) -> Any:
        """LanceDB's own query of this mode; its hybrid one fuses ranks."""
        words = self._match(query, "content")
        if mode == "text":
            return self._chunks.search(words, query_type="fts")
        [vector] = self._embedder.embed([query])
        if mode == "vector":
            nearest = self._chunks.search(vector)
        else:
            nearest = self._chunks.search(query_type="hybrid").vector(vector).text(words)
        return nearest.distance_type("cosine").bypass_vector_index()


@contextmanager
def bare_parts(service: Service, owner_id: UUID) -> Iterator[BareParts]:
    """The parts of a running service with an embedded PostgreSQL, as its superuser."""
    with (
        closing(start_embedded(service.data_folder / "postgres")) as server,
        closing(psycopg2.connect(dsn(service_urls(server).owner))) as postgres,
    ):
        postgres.autocommit = True
        yield BareParts(service, owner_id, postgres)


def dsn(url: str) -> str:
    """SQLAlchemy's URL as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
