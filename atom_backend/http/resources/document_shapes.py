"""What requests about documents say, and what they are answered."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from atom_backend.domain.documents import Document
from atom_backend.domain.index_state import IndexState
from atom_backend.domain.items import Chunk
from atom_backend.http.bodies import JsonBody, MergePatch
from atom_backend.http.fields import (
    Cursor,
    Integer,
    Metadata,
    Moment,
    Name,
    Tag,
    Tags,
    Text,
    Title,
    optional,
)
from atom_backend.http.forms import FormBody, FormMetadata, FormTags, UploadedFile
from atom_backend.http.limits import PAGE_DEFAULT, PAGE_LARGEST
from atom_backend.http.queries import Parameters


class TextType(StrEnum):
    """What the text of a JSON document is written in; it is stored as given."""

    PLAIN = "text/plain"
    MARKDOWN = "text/markdown"
    HTML = "text/html"


class DocumentContent(JsonBody):
    """A document whose external identifier stands in the address."""

    large: ClassVar[bool] = True
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Team retreat",
                    "text": "We meet in Lisbon on 3 May. Flights are booked.",
                    "tags": ["travel"],
                    "metadata": {"project": "retreat"},
                }
            ]
        }
    )

    title: Title
    text: Text
    content_type: TextType = TextType.PLAIN
    source: Name | None = None
    tags: Tags = ()
    metadata: Metadata = Field(default_factory=dict)


class DocumentInput(DocumentContent):
    """A document to store. `external_id` is its name in the system that it comes from."""

    external_id: Name | None = None


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


class DocumentPatch(MergePatch):
    """A change of a document; `metadata` is merged with what is stored, name by name."""

    large: ClassVar[bool] = True
    model_config = ConfigDict(json_schema_extra={"examples": [{"tags": ["travel", "2030"]}]})

    title: Title = optional()
    text: Text = optional()
    content_type: TextType = optional()
    source: Name | None = optional()
    external_id: Name | None = optional()
    tags: Tags = optional()
    metadata: dict[str, Any] = optional()


class DocumentQuery(Parameters):
    """Which documents to list."""

    cursor: Cursor | None = None
    limit: Integer = Field(PAGE_DEFAULT, ge=1, le=PAGE_LARGEST)
    tag: Tag | None = None
    index_state: IndexState | None = None
    updated_since: Moment | None = None


class DocumentAnswer(BaseModel):
    """A document without its text. `byte_size` counts the content as it was given."""

    id: UUID
    revision: int
    title: str
    content_type: str
    byte_size: int
    source: str | None
    external_id: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    index_state: IndexState
    index_reason: str | None
    chunk_count: int
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, document: Document) -> DocumentAnswer:
        return cls(**{name: getattr(document, name) for name in cls.model_fields})


class DocumentPage(BaseModel):
    """Documents, newest first; `next_cursor` is null on the last page."""

    items: list[DocumentAnswer]
    next_cursor: str | None


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
