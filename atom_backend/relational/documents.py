"""One owner's documents (role ``atom_app``).

Invariant: no query names the owner in its conditions; row-level security does, so that a
forgotten condition cannot show a foreign row. The owner is named only where a row is made.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection, Row

from atom_backend.domain.documents import (
    Document,
    DocumentChanges,
    DocumentDraft,
    DocumentListing,
)
from atom_backend.domain.items import Kind, content_hash
from atom_backend.errors import Conflict, NotFound
from atom_backend.relational.document_queries import as_document, every_document, listed
from atom_backend.relational.tables import documents, items

_EXTERNAL_ID = "items_external_id_key"
_OWN = {documents.c.content_type.name, documents.c.byte_size.name}


class PostgresDocuments:
    """The documents of the transaction's owner."""

    def __init__(self, connection: Connection, owner_id: UUID) -> None:
        self._connection = connection
        self._owner_id = owner_id

    def add(self, document_id: UUID, draft: DocumentDraft) -> Document:
        added = self._connection.execute(
            insert(items)
            .values(
                id=document_id,
                owner_id=self._owner_id,
                kind=Kind.DOCUMENT.value,
                content_hash=content_hash(draft.title, draft.text),
                title=draft.title,
                text=draft.text,
                source=draft.source,
                external_id=draft.external_id,
                tags=list(draft.tags),
                metadata=draft.metadata,
            )
            .on_conflict_do_nothing(constraint=_EXTERNAL_ID)
            .returning(items.c.id)
        ).one_or_none()
        if added is None:
            raise self._taken(draft.external_id)
        self._connection.execute(
            insert(documents).values(
                id=document_id,
                owner_id=self._owner_id,
                content_type=draft.content_type,
                byte_size=draft.byte_size,
            )
        )
        return self.get(document_id)

    def get(self, document_id: UUID, *, for_update: bool = False) -> Document:
        query = every_document().where(items.c.id == document_id)
        if for_update:
            query = query.with_for_update(of=items)
        return as_document(self._one(query))

    def by_external_id(self, external_id: str) -> Document | None:
        row = self._connection.execute(
            every_document().where(items.c.external_id == external_id).with_for_update(of=items)
        ).one_or_none()
        return None if row is None else as_document(row)

    def text(self, document_id: UUID) -> str:
        row = self._one(sa.select(items.c.text).where(items.c.id == document_id))
        return str(row.text)

    def with_text(self, document_id: UUID) -> tuple[Document, str]:
        # One statement: between two of them somebody could commit another revision.
        query = every_document().add_columns(items.c.text)
        row = self._one(query.where(items.c.id == document_id))
        return as_document(row), str(row.text)

    def change(
        self, document_id: UUID, changes: DocumentChanges, *, content_hash: bytes | None
    ) -> Document:
        values = changes.as_columns()
        own = {name: values.pop(name) for name in _OWN & values.keys()}
        if "tags" in values:
            values["tags"] = list(values["tags"])
        revision = items.c.revision + 1
        values |= {"revision": revision, "updated_at": sa.func.now()}
        if content_hash is not None:
            values |= {"content_hash": content_hash, "content_revision": revision}
        external_id = values.get("external_id")
        try:
            # The savepoint keeps the transaction usable after a taken name, to say whose it is.
            with nullcontext() if external_id is None else self._connection.begin_nested():
                self._one(
                    sa.update(items)
                    .where(items.c.id == document_id)
                    .values(values)
                    .returning(items.c.id)
                )
        except Conflict:
            raise self._taken(external_id) from None
        if own:
            self._connection.execute(
                sa.update(documents).where(documents.c.id == document_id).values(own)
            )
        return self.get(document_id)

    def remove(self, document_id: UUID) -> None:
        self._one(sa.delete(items).where(items.c.id == document_id).returning(items.c.id))

    def listing(self, listing: DocumentListing) -> list[Document]:
        return [as_document(row) for row in self._connection.execute(listed(listing))]

    def _one(self, statement: sa.Executable) -> Row[Any]:
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            raise NotFound()
        return row

    def _taken(self, external_id: str | None) -> Conflict:
        existing = self._connection.scalar(
            sa.select(items.c.id).where(
                items.c.kind == Kind.DOCUMENT.value, items.c.external_id == external_id
            )
        )
        return Conflict(
            "A document with this external identifier exists already.",
            code="external_id_taken",
            existing_id=None if existing is None else str(existing),
        )
