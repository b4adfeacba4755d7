"""Keeps what happened, in memory for the promises and in a file for people."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from tests.promises.history import Event, History, as_line

_EXPECTED_REFUSALS = {401, 404, 409, 412}


class Recorder:
    """Safe to use from several threads. ``problems``: answers that nothing excuses."""

    def __init__(self, file: Path) -> None:
        self.history = History()
        self.canaries: dict[str, str] = {}
        self.error_bodies: list[str] = []
        self.problems: list[str] = []
        self.answers: Counter[str] = Counter()
        self._file = file.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def add(self, event: Event) -> None:
        """An operation has ended."""
        with self._lock:
            self.history.add(event)
            self._file.write(as_line(event) + "\n")

    def note(self, **values: Any) -> None:
        """Something that is not an operation, such as a fault."""
        line = json.dumps({"event": "note", "at": time.monotonic(), **values}, default=str)
        with self._lock:
            self._file.write(line + "\n")

    def count(self, what: str) -> None:
        with self._lock:
            self.answers[what] += 1

    def answered(self, answer: httpx.Response) -> None:
        """Look at an answer's status, whatever it answers."""
        status = answer.status_code
        self.count(f"HTTP {status}")
        if status < 400:
            return
        with self._lock:
            self.error_bodies.append(answer.text)
        if status == 503 and "Retry-After" not in answer.headers:
            self._complain("503 without Retry-After", answer)
        if status not in _EXPECTED_REFUSALS | {503}:
            self._complain(f"{status}", answer)

    def close(self) -> None:
        self._file.close()

    def _complain(self, what: str, answer: httpx.Response) -> None:
        with self._lock:
            self.problems.append(
                f"HTTP: {what} to {answer.request.method} {answer.request.url.path}: "
                f"{answer.text[:200]}"
            )
