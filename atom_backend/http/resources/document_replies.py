"""How a document is answered: its shape, its ETag, and its address when it is new."""

from __future__ import annotations

from typing import Any

from flask import Response

from atom_backend.domain.documents import Document
from atom_backend.http.contract import Call
from atom_backend.http.replies import json_reply
from atom_backend.http.request_headers import etag
from atom_backend.http.resources.document_shapes import DocumentAnswer

ABOUT = "Texts and files that can be found by searching."
ETAG = {"ETag": "The revision, for If-Match and If-None-Match."}


def document_reply(call: Call[None, Any], document: Document, status: int = 200) -> Response:
    reply = json_reply(DocumentAnswer.of(document), status, ETag=etag(document.revision))
    if status == 201:
        reply.headers["Location"] = f"{call.root}/v1/documents/{document.id}"
    return reply
