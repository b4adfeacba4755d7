"""How what was found is answered: each with the item itself, under its kind's name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from atom_backend.domain.items import Kind, Span
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.search import Passage, SearchResult
from atom_backend.domain.similar import SimilarItem
from atom_backend.http.resources.record_shapes import model_of
from atom_backend.http.resources.records import SHAPES


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


class ItemAnswer(BaseModel):
    """One item. Under the name of its kind stands the item itself, as lists of its kind show it;
    the others are null. `stale`: it was found by an older text than today's.
    """

    item_id: UUID
    kind: Kind
    title: str
    score: float
    revision: int
    stale: bool | None


class FoundAnswer(ItemAnswer):
    """One item: its best passage, further ones, and every highlight of them in the item's text.

    Under the name of its kind stands the item itself, as lists of its kind show it; the others
    are null. `enriched`: PostgreSQL confirmed that the item exists. Where it could not be asked,
    the item and `stale` are null, and it may have been deleted or rewritten since it was indexed.
    `stale`: it was found by an older text than today's.
    """

    enriched: bool
    chunk: PassageAnswer
    chunks: list[PassageAnswer]
    highlights: tuple[Span, ...]


_ITSELF: dict[str, Any] = {str(kind): (shapes.brief | None, ...) for kind, shapes in SHAPES.items()}
ResultAnswer = model_of("ResultAnswer", FoundAnswer, _ITSELF, FoundAnswer.__doc__ or "")
SimilarItemAnswer = model_of("SimilarItemAnswer", ItemAnswer, _ITSELF, ItemAnswer.__doc__ or "")


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
        **_itself(result.kind, result.stored),
    )


def similar_item_answer(item: SimilarItem) -> ItemAnswer:
    """How one item that is similar is answered."""
    return SimilarItemAnswer(
        item_id=item.stored.id,
        kind=item.kind,
        title=item.stored.title,
        score=item.score,
        revision=item.stored.revision,
        stale=item.stale,
        **_itself(item.kind, item.stored),
    )


def _itself(kind: Kind, stored: Record | None) -> dict[str, Any]:
    shown: dict[str, Any] = dict.fromkeys(SHAPES)
    if stored is not None:
        shown[kind] = SHAPES[kind].show_brief(stored)
    return shown
