"""Cuts an mbox file of any size into its messages (RFC 4155, and the dialects mboxo and mboxrd).

A line that begins with "From " is a separator where a header field follows and it either stands
after a blank line or has a time and a year. Content-Length is not believed.
Invariant: every byte of the file but separators, the blank line before each and one ">" of an
escaped "From " belongs to exactly one message, except what a message has beyond ``max_bytes``;
memory is bounded by twice that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from atom_backend.domain.messaging.mail import MboxMessage
from atom_backend.extraction.mails.mime import MAX_BYTES

MAX_LINE_BYTES: Final = 65_536
"""Longer lines are read in pieces."""

_FROM = b"From "
_ESCAPED = re.compile(rb">+From ")
_TIME = re.compile(rb"\d:\d\d")
_YEAR = re.compile(rb"\b(?:19|20)\d\d\b")
_SEPARATOR_BYTES = 512
_FIELD = re.compile(rb"[!-9;-~]{1,100}[ \t]*:|>From ")
_KNOWN_FIELD = re.compile(
    rb"(?:return-path|received|delivered-to|from|to|cc|subject|date|message-id|sender|reply-to"
    rb"|mime-version|content-type|status|x-[!-9;-~]{1,100})[ \t]*:",
    re.I,
)
_BLANKS = (b"\n", b"\r\n")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with its end, or a piece of one that is too long to be read at once."""

    content: bytes
    offset: int
    is_start: bool

    @property
    def is_blank(self) -> bool:
        return self.is_start and self.content in _BLANKS


class _Collected:
    """The message that is being read."""

    def __init__(self, number: int, offset: int, max_bytes: int, *, damaged: bool) -> None:
        self.number = number
        self._offset = offset
        self._max_bytes = max_bytes
        self._damaged = damaged
        self._content = bytearray()
        self._cut = False

    def add(self, line: _Line) -> None:
        content = line.content
        if line.is_start and _ESCAPED.match(content):
            content = content[1:]
        room = self._max_bytes - len(self._content)
        self._content += content[:room]
        self._cut = self._cut or len(content) > room

    def finished(self) -> MboxMessage:
        if not self._cut:
            self._drop_last_blank()
        return MboxMessage(
            self.number, self._offset, bytes(self._content), self._cut, self._damaged
        )

    def _drop_last_blank(self) -> None:
        """The blank line that ends a message in an mbox is not its own."""
        for blank in (b"\r\n", b"\n"):
            if bytes(self._content[-3:]) == blank or self._content.endswith(b"\n" + blank):
                del self._content[-len(blank) :]
                return


def messages(stream: BinaryIO, *, max_bytes: int = MAX_BYTES) -> Iterator[MboxMessage]:
    """The messages in their order, each as bytes without its separator line.

    ``stream`` is read once, from where it stands. What comes before the first separator is a
    message of its own, marked as damaged; blank lines there are passed over.
    """
    current: _Collected | None = None
    after_blank = True
    for line, following in _with_following(_lines(stream)):
        number = current.number + 1 if current else 1
        if _separates(line, following, after_blank):
            if current:
                yield current.finished()
            sound = after_blank and _is_dated(line.content)
            current = _Collected(number, line.offset, max_bytes, damaged=not sound)
        elif current or not line.is_blank:
            current = current or _Collected(1, line.offset, max_bytes, damaged=True)
            current.add(line)
        after_blank = line.is_blank
    if current:
        yield current.finished()


def _separates(line: _Line, following: _Line | None, after_blank: bool) -> bool:
    content = line.content
    if not (line.is_start and content.startswith(_FROM) and len(content) <= _SEPARATOR_BYTES):
        return False
    if line.offset == 0:
        return True
    if following is None or not _FIELD.match(following.content):
        return False
    if _is_dated(content):
        return True
    return after_blank and _KNOWN_FIELD.match(following.content) is not None


def _is_dated(content: bytes) -> bool:
    return bool(_TIME.search(content) and _YEAR.search(content))


def _lines(stream: BinaryIO) -> Iterator[_Line]:
    offset = 0
    is_start = True
    while content := stream.readline(MAX_LINE_BYTES):
        yield _Line(content.removeprefix(_BOM) if offset == 0 else content, offset, is_start)
        offset += len(content)
        is_start = content.endswith(b"\n")


def _with_following(lines: Iterator[_Line]) -> Iterator[tuple[_Line, _Line | None]]:
    line = next(lines, None)
    while line is not None:
        following = next(lines, None)
        yield line, following
        line = following
