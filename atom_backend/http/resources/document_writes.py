"""Writing documents: create, replace, change, remove."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from atom_backend.domain.documents import Document, DocumentChanges
from atom_backend.domain.transactions import StoredResponse
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.fields import Name
from atom_backend.http.idempotency import receipt, replay
from atom_backend.http.replies import no_content
from atom_backend.http.request_headers import IDEMPOTENCY_KEY, IF_MATCH, PREFER_WAIT
from atom_backend.http.resources.document_drafts import draft_of, fingerprint_of
from atom_backend.http.resources.document_replies import ABOUT, ETAG, document_reply
from atom_backend.http.resources.document_shapes import (
    ContentUpload,
    DocumentAnswer,
    DocumentContent,
    DocumentInput,
    DocumentPatch,
    DocumentUpload,
)

routes = Routes("documents", ABOUT)

_APPLIED = {"Preference-Applied": "The wait that was granted."}
_CREATED = {"Location": "The address of the document.", **ETAG, **_APPLIED}


@routes.add(
    "POST",
    "/v1/documents",
    Answer(201, "The stored document.", DocumentAnswer, headers=_CREATED),
    problems=(409,),
    headers=(IDEMPOTENCY_KEY, PREFER_WAIT),
)
def create_document(call: Call[None, DocumentInput | DocumentUpload]) -> Response:
    """Store a document, as JSON or as a file.

    409 `external_id_taken` when there is a document of that name; `existing_id` says which.
    """
    documents = call.services.documents
    draft = draft_of(call.body, call.services.uploads, call.body.external_id)

    def render(document: Document) -> Response:
        return document_reply(call, document, 201)

    outcome = documents.create(
        call.principal, draft, receipt(call, fingerprint_of(call.body), render)
    )
    if isinstance(outcome, StoredResponse):
        return replay(outcome)
    return _after_waiting(call, outcome, 201)


@routes.add(
    "PUT",
    "/v1/documents/by-external-id/{external_id}",
    Answer(200, "The document, replaced or already as given.", DocumentAnswer, headers=_CREATED),
    Answer(201, "The new document.", DocumentAnswer, headers=_CREATED),
    headers=(IF_MATCH, PREFER_WAIT),
)
def put_document(call: Call[None, DocumentContent | ContentUpload], external_id: Name) -> Response:
    """Create the document with this external identifier, or replace it.

    Sending the same content again changes nothing and costs no new index entry.
    """
    draft = draft_of(call.body, call.services.uploads, external_id)
    stored = call.services.documents.put(call.principal, external_id, draft, call.header(IF_MATCH))
    return _after_waiting(call, stored.document, 201 if stored.outcome == "new" else 200)


@routes.add(
    "PATCH",
    "/v1/documents/{document_id}",
    Answer(200, "The document after the change.", DocumentAnswer, headers={**ETAG, **_APPLIED}),
    problems=(409,),
    headers=(IF_MATCH, PREFER_WAIT),
)
def change_document(call: Call[None, DocumentPatch], document_id: UUID) -> Response:
    """Change a document by a JSON merge patch (RFC 7386)."""
    given: dict[str, Any] = {name: getattr(call.body, name) for name in call.body.model_fields_set}
    if "text" in given:
        given["byte_size"] = len(given["text"].encode())
    document = call.services.documents.change(
        call.principal,
        document_id,
        DocumentChanges(**given),
        call.header(IF_MATCH),
    )
    return _after_waiting(call, document, 200)


@routes.add(
    "DELETE",
    "/v1/documents/{document_id}",
    Answer(204, "It is gone from every answer."),
    headers=(IF_MATCH,),
)
def remove_document(call: Call[None, None], document_id: UUID) -> Response:
    """Remove a document for good."""
    call.services.documents.remove(call.principal, document_id, call.header(IF_MATCH))
    return no_content()


def _after_waiting(call: Call[None, Any], document: Document, status: int) -> Response:
    """The answer to a write, held back until the document is indexed if the caller prefers so."""
    seconds = call.header(PREFER_WAIT)
    if seconds is None:
        return document_reply(call, document, status)
    document = call.services.documents.wait_until_indexed(call.principal, document, seconds)
    reply = document_reply(call, document, status)
    reply.headers["Preference-Applied"] = f"wait={seconds}"
    return reply
