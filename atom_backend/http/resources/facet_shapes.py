"""How counts by facet are answered."""

from __future__ import annotations

from pydantic import BaseModel

from atom_backend.domain.facets import Counts, Facet, FacetCounts


class FacetValueAnswer(BaseModel):
    """A kind, a tag or a month (`2030-01`), and how many items have it."""

    value: str
    count: int


class FacetAnswer(BaseModel):
    """The most frequent values first, months from the newest on.

    `further`: how many values there are beyond these; mostly 0.
    """

    values: list[FacetValueAnswer]
    further: int

    @classmethod
    def of(cls, counts: FacetCounts) -> FacetAnswer:
        values = [FacetValueAnswer(value=one.value, count=one.count) for one in counts.values]
        return cls(values=values, further=counts.further)


class FacetsAnswer(BaseModel):
    """Exact counts of all items that satisfy `kinds` and `filter`; null where not asked for.

    What is asked decides which of these come first, and not how many they are. `month`: that of
    the item's own time, or else of its creation, in UTC.
    """

    kind: FacetAnswer | None
    tag: FacetAnswer | None
    month: FacetAnswer | None

    @classmethod
    def of(cls, counts: Counts) -> FacetsAnswer:
        said = {facet: FacetAnswer.of(counts[facet]) for facet in counts}
        return cls(**{facet.value: said.get(facet) for facet in Facet})
