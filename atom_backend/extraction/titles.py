"""Which words are fit to be the title of a document.

Invariant: a title is one line of 1 to 300 characters; what a program wrote for want of a title
("untitled", "Microsoft Word - draft.doc") counts as none.
"""

from __future__ import annotations

import re

from atom_backend.extraction.cleaning import tidy

MAX_CHARS = 300

_HEADING_WITHIN = 65_536
_LINE_CHARS = 4 * MAX_CHARS

_NO_TITLES = {"untitled", "(untitled)", "unspecified", "(anonymous)", "title", "none", "null"}
_NO_TITLES |= {"word document", "document", "untitled document", "powerpoint presentation"}
_FILE_NAME = re.compile(r"\.(?:pdf|docx?|rtf|odt|tex|dvi|ps|txt|md|html?|indd|pptx?|xlsx?)$", re.I)
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_ATX_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_SETEXT_LINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*")
_INLINE_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"[*_`]{1,3}(?=\S)(.+?)(?<=\S)[*_`]{1,3}")


def sensible(title: str | None) -> str | None:
    """``title`` as one clean line, or None where no person can have meant it."""
    line = " ".join(tidy((title or "")[:_LINE_CHARS]).split())[:MAX_CHARS].strip()
    if not re.search(r"\w", line) or line.lower() in _NO_TITLES or _FILE_NAME.search(line):
        return None
    return line


def from_name(name: str | None) -> str | None:
    """The file's name without folders and extension: the title of last resort."""
    base = re.split(r"[\\/]", name or "")[-1]
    return sensible(re.sub(r"(?<=.)\.\w{1,8}$", "", base))


def first_heading(markdown: str) -> str | None:
    """The first heading (CommonMark 0.31, sections 4.2 and 4.3) that is not inside a code fence.

    Only near the start: a heading further down names a part, not the document.
    """
    fence = ""
    before = ""
    for line in markdown[:_HEADING_WITHIN].split("\n"):
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence:
            found = _heading(line, before)
            if found:
                return found
        before = line if not fence and not mark else ""
    return None


def _heading(line: str, before: str) -> str | None:
    atx = _ATX_HEADING.fullmatch(line[:_LINE_CHARS])
    if atx:
        return sensible(_plain(atx[1]))
    if before.strip() and before[0].isalnum() and _SETEXT_LINE.fullmatch(line):
        return sensible(_plain(before))
    return None


def _plain(heading: str) -> str:
    """A heading without the marks of links and emphasis."""
    return _EMPHASIS.sub(r"\1", _INLINE_LINK.sub(r"\1", heading[:_LINE_CHARS]))
