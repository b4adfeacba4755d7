"""Reads HTML as Markdown: headings, lists, tables and links stay, scripts and styles go.

Invariant: no address of an image and no inline data gets into the text; alternative texts do.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, cast

from html_to_markdown import ConversionOptions, WarningKind, convert

from atom_backend.extraction import refusals
from atom_backend.extraction.parsed import Parsed, checked
from atom_backend.extraction.titles import first_heading, sensible

if TYPE_CHECKING:
    from html_to_markdown._html_to_markdown import HtmlVisitor, NodeContext

_TITLE_WITHIN = 65_536
_TITLE = re.compile(r"<title\b[^>]{0,500}>([^<]{0,2000})</title\s{0,10}>", re.I)
_TEXT_LOST = (WarningKind.DEPTH_LIMIT_EXCEEDED, WarningKind.TRUNCATED_INPUT)


class _AlternativeTexts:
    """Puts the words that stand for an image in its place."""

    def visit_image(
        self, _context: NodeContext, _src: str, alt: str, _title: str
    ) -> dict[str, str]:
        # The declared VisitResult is ignored by html-to-markdown 3.21; a dictionary is not.
        return {"type": "custom", "output": alt or ""}


def read(content: bytes, max_chars: int) -> Parsed:
    """``content`` is UTF-8, whatever a ``<meta>`` in it says.

    Raises InvalidInput (no text, limit) and TooLarge ``text_too_large``.
    """
    source = content.decode("utf-8")
    text = to_markdown(source)
    title = _page_title(source) or first_heading(text)
    return checked(text, title, max_chars=max_chars, empty="the page shows none without scripts")


def to_markdown(source: str) -> str:
    """Raises InvalidInput ``extraction_limit`` where the converter left something out."""
    options = ConversionOptions(
        extract_metadata=False,
        compact_tables=True,
        exclude_selectors=["iframe", "svg", "object", "embed", "canvas"],
    )
    result = convert(source, options, cast("HtmlVisitor", _AlternativeTexts()))
    if any(warning.kind in _TEXT_LOST for warning in result.warnings):
        raise refusals.limit("deeper nesting")
    return result.content or ""


def _page_title(source: str) -> str | None:
    found = _TITLE.search(source, 0, _TITLE_WITHIN)
    return sensible(html.unescape(found[1])) if found else None
