"""One private asyncio loop on one thread, through which every call to LanceDB passes.

LanceDB's asynchronous interface serves many callers at once from one loop. Its own time limits
are soft, so ours is applied to the waiting: a call that does not come back in time is abandoned
and the store counts as down. Invariants: no caller waits longer than its deadline; no loop is
opened in a process forked from one that already used LanceDB, because its native threads do not
survive a fork and a share of such children hangs for ever.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

from atom_backend.errors import ConfigurationError, VectorStoreUnavailable
from atom_backend.vectors.translate import panicked, translated

_T = TypeVar("_T")
_STOP_SECONDS = 5.0


class LoopThread:
    """A running loop. Raises ConfigurationError where LanceDB was used before a fork."""

    _first_used_by: ClassVar[int | None] = None

    def __init__(self) -> None:
        self._claim_process()
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lancedb", daemon=True)
        self._thread.start()

    @classmethod
    def _claim_process(cls) -> None:
        if cls._first_used_by not in {None, os.getpid()}:
            raise ConfigurationError(
                "LanceDB was used before this process was forked: open the store after the fork, "
                "or start workers as new processes (gunicorn: preload_app = False)."
            )
        cls._first_used_by = os.getpid()

    def run(self, coroutine: Coroutine[Any, Any, _T], deadline: float) -> _T:
        """The coroutine's outcome. Raises VectorStoreUnavailable after ``deadline`` seconds."""
        if self._pid != os.getpid():
            coroutine.close()
            self._claim_process()
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError as closed:
            coroutine.close()
            raise VectorStoreUnavailable("The vector store was closed.") from closed
        try:
            error = future.exception(deadline)
        except TimeoutError as late:
            raise VectorStoreUnavailable(
                f"LanceDB did not answer within {deadline:g} seconds."
            ) from late
        except CancelledError as closed:
            raise VectorStoreUnavailable("The vector store was closed meanwhile.") from closed
        finally:
            future.cancel()
        if error is not None:
            raise translated(error) if panicked(error) else error
        return future.result()

    def close(self) -> None:
        """Abandon what still runs, and stop the loop.

        Tasks end before the loop does, or LanceDB would report to a loop that is no more.
        """
        if self._pid != os.getpid():
            return
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_abandon_tasks(), self._loop).result(_STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()


async def _abandon_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()
