"""From what a request says about a document to the draft that the services take.

Invariant: a text that came as JSON is stored as given, to the code point.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from atom_backend.domain.documents import DocumentDraft
from atom_backend.http.idempotency import fingerprint
from atom_backend.http.resources.document_shapes import ContentUpload, DocumentContent
from atom_backend.services.uploads import Upload, Uploads


def draft_of(
    body: DocumentContent | ContentUpload, uploads: Uploads, external_id: str | None
) -> DocumentDraft:
    """The draft. Raises InvalidInput, UnsupportedMedia or TooLarge where a file gives no text."""
    if isinstance(body, ContentUpload):
        return uploads.draft(_upload(body, external_id))
    return DocumentDraft(
        title=body.title,
        text=body.text,
        content_type=body.content_type,
        byte_size=len(body.text.encode()),
        source=body.source,
        external_id=external_id,
        tags=body.tags,
        metadata=body.metadata,
    )


def fingerprint_of(body: DocumentContent | ContentUpload) -> bytes:
    """What identifies a create for its idempotency key: 32 bytes."""
    return fingerprint(_parts(body))


def _upload(body: ContentUpload, external_id: str | None) -> Upload:
    return Upload(
        content=body.file.content,
        name=body.file.name,
        title=body.title,
        source=body.source,
        external_id=external_id,
        tags=body.tags,
        metadata=body.metadata,
    )


def _parts(body: DocumentContent | ContentUpload) -> Iterator[bytes]:
    yield type(body).__name__.encode()
    described = body.model_dump(mode="json", exclude={"file"})
    yield json.dumps(described, sort_keys=True).encode()
    if isinstance(body, ContentUpload):
        yield (body.file.name or "").encode()
        yield body.file.content
