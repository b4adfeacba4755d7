"""Facets: how many items there are of each kind, tag and month.

Counted is what a search chooses from: the owner's items that exist and satisfy its kinds and its
filter. The words of the question only say which of them come first: to a search by meaning every
item answers to some degree. Invariant: a number that is given is exact, and says how many results
there would be to choose from if its value were asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Facet(StrEnum):
    """By what is counted. ``MONTH``: of the item's own time or else of its creation, in UTC."""

    KIND = "kind"
    TAG = "tag"
    MONTH = "month"


MOST_VALUES = 200
"""Values of one facet in an answer."""


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A kind, a tag, or a month as in ``2030-01``, and how many items have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """The most frequent values first, months from the newest on; none that no item has.

    ``further``: how many values there are beyond these.
    """

    values: tuple[FacetValue, ...] = ()
    further: int = 0


Counts = Mapping[Facet, FacetCounts]
"""Those that were asked for."""
