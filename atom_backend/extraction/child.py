"""The process that parses: ``python -m atom_backend.extraction.child PARENT_PID MEMORY CPU``.

It answers one request after the other on its standard streams (``frames``) until it says that an
answer was its last, or the parent hangs up. A file that breaks a parser breaks this process, and
the parent tells from its end what happened: nothing here tries to survive.
Invariant: a limit is in force before the first byte of a file is read; nothing but answers is
written to the parent.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any, BinaryIO

from atom_backend.errors import InvalidInput, RequestError, TooLarge, UnsupportedMedia
from atom_backend.extraction import limits, media
from atom_backend.extraction.frames import read_frame, write_frame

OUT_OF_MEMORY = 83
REFUSALS = {kind.__name__: kind for kind in (InvalidInput, TooLarge, UnsupportedMedia)}

_PARSERS = {
    media.PDF: "pdf",
    media.DOCX: "docx",
    media.HTML: "html",
    media.CALENDAR: "calendars.parser",
    media.CSV: "statements.parser",
    media.MAIL: "mails.parser",
}
_MAX_FILES = 100
# Memory that a large file took is seldom given back; such a process is not kept waiting.
_MAX_RESIDENT_BYTES = 256 * 1024 * 1024


def main() -> None:
    parent_pid, memory_bytes, cpu_seconds = (int(argument) for argument in sys.argv[1:])
    limits.die_with(parent_pid)
    requests = sys.stdin.buffer
    answers = _private_stdout()
    limits.confine(memory_bytes)
    write_frame(answers, b"ready")
    try:
        for left in reversed(range(_MAX_FILES)):
            if not _serve(requests, answers, cpu_seconds, last=left == 0):
                return
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _private_stdout() -> BinaryIO:
    """The pipe to the parent, out of the reach of anything that prints."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _serve(requests: BinaryIO, answers: BinaryIO, cpu_seconds: int, *, last: bool) -> bool:
    """Answers one request; False where it was the last."""
    limits.allow_cpu(cpu_seconds)
    header, content = read_frame(requests), read_frame(requests)
    if header is None or content is None:
        return False
    answer, text = _read(json.loads(header), content)
    last = last or "refused" in answer or limits.peak_memory_bytes() > _MAX_RESIDENT_BYTES
    write_frame(answers, json.dumps({**answer, "last": last}).encode())
    write_frame(answers, text.encode())
    return not last


def _read(header: dict[str, Any], content: bytes) -> tuple[dict[str, str | None], str]:
    parser = importlib.import_module(f"{__package__}.{_PARSERS[header['content_type']]}")
    try:
        parsed = parser.read(content, header["max_text_chars"], **header["options"])
    except RequestError as error:
        return {"refused": type(error).__name__, "code": error.code, "message": error.message}, ""
    return {"title": parsed.title}, parsed.text


if __name__ == "__main__":
    main()
