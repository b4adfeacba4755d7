"""What documents say: the whole text, and the passages of it that are in the index."""

from __future__ import annotations

from uuid import UUID

from flask import Response
from pydantic import BaseModel

from atom_backend.domain.items import Chunk
from atom_backend.domain.permissions import Scope
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.replies import json_reply, not_modified
from atom_backend.http.request_headers import IF_NONE_MATCH, etag

routes = Routes(DOCUMENTS.name, DOCUMENTS.about)

_ETAG = {"ETag": "The revision, for If-Match and If-None-Match."}


class TextAnswer(BaseModel):
    """The whole text of a document; offsets count code points in it."""

    id: UUID
    revision: int
    text: str


class ChunkAnswer(BaseModel):
    """A passage: `text` is the document's text from `start` up to `end`."""

    ordinal: int
    start: int
    end: int
    text: str

    @classmethod
    def of(cls, chunk: Chunk) -> ChunkAnswer:
        return cls(ordinal=chunk.ordinal, start=chunk.start, end=chunk.end, text=chunk.text)


class ChunksAnswer(BaseModel):
    """A document as the index holds it; `revision` is 0 before it is first indexed."""

    id: UUID
    revision: int
    chunks: list[ChunkAnswer]


@routes.add(
    "GET",
    "/v1/documents/{item_id}/text",
    Answer(200, "The whole text.", TextAnswer, headers=_ETAG),
    Answer(200, "The whole text.", str, "text/plain", headers=_ETAG),
    Answer(304, "The caller holds this revision already.", headers=_ETAG),
    needs=Scope.RECORDS_READ,
    headers=(IF_NONE_MATCH,),
)
def read_document_text(call: Call[None, None], item_id: UUID) -> Response:
    """The text of a document: as JSON, or alone with `Accept: text/plain`."""
    document = call.services.records.whole(call.principal, DOCUMENTS, item_id)
    unchanged = not_modified(call, document.revision)
    if unchanged:
        return unchanged
    text = document.values["text"]
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
    "/v1/documents/{item_id}/chunks",
    Answer(200, "The passages that are in the index now.", ChunksAnswer),
    needs=Scope.RECORDS_READ,
)
def read_document_chunks(call: Call[None, None], item_id: UUID) -> Response:
    """The passages of a document, as the index holds them."""
    revision, chunks = call.services.chunks.of(call.principal, DOCUMENTS, item_id)
    shown = [ChunkAnswer.of(chunk) for chunk in chunks]
    return json_reply(ChunksAnswer(id=item_id, revision=revision, chunks=shown))
