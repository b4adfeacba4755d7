"""Reading documents: one, a page of them, a text, its passages."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from flask import Response

from atom_backend.domain.documents import DocumentListing
from atom_backend.http import cursors
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.fields import Name
from atom_backend.http.replies import json_reply, not_modified
from atom_backend.http.request_headers import IF_NONE_MATCH, etag
from atom_backend.http.resources.document_replies import ABOUT, ETAG, document_reply
from atom_backend.http.resources.document_shapes import (
    ChunkAnswer,
    ChunksAnswer,
    DocumentAnswer,
    DocumentPage,
    DocumentQuery,
    TextAnswer,
)

routes = Routes("documents", ABOUT)

_UNCHANGED = Answer(304, "The caller holds this revision already.", headers=ETAG)


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
            after=None if query.cursor is None else cursors.read_item(query.cursor),
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
    Answer(200, "The document.", DocumentAnswer, headers=ETAG),
    _UNCHANGED,
    headers=(IF_NONE_MATCH,),
)
def read_document(call: Call[None, None], document_id: UUID) -> Response:
    """A document, without its text."""
    document = call.services.documents.get(call.principal, document_id)
    return not_modified(call, document.revision) or document_reply(call, document)


@routes.add(
    "GET",
    "/v1/documents/by-external-id/{external_id}",
    Answer(200, "The document.", DocumentAnswer, headers=ETAG),
    _UNCHANGED,
    headers=(IF_NONE_MATCH,),
)
def read_document_by_external_id(call: Call[None, None], external_id: Name) -> Response:
    """The document with this external identifier."""
    document = call.services.documents.get_by_external_id(call.principal, external_id)
    return not_modified(call, document.revision) or document_reply(call, document)


@routes.add(
    "GET",
    "/v1/documents/{document_id}/text",
    Answer(200, "The whole text.", TextAnswer, headers=ETAG),
    Answer(200, "The whole text.", str, "text/plain", headers=ETAG),
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


def _next_page(call: Call[DocumentQuery, None], cursor: str) -> str:
    given = call.query.model_dump(mode="json", exclude_defaults=True) | {"cursor": cursor}
    return f"{call.root}/v1/documents?{urlencode(given)}"
