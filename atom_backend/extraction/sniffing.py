"""Tells what a file is by its bytes.

The name of a file is a claim of its sender; it only settles what bytes cannot: whether text is
meant as Markdown.
Invariant: text types come with their decoded text, the others without.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from atom_backend.extraction import refusals
from atom_backend.extraction.decoding import decode
from atom_backend.extraction.media import DOCX, HTML, MARKDOWN, PDF, PLAIN_TEXT

_PDF_WITHIN = 1024  # ISO 32000-1, annex H, implementation note 13
_PDF_HEADER = re.compile(rb"%PDF-\d")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")

# What may stand before the first tag; bounded, so that no input makes the search slow.
_COMMENT = r"<!--(?:(?!-->)[\s\S]){0,2000}-->"
_PROLOGUE = rf"\s{{0,1000}}(?:(?:<\?xml[^>]{{0,200}}>|{_COMMENT})\s{{0,100}}){{0,5}}"
_HTML_PAGE = re.compile(_PROLOGUE + r"<(?:!doctype\s+html|html|head|body|title|meta)\b", re.I)
_HTML_PIECE = re.compile(
    _PROLOGUE + r"<(?:h[1-6]|p|div|span|table|ul|ol|dl|a|b|i|em|strong|br|hr|img|font|center"
    r"|style|script|iframe|section|article|main|header|nav|form|blockquote|pre)(?:\s[^>]*)?/?>",
    re.I,
)
_SIGN_WITHIN = 65_536
_MARKDOWN_SIGN = re.compile(
    r"^ {0,3}(?:#{1,6}[ \t]+\S|```|~~~|[-*+] \[[ xX]\] |\|? ?:?-{3,}:? ?\|)"
    r"|^(?=\S).{1,200}\n=={1,200}$|(?<!\w)\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)",
    re.MULTILINE,
)
_MARKDOWN_NAME = re.compile(r"\.(?:md|markdown|mdown|mkdn?|mdx)$", re.I)
_OTHER_NAME = re.compile(r"\.\w{1,8}$")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A content type of ``media``, and the text where the file is text."""

    content_type: str
    text: str | None


def sniff(content: bytes, name: str | None) -> Sniffed:
    """Raises UnsupportedMedia or InvalidInput for what cannot be read.

    A ZIP archive is reported as DOCX; whether it is one is for its parser to say.
    """
    if _is_pdf(content):
        return Sniffed(PDF, None)
    if content.startswith(_ZIP):
        return Sniffed(DOCX, None)
    if content.startswith(_OLE):
        raise _refuse_ole(content)
    if content.startswith(b"{\\rtf"):
        raise refusals.unsupported("an RTF file")
    text = decode(content)
    if not text.strip():
        raise refusals.no_text("it is empty")
    return Sniffed(_text_type(text, name), text)


def _is_pdf(content: bytes) -> bool:
    header = _PDF_HEADER.search(content, 0, _PDF_WITHIN)
    if header is None:
        return False
    # Prose may mention the header; only a PDF that lost its place also has objects.
    return not content[: header.start()].strip() or b"endobj" in content


def _refuse_ole(content: bytes) -> Exception:
    if _OLE_ENCRYPTED in content:
        return refusals.encrypted("Office")
    return refusals.unsupported("an Office file of the old binary format (.doc, .xls, .ppt)")


def _text_type(text: str, name: str | None) -> str:
    if _HTML_PAGE.match(text):
        return HTML
    signs = _MARKDOWN_SIGN.search(text, 0, _SIGN_WITHIN) is not None
    if _HTML_PIECE.match(text) and not signs:
        return HTML
    return _prose_type(signs, name or "")


def _prose_type(signs: bool, name: str) -> str:
    if _MARKDOWN_NAME.search(name):
        return MARKDOWN
    if _OTHER_NAME.search(name) or not signs:
        return PLAIN_TEXT
    return MARKDOWN
