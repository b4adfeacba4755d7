"""Documents over REST where they differ from other resources: they may come as files.

Invariant: a text that came as JSON is stored as given, to the code point.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from atom_backend.domain.resources.rules import Values
from atom_backend.http.contract import Call
from atom_backend.http.fields import Name, Title
from atom_backend.http.forms import FormBody, FormMetadata, FormTags, UploadedFile
from atom_backend.http.idempotency import fingerprint
from atom_backend.http.resources.record_face import Face


class ContentUpload(FormBody):
    """A file (PDF, DOCX, HTML, Markdown, text) whose external identifier stands in the address.

    Without a title, the file's own title or its name is taken.
    """

    file: UploadedFile
    title: Title | None = None
    source: Name | None = None
    tags: FormTags = ()
    metadata: FormMetadata = Field(default_factory=dict)


class DocumentUpload(ContentUpload):
    """A file (PDF, DOCX, HTML, Markdown, text) to store. Tags: repeated, or between commas."""

    external_id: Name | None = None


class DocumentFace(Face):
    """The handlers of documents."""

    @property
    def input(self) -> Any:
        return self.shapes.input | DocumentUpload

    @property
    def content(self) -> Any:
        return self.shapes.content | ContentUpload

    def given(self, call: Call[Any, Any]) -> Values:
        body = call.body
        if not isinstance(body, ContentUpload):
            return super().given(call)
        described = body.model_dump(exclude={"file"})
        return call.services.uploads.read(body.file.content, body.file.name, described)

    def fingerprint(self, body: Any) -> bytes:
        if not isinstance(body, ContentUpload):
            return super().fingerprint(body)
        described = json.dumps(body.model_dump(mode="json", exclude={"file"}), sort_keys=True)
        name = (body.file.name or "").encode()
        return fingerprint([b"file", described.encode(), name, body.file.content])
