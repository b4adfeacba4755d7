"""Reads the text of a PDF with PDFium, page by page.

Invariant: pages are separated by a blank line; no more than a page is read beyond the limit.
"""

from __future__ import annotations

import re
from contextlib import closing

import pypdfium2 as pdfium
from pypdfium2 import raw

from atom_backend.extraction import refusals
from atom_backend.extraction.cleaning import unix_lines
from atom_backend.extraction.parsed import Parsed, checked
from atom_backend.extraction.titles import sensible

# PDFium writes U+0002 (some builds: U+FFFE) for a hyphen that ends a line, and drops the break.
_LINE_HYPHEN = re.compile("(?<=([^\\W\\d_]))[\x02\ufffe](?=([^\\W\\d_]))")
_PASSWORD_ERRORS = {raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY}


def read(content: bytes, max_chars: int) -> Parsed:
    """Raises InvalidInput (encrypted, malformed, no text) and TooLarge ``text_too_large``."""
    try:
        with closing(pdfium.PdfDocument(content)) as document:
            text = _all_pages(document, max_chars)
            title = sensible(document.get_metadata_value("Title"))
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) in _PASSWORD_ERRORS:
            raise refusals.encrypted("PDF") from error
        raise refusals.malformed("PDF") from error
    advice = "if it was scanned, run text recognition (OCR) on it first"
    return checked(text, title, max_chars=max_chars, empty=advice)


def _all_pages(document: pdfium.PdfDocument, max_chars: int) -> str:
    pages: list[str] = []
    total = 0
    for index in range(len(document)):
        pages.append(_page_text(document, index))
        total += len(pages[-1])
        if total > max_chars:
            raise refusals.too_much_text(max_chars)
    return "\n\n".join(page for page in pages if page)


def _page_text(document: pdfium.PdfDocument, index: int) -> str:
    with closing(document[index]) as page, closing(page.get_textpage()) as text_page:
        return _join_words(unix_lines(text_page.get_text_bounded())).strip()


def _join_words(text: str) -> str:
    return _LINE_HYPHEN.sub(_hyphen, text)


def _hyphen(found: re.Match[str]) -> str:
    """Nothing within a word; a hyphen where one was written ("Schwarz-Weiß")."""
    before, after = found[1], found[2]
    return "" if after.islower() or (before.isupper() and after.isupper()) else "-"
