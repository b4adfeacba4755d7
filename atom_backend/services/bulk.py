"""Bulk ingest: many drafts, each its own transaction, answered one by one in order.

Invariant: one bad draft fails alone. A draft with an external identifier creates or replaces, so
that an interrupted bulk load is simply sent again.
"""

from __future__ import annotations

from atom_backend.domain.documents import DocumentDraft
from atom_backend.domain.principals import Principal
from atom_backend.domain.transactions import StoredResponse
from atom_backend.services.documents import DocumentService, Stored


class BulkIngest:
    """Takes drafts one at a time."""

    def __init__(self, documents: DocumentService) -> None:
        self._documents = documents

    def ingest(self, principal: Principal, draft: DocumentDraft) -> Stored:
        """The stored document, and whether it is new, replaced or unchanged."""
        if draft.external_id is not None:
            return self._documents.put(principal, draft.external_id, draft)
        document = self._documents.create(principal, draft)
        assert not isinstance(document, StoredResponse)
        return Stored(document, "new")
