"""What a parser gives before anybody judges it.

Invariant: every parser takes bytes and a limit in characters, and gives ``Parsed`` or raises a
``RequestError``; any other exception means that the parser met what it cannot read.
"""

from __future__ import annotations

from dataclasses import dataclass

from atom_backend.extraction import refusals
from atom_backend.extraction.cleaning import tidy


@dataclass(frozen=True, slots=True)
class Parsed:
    """Clean text that is not empty, and the title that the document gives itself."""

    text: str
    title: str | None


def checked(text: str, title: str | None, *, max_chars: int, empty: str) -> Parsed:
    """``text`` made clean; ``empty`` is the advice to give where nothing is left.

    Raises TooLarge ``text_too_large`` and InvalidInput ``no_text``.
    """
    clean = tidy(text)
    if len(clean) > max_chars:
        raise refusals.too_much_text(max_chars)
    if not clean:
        raise refusals.no_text(empty)
    return Parsed(clean, title)
