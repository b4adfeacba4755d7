"""Waiting until workers have done what a write made necessary, for clients that prefer so.

Invariants: the write is done, and nothing that happens while waiting denies it; however many wait,
threads are left for the others.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from threading import BoundedSemaphore
from typing import TypeVar

from atom_backend.domain.index_state import IndexState
from atom_backend.domain.resources.rules import Record
from atom_backend.errors import DependencyError, RequestError

logger = logging.getLogger(__name__)

T = TypeVar("T")
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25


class Waiting:
    """At most ``most`` wait at once: while LanceDB is down, each would hold a thread in vain."""

    def __init__(
        self,
        *,
        most: int = 8,
        pause: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = BoundedSemaphore(most)
        self._pause = pause
        self._monotonic = monotonic

    def until_indexed(self, item: Record, look: Callable[[], Record], seconds: float) -> Record:
        """The item as it was written, once that is indexed or parked, or after ``seconds``.

        A later write by somebody else never shows in it: its revision is this caller's word for
        what it wrote. Given back as it was last seen also when it was deleted meanwhile.
        """

        def again(item: Record) -> Record | None:
            seen = look()
            if seen.content_revision != item.content_revision:
                return None  # nobody will index this content any more
            return replace(
                item,
                index_state=seen.index_state,
                index_reason=seen.index_reason,
                chunk_count=seen.chunk_count,
            )

        return self.while_pending(
            lambda one: one.index_state is IndexState.PENDING, item, again, seconds
        )

    def while_pending(
        self,
        pending: Callable[[T], bool],
        first: T,
        again: Callable[[T], T | None],
        seconds: float,
    ) -> T:
        """What ``again`` makes of it, repeatedly, until that is not pending or after ``seconds``.

        It is given back as it was last seen where too many wait already, PostgreSQL has stopped
        answering, or ``again`` gives nothing or is refused.
        """
        if not self._places.acquire(blocking=False):
            return first
        try:
            return self._while_pending(pending, first, again, seconds)
        finally:
            self._places.release()

    def _while_pending(
        self,
        pending: Callable[[T], bool],
        seen: T,
        again: Callable[[T], T | None],
        seconds: float,
    ) -> T:
        deadline = self._monotonic() + seconds
        pause = _FIRST_PAUSE
        while pending(seen):
            remaining = deadline - self._monotonic()
            if remaining <= 0:
                break
            self._pause(min(pause, remaining))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            try:
                newer = again(seen)
            except RequestError:
                break  # deleted, or the session ended
            except DependencyError as error:
                logger.warning("no longer waiting for a worker: %s", error.message)
                break
            if newer is None:
                break
            seen = newer
        return seen
