"""The parent's hold on one reading child: start it, ask it, tell why it ended, end it.

Invariant: a child has nothing of its parent but three pipes' worth of standard streams: no
environment, no other descriptor, no working folder; and no request to it outlasts its deadline.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atom_backend.errors import DependencyError, RequestError
from atom_backend.extraction import refusals
from atom_backend.extraction.child import OUT_OF_MEMORY, REFUSALS
from atom_backend.extraction.frames import Pipes

_CHECKOUT = Path(__file__).resolve().parents[2]
_START_SECONDS = 30.0
_MAX_HEADER_BYTES = 65_536
_MAX_UTF8_BYTES = 4


@dataclass(frozen=True, slots=True)
class Request:
    """One file to read; the content type is one of ``media`` that needs a parser.

    ``options`` are what this parser is told besides.
    """

    content: bytes
    content_type: str
    max_text_chars: int
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child said; ``last`` where it will take no other request."""

    text: str
    title: str | None
    refusal: RequestError | None
    last: bool


def unavailable(why: str) -> DependencyError:
    """The file is not at fault: the same call may succeed later."""
    return DependencyError(f"Files cannot be read now: {why}.", code="extractor_unavailable")


class Sandbox:
    """A running child. For one thread at a time, except ``end``."""

    def __init__(self, *, memory_bytes: int, cpu_seconds: int) -> None:
        """Raises DependencyError ``extractor_unavailable`` where no child can be started."""
        try:
            self._process = _start(memory_bytes, cpu_seconds)
        except OSError as error:
            raise unavailable("no process can be started") from error
        self._pipes = _pipes_of(self._process)
        try:
            self._pipes.receive(_MAX_HEADER_BYTES, time.monotonic() + _START_SECONDS)
        except (OSError, EOFError, ValueError) as error:
            self.discard()
            raise unavailable("the reading process does not start") from error

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Request, wall_seconds: float) -> Answer:
        """Raises InvalidInput ``extraction_limit`` or ``malformed_document`` where the child ends.

        After any error the child is of no further use.
        """
        deadline = time.monotonic() + wall_seconds
        try:
            return self._exchange(request, deadline)
        except TimeoutError as error:
            raise refusals.limit("more time") from error
        except (OSError, EOFError, ValueError, KeyError) as error:
            self.end()
            raise _why(self._process.returncode) from error

    def end(self) -> None:
        """Ends the child, whatever it is doing; any thread may call it, at any time."""
        self._process.kill()
        self._process.wait()

    def discard(self) -> None:
        """Ends the child and gives its pipes back; only for the thread that asks it.

        Another thread must not: the numbers of closed pipes are soon those of other files.
        """
        self.end()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _exchange(self, request: Request, deadline: float) -> Answer:
        header = {
            "content_type": request.content_type,
            "max_text_chars": request.max_text_chars,
            "options": dict(request.options),
        }
        self._pipes.send(json.dumps(header).encode(), deadline)
        self._pipes.send(request.content, deadline)
        answer = json.loads(self._pipes.receive(_MAX_HEADER_BYTES, deadline))
        text = self._pipes.receive(_MAX_UTF8_BYTES * request.max_text_chars, deadline).decode()
        refusal = None
        if "refused" in answer:
            refusal = REFUSALS[answer["refused"]](answer["message"], code=answer["code"])
        return Answer(text, answer.get("title"), refusal, answer["last"])


def _start(memory_bytes: int, cpu_seconds: int) -> subprocess.Popen[bytes]:
    arguments = (os.getpid(), memory_bytes, cpu_seconds)
    return subprocess.Popen(
        # -s and -P: no module from the user's own folders or the working folder; -B: no files.
        [sys.executable, "-s", "-P", "-B", "-m", "atom_backend.extraction.child"]
        + [str(argument) for argument in arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd="/",
        env={"PYTHONPATH": str(_CHECKOUT), "PYTHONUTF8": "1"},
        # Ctrl-C at the service's terminal is for the service alone.
        start_new_session=True,
    )


def _pipes_of(process: subprocess.Popen[bytes]) -> Pipes:
    if process.stdin is None or process.stdout is None:
        raise unavailable("the reading process has no pipes")
    return Pipes(process.stdin.fileno(), process.stdout.fileno())


def _why(returncode: int) -> RequestError:
    if returncode == -signal.SIGXCPU:
        return refusals.limit("more processor time")
    # Not we but the system kills here, for want of memory; and an allocation that fails makes most
    # native code, Python's own too, abort.
    if returncode in (OUT_OF_MEMORY, -signal.SIGKILL, -signal.SIGABRT):
        return refusals.limit("more memory")
    return refusals.malformed("uploaded")
