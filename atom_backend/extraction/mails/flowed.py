"""Joins the lines of ``text/plain; format=flowed`` into paragraphs (RFC 3676, section 4).

Invariant: no word is lost or joined to another, except where DelSp says so.
"""

from __future__ import annotations

_SIGNATURE = "-- "
_MAX_QUOTES = 100
"""Levels of quotation that are told apart: each costs characters on every line."""


def unflowed(text: str, *, delsp: bool = False) -> str:
    """``text`` has LF line ends; ``delsp`` drops the space that marks a line as flowed.

    Quoted paragraphs begin with as many ">" as they have levels, and a space.
    """
    paragraphs: list[str] = []
    open_lines: list[str] = []
    open_depth = 0
    for line in text.split("\n"):
        depth, content = _unquoted(line)
        if open_lines and (depth != open_depth or content == _SIGNATURE):
            # A flowed line that the next one does not go on (section 4.5).
            paragraphs.append(_paragraph(open_depth, open_lines))
            open_lines = []
        open_depth = depth
        flows = content.endswith(" ") and content != _SIGNATURE
        open_lines.append(content[:-1] if flows and delsp else content)
        if not flows:
            paragraphs.append(_paragraph(depth, open_lines))
            open_lines = []
    if open_lines:
        paragraphs.append(_paragraph(open_depth, open_lines))
    return "\n".join(paragraphs)


def _unquoted(line: str) -> tuple[int, str]:
    """The level of quotation, and the line without its marks and its space-stuffing."""
    content = line.lstrip(">")
    depth = len(line) - len(content)
    return min(depth, _MAX_QUOTES), content.removeprefix(" ")


def _paragraph(depth: int, lines: list[str]) -> str:
    text = "".join(lines)
    return f"{'>' * depth} {text}" if depth else text
