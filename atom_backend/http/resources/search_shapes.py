"""What searches ask, and what they are answered."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from atom_backend.domain.facets import Facet
from atom_backend.domain.items import Kind
from atom_backend.domain.search import (
    Degraded,
    Leg,
    SearchFilter,
    SearchMode,
    SearchRequest,
)
from atom_backend.domain.similar import SimilarRequest
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
from atom_backend.http.resources.facet_shapes import FacetsAnswer
from atom_backend.http.resources.result_shapes import ResultAnswer, SimilarItemAnswer


class FilterInput(JsonBody):
    """Which items may be found; every given condition must hold.

    `tags`: the item has all of them. `metadata`: the item's metadata contains this object.
    `happens_after`, `happens_before`: the item's own time, such as that at which a task is due; of
    an event all the time from its first beginning to its last end. `..._after` is inclusive,
    `..._before` exclusive.
    """

    tags: Tags = ()
    source: Name | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    happens_after: Moment | None = None
    happens_before: Moment | None = None
    metadata: Metadata = Field(default_factory=dict)

    def conditions(self) -> SearchFilter:
        return SearchFilter(
            tags=self.tags,
            source=self.source,
            created_after=self.created_after,
            created_before=self.created_before,
            happens_after=self.happens_after,
            happens_before=self.happens_before,
            metadata=self.metadata,
        )


class SearchInput(JsonBody):
    """A question. `chunks` is how many passages to show of each item; `facets` what to count by."""

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
    facets: tuple[Facet, ...] = ()
    cursor: Cursor | None = None

    def question(self) -> SearchInput:
        """What decides which results there are, and in which order; a cursor belongs to this."""
        shown = {"limit": 1, "include_text": True, "chunks": 1, "facets": (), "cursor": None}
        return self.model_copy(update={**shown, "kinds": tuple(sorted(set(self.kinds)))})

    def request(self, offset: int) -> SearchRequest:
        """The page of results that begins at ``offset``."""
        return SearchRequest(
            query=self.query,
            limit=self.limit,
            mode=self.mode,
            kinds=frozenset(self.kinds),
            filter=self.filter.conditions(),
            min_score=self.min_score,
            include_text=self.include_text,
            chunks=self.chunks,
            offset=offset,
            facets=frozenset(self.facets),
        )


class ItemsQuery(Parameters):
    """Which items may be found, as parameters; `tag` and `kinds` may be repeated."""

    limit: Integer = Field(RESULTS_DEFAULT, ge=1, le=RESULTS_LARGEST)
    kinds: tuple[Kind, ...] = ()
    tag: Tags = ()
    source: Name | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    happens_after: Moment | None = None
    happens_before: Moment | None = None
    min_score: Number | None = None

    def conditions(self) -> FilterInput:
        """The same as a body would give them."""
        return FilterInput.model_construct(
            tags=self.tag,
            source=self.source,
            created_after=self.created_after,
            created_before=self.created_before,
            happens_after=self.happens_after,
            happens_before=self.happens_before,
        )


class SimilarQuery(ItemsQuery):
    """What of similar items to give."""

    def request(self) -> SimilarRequest:
        return SimilarRequest(
            limit=self.limit,
            kinds=frozenset(self.kinds),
            filter=self.conditions().conditions(),
            min_score=self.min_score,
        )


class SearchQuery(ItemsQuery):
    """The same as parameters; `tag`, `kinds` and `facets` may be repeated."""

    q: Question
    mode: SearchMode = SearchMode.HYBRID
    include_text: Truth = True
    chunks: Integer = Field(1, ge=1, le=PASSAGES_LARGEST)
    facets: tuple[Facet, ...] = ()
    cursor: Cursor | None = None

    def as_input(self) -> SearchInput:
        """The same question as a body would ask it."""
        return SearchInput.model_construct(
            query=self.q,
            limit=self.limit,
            mode=self.mode,
            kinds=self.kinds,
            filter=self.conditions(),
            min_score=self.min_score,
            include_text=self.include_text,
            chunks=self.chunks,
            facets=self.facets,
            cursor=self.cursor,
        )


class SearchAnswer(BaseModel):
    """A page of results, best first. `legs` ran; `degraded` says what was missing, if anything.

    `facets` is null where none were asked for, and while PostgreSQL does not answer.
    """

    results: list[ResultAnswer]  # type: ignore[valid-type]
    legs: list[Leg]
    degraded: list[Degraded]
    facets: FacetsAnswer | None
    next_cursor: str | None
    took_ms: float


class SimilarAnswer(BaseModel):
    """The nearest items, best first; `score` is the cosine similarity.

    `stale`: the item that was asked about was compared by an older text than today's.
    """

    results: list[SimilarItemAnswer]  # type: ignore[valid-type]
    stale: bool
    took_ms: float
