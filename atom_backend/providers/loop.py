"""One private asyncio loop on one thread, through which every request to a provider passes.

Only there does a time limit bound all of a request: looking up the name, connecting, and an answer
that comes drop by drop. Invariant: no caller waits longer than its deadline, or
some seconds more while the loop is being stopped.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

_T = TypeVar("_T")
_STOP_SECONDS = 5.0


class LoopThread:
    """A running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="oauth", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, _T], deadline: float) -> _T:
        """The coroutine's outcome. Raises TimeoutError after ``deadline`` seconds."""
        bounded = asyncio.run_coroutine_threadsafe(_within(coroutine, deadline), self._loop)
        return bounded.result(deadline + _STOP_SECONDS)

    def close(self) -> None:
        """End what still runs, whose callers get a CancelledError, and stop the loop."""
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_end_tasks(), self._loop).result(_STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()


async def _within(coroutine: Coroutine[Any, Any, _T], deadline: float) -> _T:
    async with asyncio.timeout(deadline):
        return await coroutine


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
