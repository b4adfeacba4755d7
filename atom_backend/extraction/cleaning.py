"""Makes the text that a parser gives storable and pleasant to read.

Only for what a parser composed (PDF, DOCX, HTML); text that a person wrote as text is never
altered beyond its line ends.
Invariant: the result holds no control character but tab and line feed, no surrogate, no
noncharacter that a parser uses as a mark, no run of blank lines and no space at a line's end.
"""

from __future__ import annotations

import re

_SEPARATORS = re.compile("[\f\v\x1c-\x1f\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x9f]+")
_UNSTORABLE = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\ufeff]")
_SOFT_HYPHEN_AT_LINE_END = re.compile("\u00ad[ \t]*\n[ \t]*")
_TRAILING_SPACE = re.compile(r"(?<![ \t])[ \t]+$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")


def unix_lines(text: str) -> str:
    """CRLF becomes LF; nothing else changes."""
    return text.replace("\r\n", "\n")


def tidy(text: str) -> str:
    text = _SEPARATORS.sub("\n", unix_lines(text).replace("\r", "\n"))
    text = _SOFT_HYPHEN_AT_LINE_END.sub("", text).replace("\u00ad", "")
    # A control character often stands for a glyph that could not be named: a space keeps the
    # words on both sides apart.
    text = _UNSTORABLE.sub("", _CONTROLS.sub(" ", text))
    return _BLANK_LINES.sub("\n\n", _TRAILING_SPACE.sub("", text)).strip()
