"""What is to be done from time to time, on a loop beside the relay's.

Invariant: a chore that takes long, hangs or fails holds up neither the relay, whose loop is another
one, nor, as long as it comes to an end, the other chores.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

from atom_backend.errors import AtomError

logger = logging.getLogger(__name__)


@dataclass
class Periodic:
    """A pass that is due every ``seconds``; its report is a sentence."""

    name: str
    run_once: Callable[[], str]
    seconds: float
    due_at: float = 0.0
    said: str = ""


class Chores:
    """Runs what is due, in the order given."""

    def __init__(
        self, passes: Sequence[Periodic], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._passes = passes
        self._monotonic = monotonic

    def turn(self) -> float:
        """One round; the seconds until the next pass is due.

        Raises what a pass raised, once the others have had their turn.
        """
        failed: list[AtomError] = []
        for pass_ in self._passes:
            try:
                self._run_if_due(pass_)
            except AtomError as error:
                failed.append(error)
        for other in failed[1:]:
            logger.warning("another pass failed: %s", other.message)
        if failed:
            raise failed[0]
        return max(0.0, min(pass_.due_at for pass_ in self._passes) - self._monotonic())

    def _run_if_due(self, pass_: Periodic) -> None:
        if self._monotonic() < pass_.due_at:
            return
        pass_.due_at = self._monotonic() + pass_.seconds
        said = pass_.run_once()
        # What is said again and again ("nothing to do") would hide the rest.
        logger.log(
            logging.DEBUG if said == pass_.said else logging.INFO, "%s: %s", pass_.name, said
        )
        pass_.said = said


class Timer:
    """The port ``Wakeup`` for a loop that nothing but time concerns."""

    def __init__(self) -> None:
        self._closed = Event()

    def wait(self, seconds: float) -> bool:
        self._closed.wait(seconds)
        return False

    def close(self) -> None:
        self._closed.set()
