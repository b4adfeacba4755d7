"""Making the tables of a generation: the only place that creates one.

Two processes that create the same LanceDB table lose rows, even with ``exist_ok``; the caller
therefore holds a PostgreSQL lock, and everyone else only opens. Invariant: running it again, also
after it was killed half-way, ends in the same complete set of tables and indexes, and never
removes a row.
"""

from __future__ import annotations

from typing import Any

from lancedb.index import FTS, BTree

from atom_backend.vectors.connection import require_schema
from atom_backend.vectors.durability import durable, flush
from atom_backend.vectors.location import Location
from atom_backend.vectors.schema import Layout
from atom_backend.vectors.translate import LANCE_ERRORS, Verdict, judge


async def make_tables(database: Any, location: Location, layout: Layout) -> list[str]:
    """Make what is missing of tables and indexes; what that was.

    Raises ConfigurationError where a table of that name belongs to another version or model.
    """
    made: list[str] = []
    async with durable(location.table(name) for name in layout.names):
        for name in layout.names:
            made += await _make_table(database, name, location, layout)
    if location.folder:
        flush(location.folder)
    return made


async def _make_table(database: Any, name: str, location: Location, layout: Layout) -> list[str]:
    made = []
    try:
        table = await database.open_table(name)
    except LANCE_ERRORS as error:
        if judge(error) is not Verdict.MISCONFIGURED:
            raise
        table = await database.create_table(name, schema=layout.schemas[name])
        made.append(f"table {name}")
    await require_schema(table, layout, location)
    indexed = {column for index in await table.list_indices() for column in index.columns}
    for column, config in _indexes(name == layout.chunks_table).items():
        if column not in indexed:
            await table.create_index(column, config=config)
            made.append(f"index {name}.{column}")
    return made


def _indexes(chunks: bool) -> dict[str, Any]:
    """By column. Made on the empty table, so that making them costs nothing.

    Words are cut by Unicode's rules (UAX 29, with dictionaries for scripts without spaces) and
    English ones stemmed: on SciFact, CLINC150 and XQuAD in six languages this ranked best or
    equal; removing stop words made short utterances worse.
    """
    if not chunks:
        return {"owner_id": BTree(), "document_id": BTree()}
    words = FTS(base_tokenizer="icu", language="English", stem=True, remove_stop_words=False)
    return {"owner_id": BTree(), "document_id": BTree(), "chunk_id": BTree(), "content": words}
