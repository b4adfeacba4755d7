"""Mails read in the confined process: files told apart here, each mail parsed there.

Splitting an mbox compares lines and holds one mail at a time; everything that decodes, nests or
renders runs in the child, under its limits of time and memory. Invariant: a mail that breaks the
parser costs one child process, and is refused alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

from atom_backend.domain.messaging.mail import Mail, MboxMessage
from atom_backend.extraction.mails import mbox, parser
from atom_backend.extraction.mails.mime import MAX_BYTES
from atom_backend.extraction.media import MAIL
from atom_backend.extraction.pool import SandboxPool
from atom_backend.extraction.sandbox import Request

_MAX_CHARS = 3 * MAX_BYTES
"""Of the JSON of a mail with its files, in base64."""
_BOM = b"\xef\xbb\xbf"


class ConfinedMails:
    """Fills the port ``MailReader``; for any number of threads."""

    def __init__(self, pool: SandboxPool) -> None:
        self._pool = pool

    def split(self, stream: BinaryIO, *, mbox_file: bool | None = None) -> Iterator[MboxMessage]:
        begun: list[bytes] = []
        for line in iter(lambda: stream.readline(mbox.MAX_LINE_BYTES), b""):
            begun.append(line)
            if line.removeprefix(_BOM).strip() or len(begun) > mbox.MAX_LINE_BYTES:
                break
        if mbox_file is None:
            mbox_file = bool(begun) and begun[-1].removeprefix(_BOM).startswith(b"From ")
        if mbox_file:
            yield from mbox.messages(cast("BinaryIO", _Replayed(begun, stream)))
        elif begun:
            head = b"".join(begun)
            yield MboxMessage(1, 0, head + stream.read(MAX_BYTES + 1), cut=False, damaged=False)

    def mail(
        self, content: bytes, *, own: Sequence[str] = (), cut: bool = False, files: bool = False
    ) -> Mail:
        options = {"own": list(own), "cut": cut, "files": files}
        answer = self._pool.ask(Request(content, MAIL, _MAX_CHARS, options))
        if answer.refusal is not None:
            raise answer.refusal
        return parser.found(answer.text)


class _Replayed:
    """Lines that were read already, and then the rest of the stream."""

    def __init__(self, lines: Sequence[bytes], stream: BinaryIO) -> None:
        self._lines = itertools.chain(lines)
        self._stream = stream

    def readline(self, size: int) -> bytes:
        return next(self._lines, b"") or self._stream.readline(size)
