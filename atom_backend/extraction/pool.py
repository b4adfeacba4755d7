"""A few reading children, kept because a start costs more than reading most files.

Invariants: never more than ``size`` children; a child that failed, or that said so itself, never
gets another file; after ``close`` there is none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor

from atom_backend.errors import RequestError
from atom_backend.extraction.sandbox import Answer, Request, Sandbox, unavailable


class SandboxPool:
    """For any number of threads. Starts no child before the first request."""

    def __init__(self, start: Callable[[], Sandbox], *, size: int, wall_seconds: float) -> None:
        self._start = start
        self._wall_seconds = wall_seconds
        self._places = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[Sandbox] = []
        self._all: set[Sandbox] = set()
        self._closed = False
        # A child dies with the thread that started it, so one thread starts all of them and
        # lasts; the threads that ask come and go.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="extraction-starter")

    def ask(self, request: Request) -> Answer:
        """Waits for a free child, at most ``wall_seconds``, and then as long for its answer.

        Raises InvalidInput as ``Sandbox.ask`` does; DependencyError where no child is to be had.
        """
        if not self._places.acquire(timeout=self._wall_seconds):
            raise unavailable("too many files are being read")
        try:
            return self._ask_one(request)
        finally:
            self._places.release()

    def close(self) -> None:
        """Ends all children, the busy ones too: their callers get a DependencyError."""
        self._closed = True
        self._starter.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            idle, self._idle = self._idle, []
            everyone = list(self._all)
        for sandbox in everyone:
            sandbox.end()
        for sandbox in idle:
            self._discard(sandbox)

    def _ask_one(self, request: Request) -> Answer:
        sandbox = self._take()
        reusable = False
        try:
            answer = sandbox.ask(request, self._wall_seconds)
            reusable = not answer.last
            return answer
        except RequestError as error:
            if self._closed:
                raise unavailable("the service is stopping") from error
            raise
        finally:
            self._give_back(sandbox, reusable=reusable)

    def _take(self) -> Sandbox:
        while True:
            with self._lock:
                sandbox = self._idle.pop() if self._idle else None
            if sandbox is None:
                return self._start_another()
            if sandbox.alive:
                return sandbox
            self._discard(sandbox)

    def _start_another(self) -> Sandbox:
        try:
            return self._starter.submit(self._start_tracked).result()
        except (RuntimeError, CancelledError) as error:
            raise unavailable("the service is stopping") from error

    def _start_tracked(self) -> Sandbox:
        sandbox = self._start()
        with self._lock:
            self._all.add(sandbox)
        return sandbox

    def _give_back(self, sandbox: Sandbox, *, reusable: bool) -> None:
        with self._lock:
            if reusable and not self._closed:
                self._idle.append(sandbox)
                return
        self._discard(sandbox)

    def _discard(self, sandbox: Sandbox) -> None:
        sandbox.discard()
        with self._lock:
            self._all.discard(sandbox)
