"""Documents: create, read, change, replace, remove, list."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response

from atom_backend.domain.documents import Document, DocumentChanges, DocumentListing
from atom_backend.domain.transactions import StoredResponse
from atom_backend.http import cursors
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.fields import Name
from atom_backend.http.idempotency import receipt, replay
from atom_backend.http.replies import json_reply, no_content, not_modified
from atom_backend.http.request_headers import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    PREFER_WAIT,
    etag,
)
from atom_backend.http.resources.document_drafts import draft_of, fingerprint_of
from atom_backend.http.resources.document_shapes import (
    ChunkAnswer,
    ChunksAnswer,
    ContentUpload,
    DocumentAnswer,
    DocumentContent,
    DocumentInput,
    DocumentPage,
    DocumentPatch,
    DocumentQuery,
    DocumentUpload,
    TextAnswer,
)

routes = Routes("documents", "Texts and files that can be found by searching.")

_ETAG = {"ETag": "The revision, for If-Match and If-None-Match."}
_APPLIED = {"Preference-Applied": "The wait that was granted."}
_CREATED = {"Location": "The address of the document.", **_ETAG, **_APPLIED}
_UNCHANGED = Answer(304, "The caller holds this revision already.", headers=_ETAG)


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
        return _reply(call, document, 201)

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
    "GET",
    "/v1/documents/by-external-id/{external_id}",
    Answer(200, "The document.", DocumentAnswer, headers=_ETAG),
    _UNCHANGED,
    headers=(IF_NONE_MATCH,),
)
def read_document_by_external_id(call: Call[None, None], external_id: Name) -> Response:
    """The document with this external identifier."""
    document = call.services.documents.get_by_external_id(call.principal, external_id)
    return not_modified(call, document.revision) or _reply(call, document)


@routes.add(
    "GET",
    "/v1/documents",
    Answer(
        200, "A page of documents.", DocumentPage, headers={"Link": "The next page (RFC 8288)."}
    ),
)
def list_documents(call: Call[DocumentQuery, None]) -> Response:
    """The documents, newest first."""
    query = call.query
    found = call.services.documents.listing(
        call.principal,
        DocumentListing(
            limit=query.limit + 1,
            after=cursors.read_item(query.cursor) if query.cursor else None,
            tag=query.tag,
            index_state=query.index_state,
            updated_since=query.updated_since,
        ),
    )
    items = found[: query.limit]
    cursor = cursors.after_item(items[-1].id) if len(found) > query.limit else None
    reply = json_reply(
        DocumentPage(items=[DocumentAnswer.of(d) for d in items], next_cursor=cursor)
    )
    if cursor:
        reply.headers["Link"] = f'<{_next_page(call, cursor)}>; rel="next"'
    return reply


@routes.add(
    "GET",
    "/v1/documents/{document_id}",
    Answer(200, "The document.", DocumentAnswer, headers=_ETAG),
    _UNCHANGED,
    headers=(IF_NONE_MATCH,),
)
def read_document(call: Call[None, None], document_id: UUID) -> Response:
    """A document, without its text."""
    document = call.services.documents.get(call.principal, document_id)
    return not_modified(call, document.revision) or _reply(call, document)


@routes.add(
    "PATCH",
    "/v1/documents/{document_id}",
    Answer(200, "The document after the change.", DocumentAnswer, headers={**_ETAG, **_APPLIED}),
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


@routes.add(
    "GET",
    "/v1/documents/{document_id}/text",
    Answer(200, "The whole text.", TextAnswer, headers=_ETAG),
    Answer(200, "The whole text.", str, "text/plain", headers=_ETAG),
    _UNCHANGED,
    headers=(IF_NONE_MATCH,),
)
def read_document_text(call: Call[None, None], document_id: UUID) -> Response:
    """The text of a document: as JSON, or alone with `Accept: text/plain`."""
    document, text = call.services.documents.text(call.principal, document_id)
    unchanged = not_modified(call, document.revision)
    if unchanged:
        return unchanged
    if call.accept.best_match(["application/json", "text/plain"]) == "text/plain":
        reply = Response(text, content_type="text/plain; charset=utf-8")
        reply.headers["ETag"] = etag(document.revision)
    else:
        answer = TextAnswer(id=document.id, revision=document.revision, text=text)
        reply = json_reply(answer, ETag=etag(document.revision))
    reply.vary.add("Accept")
    return reply


@routes.add(
    "GET",
    "/v1/documents/{document_id}/chunks",
    Answer(200, "The passages that are in the index now.", ChunksAnswer),
)
def read_document_chunks(call: Call[None, None], document_id: UUID) -> Response:
    """The passages of a document, as the index holds them."""
    _, revision, chunks = call.services.documents.chunks(call.principal, document_id)
    shown = [ChunkAnswer.of(chunk) for chunk in chunks]
    return json_reply(ChunksAnswer(id=document_id, revision=revision, chunks=shown))


def _after_waiting(call: Call[None, Any], document: Document, status: int) -> Response:
    """The answer to a write, held back until the document is indexed if the caller prefers so."""
    seconds = call.header(PREFER_WAIT)
    if seconds is None:
        return _reply(call, document, status)
    document = call.services.documents.wait_until_indexed(call.principal, document, seconds)
    reply = _reply(call, document, status)
    reply.headers["Preference-Applied"] = f"wait={seconds}"
    return reply


def _reply(call: Call[None, Any], document: Document, status: int = 200) -> Response:
    reply = json_reply(DocumentAnswer.of(document), status, ETag=etag(document.revision))
    if status == 201:
        reply.headers["Location"] = f"{call.root}/v1/documents/{document.id}"
    return reply


def _next_page(call: Call[DocumentQuery, None], cursor: str) -> str:
    given = call.query.model_dump(mode="json", exclude_defaults=True) | {"cursor": cursor}
    return f"{call.root}/v1/documents?{urlencode(given)}"
