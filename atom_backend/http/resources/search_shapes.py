"""What searches ask, and what they are answered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from atom_backend.domain.documents import Document
from atom_backend.domain.items import Kind, Span
from atom_backend.domain.search import (
    Degraded,
    Leg,
    Passage,
    SearchFilter,
    SearchMode,
    SearchRequest,
    SearchResult,
)
from atom_backend.http.bodies import JsonBody
from atom_backend.http.fields import (
    Cursor,
    Integer,
    Metadata,
    Moment,
    Name,
    Number,
    Question,
    Tags,
    Truth,
)
from atom_backend.http.limits import PASSAGES_LARGEST, RESULTS_DEFAULT, RESULTS_LARGEST
from atom_backend.http.queries import Parameters
from atom_backend.http.resources.document_shapes import DocumentAnswer
from atom_backend.http.resources.record_shapes import model_of
from atom_backend.http.resources.records import SHAPES


class FilterInput(JsonBody):
    """Which items may be found; every given condition must hold.

    `tags`: the item has all of them. `metadata`: the item's metadata contains this object.
    `happens_after`, `happens_before`: the item's own time, such as that at which a task is due.
    `..._after` is inclusive, `..._before` exclusive.
    """

    tags: Tags = ()
    source: Name | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    happens_after: Moment | None = None
    happens_before: Moment | None = None
    metadata: Metadata = Field(default_factory=dict)


class SearchInput(JsonBody):
    """A question. `chunks` is how many passages to show of each item."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"query": "where do we meet in spring", "filter": {"tags": ["travel"]}}]
        }
    )

    query: Question
    limit: Integer = Field(RESULTS_DEFAULT, ge=1, le=RESULTS_LARGEST)
    mode: SearchMode = SearchMode.HYBRID
    kinds: tuple[Kind, ...] = ()
    filter: FilterInput = FilterInput()
    min_score: Number | None = None
    include_text: bool = True
    chunks: Integer = Field(1, ge=1, le=PASSAGES_LARGEST)
    cursor: Cursor | None = None

    def question(self) -> SearchInput:
        """What decides which results there are, and in which order; a cursor belongs to this."""
        shown = {"limit": 1, "include_text": True, "chunks": 1, "cursor": None}
        return self.model_copy(update={**shown, "kinds": tuple(sorted(set(self.kinds)))})

    def request(self, offset: int) -> SearchRequest:
        """The page of results that begins at ``offset``."""
        conditions = self.filter
        return SearchRequest(
            query=self.query,
            limit=self.limit,
            mode=self.mode,
            kinds=frozenset(self.kinds),
            filter=SearchFilter(
                tags=conditions.tags,
                source=conditions.source,
                created_after=conditions.created_after,
                created_before=conditions.created_before,
                happens_after=conditions.happens_after,
                happens_before=conditions.happens_before,
                metadata=conditions.metadata,
            ),
            min_score=self.min_score,
            include_text=self.include_text,
            chunks=self.chunks,
            offset=offset,
        )


class SearchQuery(Parameters):
    """The same as parameters; `tag` and `kinds` may be repeated."""

    q: Question
    limit: Integer = Field(RESULTS_DEFAULT, ge=1, le=RESULTS_LARGEST)
    mode: SearchMode = SearchMode.HYBRID
    kinds: tuple[Kind, ...] = ()
    tag: Tags = ()
    source: Name | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    happens_after: Moment | None = None
    happens_before: Moment | None = None
    min_score: Number | None = None
    include_text: Truth = True
    chunks: Integer = Field(1, ge=1, le=PASSAGES_LARGEST)
    cursor: Cursor | None = None

    def as_input(self) -> SearchInput:
        """The same question as a body would ask it."""
        return SearchInput.model_construct(
            query=self.q,
            limit=self.limit,
            mode=self.mode,
            kinds=self.kinds,
            filter=FilterInput.model_construct(
                tags=self.tag,
                source=self.source,
                created_after=self.created_after,
                created_before=self.created_before,
                happens_after=self.happens_after,
                happens_before=self.happens_before,
            ),
            min_score=self.min_score,
            include_text=self.include_text,
            chunks=self.chunks,
            cursor=self.cursor,
        )


class PassageAnswer(BaseModel):
    """A part of the item's text; `text` is null where it was not asked for."""

    text: str | None
    start: int
    end: int
    ordinal: int | None
    highlights: tuple[Span, ...]

    @classmethod
    def of(cls, passage: Passage) -> PassageAnswer:
        return cls(
            text=passage.text,
            start=passage.start,
            end=passage.end,
            ordinal=passage.ordinal,
            highlights=passage.highlights,
        )


class FoundAnswer(BaseModel):
    """One item: its best passage, further ones, and every highlight of them in the item's text.

    Under the name of its kind stands the item itself, as its own address answers it; the others
    are null. `enriched`: PostgreSQL confirmed that the item exists. Where it could not be asked,
    the item and `stale` are null, and it may have been deleted or rewritten since it was indexed.
    `stale`: it was found by an older text than today's.
    """

    item_id: UUID
    kind: Kind
    title: str
    score: float
    revision: int
    enriched: bool
    stale: bool | None
    chunk: PassageAnswer
    chunks: list[PassageAnswer]
    highlights: tuple[Span, ...]
    document: DocumentAnswer | None


ResultAnswer = model_of(
    "ResultAnswer",
    FoundAnswer,
    {str(kind): (shapes.answer | None, None) for kind, shapes in SHAPES.items()},
    FoundAnswer.__doc__ or "",
)


def result_answer(result: SearchResult) -> FoundAnswer:
    """How one result is answered."""
    marks = {span for passage in result.passages for span in passage.highlights}
    best, *further = [PassageAnswer.of(passage) for passage in result.passages]
    return ResultAnswer(
        item_id=result.item_id,
        kind=result.kind,
        title=result.title,
        score=result.score,
        revision=result.revision,
        enriched=result.enriched,
        stale=result.stale,
        chunk=best,
        chunks=further,
        highlights=tuple(sorted(marks, key=lambda span: (span.start, span.end))),
        **_shown(result),
    )


def _shown(result: SearchResult) -> dict[str, Any]:
    if isinstance(result.stored, Document):
        return {"document": DocumentAnswer.of(result.stored)}
    if result.stored is None:
        return {"document": None}
    return {"document": None, result.kind: SHAPES[result.kind].show(result.stored)}


class SearchAnswer(BaseModel):
    """A page of results, best first. `legs` ran; `degraded` says what was missing, if anything."""

    results: list[ResultAnswer]  # type: ignore[valid-type]
    legs: list[Leg]
    degraded: list[Degraded]
    next_cursor: str | None
    took_ms: float
