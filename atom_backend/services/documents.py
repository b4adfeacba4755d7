"""Documents: create, read, change, replace by external identifier, remove, list.

Invariant (I1, I2): a write of content and the index entry that announces it are one transaction;
nothing here waits for the vector store, and nothing that did not change is announced.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal
from uuid import UUID

from atom_backend.clock import new_id
from atom_backend.domain.documents import (
    UNSET,
    Document,
    DocumentChanges,
    DocumentDraft,
    DocumentListing,
    Unset,
)
from atom_backend.domain.items import Chunk, Kind, content_hash
from atom_backend.domain.limits import check_draft
from atom_backend.domain.metadata import merged
from atom_backend.domain.ports import Transactions, VectorSearch
from atom_backend.domain.preconditions import IfMatch
from atom_backend.domain.principals import Principal
from atom_backend.domain.transactions import OwnerWork, StoredResponse
from atom_backend.errors import Conflict, NotFound
from atom_backend.services.idempotency import Receipt, once
from atom_backend.services.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Stored:
    """What a create-or-replace came to."""

    document: Document
    outcome: Literal["new", "replaced", "unchanged"]


class DocumentService:
    """The use cases around one owner's documents."""

    def __init__(
        self,
        transactions: Transactions,
        vectors: VectorSearch,
        *,
        waiting: Waiting | None = None,
    ) -> None:
        self._transactions = transactions
        self._vectors = vectors
        self._waiting = waiting or Waiting()

    def create(
        self, principal: Principal, draft: DocumentDraft, receipt: Receipt[Document] | None = None
    ) -> Document | StoredResponse:
        """A new document, or the kept answer of the request with the same idempotency key.

        Raises Conflict (code ``external_id_taken``, ``existing_id`` set).
        """
        check_draft(draft)
        with self._transactions.owner(principal) as work:
            return once(work.idempotency, receipt, lambda: _add(work, draft))

    def put(
        self,
        principal: Principal,
        external_id: str,
        draft: DocumentDraft,
        if_match: IfMatch | None = None,
    ) -> Stored:
        """Create or replace the document with this external identifier."""
        draft = replace(draft, external_id=external_id)
        check_draft(draft)
        try:
            return self._put(principal, external_id, draft, if_match)
        except Conflict:
            # Somebody created it between our look and our insert: now there is one to replace.
            return self._put(principal, external_id, draft, if_match)

    def get(self, principal: Principal, document_id: UUID) -> Document:
        with self._transactions.owner(principal) as work:
            return work.documents.get(document_id)

    def get_by_external_id(self, principal: Principal, external_id: str) -> Document:
        with self._transactions.owner(principal) as work:
            document = work.documents.by_external_id(external_id)
        if document is None:
            raise NotFound("There is no document with this external identifier.")
        return document

    def listing(self, principal: Principal, listing: DocumentListing) -> list[Document]:
        with self._transactions.owner(principal) as work:
            return work.documents.listing(listing)

    def text(self, principal: Principal, document_id: UUID) -> tuple[Document, str]:
        with self._transactions.owner(principal) as work:
            return work.documents.with_text(document_id)

    def chunks(self, principal: Principal, document_id: UUID) -> tuple[Document, int, list[Chunk]]:
        """The document, the revision that the vector store holds of it, and those chunks.

        A document that is not indexed yet has revision 0 and no chunks. Raises DependencyError
        when the vector store does not answer: "down" must not look like "no chunks".
        """
        document = self.get(principal, document_id)
        revision, chunks = self._vectors.chunks(principal.scope, document_id) or (0, [])
        return document, revision, chunks

    def change(
        self,
        principal: Principal,
        document_id: UUID,
        changes: DocumentChanges,
        if_match: IfMatch | None = None,
    ) -> Document:
        """Write what differs; a change that changes nothing leaves the revision alone.

        ``changes.metadata`` is a merge patch (RFC 7386) on the stored object.
        """
        with self._transactions.owner(principal) as work:
            current = work.documents.get(document_id, for_update=True)
            if if_match is not None:
                if_match.check(current.revision)
            if not isinstance(changes.metadata, Unset):
                changes = replace(changes, metadata=merged(current.metadata, changes.metadata))
            return _change(work, current, changes)

    def remove(
        self, principal: Principal, document_id: UUID, if_match: IfMatch | None = None
    ) -> None:
        """Gone from every answer when this returns; the vector store follows by tombstone."""
        with self._transactions.owner(principal) as work:
            current = work.documents.get(document_id, for_update=True)
            if if_match is not None:
                if_match.check(current.revision)
            work.documents.remove(document_id)
            work.index.bury(document_id)

    def wait_until_indexed(
        self, principal: Principal, document: Document, seconds: float
    ) -> Document:
        """The document as it was written, once that is indexed or parked, or after ``seconds``."""
        look = partial(self.get, principal, document.id)
        return self._waiting.until_indexed(document, look, seconds)

    def _put(
        self,
        principal: Principal,
        external_id: str,
        draft: DocumentDraft,
        if_match: IfMatch | None,
    ) -> Stored:
        with self._transactions.owner(principal) as work:
            current = work.documents.by_external_id(external_id)
            if if_match is not None:
                if_match.check(current.revision if current else None)
            if current is None:
                return Stored(_add(work, draft), "new")
            document = _change(work, current, _replacement(draft))
            same = document.revision == current.revision
            return Stored(document, "unchanged" if same else "replaced")


def _add(work: OwnerWork, draft: DocumentDraft) -> Document:
    document = work.documents.add(new_id(), draft)
    work.index.want(document.id, Kind.DOCUMENT, document.revision)
    return document


def _change(work: OwnerWork, current: Document, changes: DocumentChanges) -> Document:
    hashed = _hash_after(work, current, changes)
    content_changed = hashed != current.content_hash
    if not content_changed:
        changes = replace(changes, text=UNSET)
    if not content_changed and not _differs(current, changes):
        return current
    document = work.documents.change(
        current.id, changes, content_hash=hashed if content_changed else None
    )
    if not content_changed:
        return document
    work.index.want(document.id, Kind.DOCUMENT, document.revision)
    return work.documents.get(document.id)


def _hash_after(work: OwnerWork, current: Document, changes: DocumentChanges) -> bytes:
    if isinstance(changes.title, Unset) and isinstance(changes.text, Unset):
        return current.content_hash
    title = current.title if isinstance(changes.title, Unset) else changes.title
    text = work.documents.text(current.id) if isinstance(changes.text, Unset) else changes.text
    return content_hash(title, text)


def _differs(current: Document, changes: DocumentChanges) -> bool:
    return any(getattr(current, name) != value for name, value in changes.as_columns().items())


def _replacement(draft: DocumentDraft) -> DocumentChanges:
    return DocumentChanges(
        title=draft.title,
        text=draft.text,
        content_type=draft.content_type,
        byte_size=draft.byte_size,
        source=draft.source,
        tags=draft.tags,
        metadata=draft.metadata,
    )
