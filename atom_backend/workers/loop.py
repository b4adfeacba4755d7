"""Loops: they drive passes until they are told to stop.

    relay pass -> (again at once while there was as much to do as one pass may take)
               -> (again after a moment in which more may come, while something was due)
               -> wait for a signal, the next due entry, or the longest pause

Invariant: nothing but ``stop`` ends a loop. An outage or a defect, of a pass or of the wakeup,
is logged and followed by a pause that grows as long as nothing succeeds, and what the pass had
leased comes back when its lease runs out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from atom_backend.coordinator.relay import Relay, RelayReport
from atom_backend.domain.ports import Transactions, Wakeup
from atom_backend.errors import DependencyError

logger = logging.getLogger(__name__)

_LONGEST_PAUSE = 5.0
_SHORTEST_PAUSE = 0.05
_LONGEST_OUTAGE_PAUSE = 15.0
_GATHERING = 0.1
"""Seconds between passes that are not full. A pass costs LanceDB about as much for one item as for
ten, and what it takes it takes from those who ask: a stream of single writes is taken together."""
_LAST_TURN = 8.0
"""Seconds that a loop beside the worker has to end its turn; the supervisor waits 15 for all."""


class Loop:
    """Turns, each followed by a wait of the seconds that it asks for.

    ``cut_short`` is called when the loop is to end, from another thread, so that a long turn can
    come to an end of its own.
    """

    def __init__(
        self,
        turn: Callable[[], float],
        wakeup: Wakeup,
        *,
        cut_short: Callable[[], None] | None = None,
    ) -> None:
        self._turn = turn
        self._wakeup = wakeup
        self._cut_short = cut_short
        self._failures = 0

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set; ``end_wait`` lets a waiting loop see it at once."""
        while not stop.is_set():
            if self._survives(stop):
                self._failures = 0
            else:
                # Not on the wakeup: it may be what is down, and new work does not end an outage.
                stop.wait(self._outage_pause())

    def end_wait(self) -> None:
        """For another thread than the one that works; there is no waiting afterwards."""
        if self._cut_short is not None:
            self._cut_short()
        self._wakeup.close()

    def _survives(self, stop: Event) -> bool:
        """A turn and the wait after it; whether both went well."""
        try:
            pause = self._turn()
            if pause > 0 and not stop.is_set():
                self._wakeup.wait(pause)
        except DependencyError as error:
            logger.warning("the pass was given up: %s", error.message)
        except Exception:
            logger.exception("the pass failed")
        else:
            return True
        return False

    def _outage_pause(self) -> float:
        """Seconds: 1, 2, 4, and so on up to the longest."""
        self._failures += 1
        return min(2.0 ** min(self._failures - 1, 8), _LONGEST_OUTAGE_PAUSE)


class Worker:
    """One worker process: the relay's loop, and loops beside it that must not hold it up."""

    def __init__(
        self,
        transactions: Transactions,
        relay: Relay,
        wakeup: Wakeup,
        *,
        spec: Callable[[], str],
        beside: Sequence[Loop] = (),
    ) -> None:
        self._transactions = transactions
        self._relay = relay
        self._spec = spec
        self._spec_required = False
        self._loop = Loop(self.turn, wakeup)
        self._beside = beside
        self._stop = Event()

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set; ``end_wait`` lets a waiting worker see it at once."""
        self._stop = stop
        with _on_threads(self._beside, stop):
            self._loop.run(stop)

    def end_wait(self) -> None:
        """For another thread than the one that works; there is no waiting afterwards."""
        for loop in (*self._beside, self._loop):
            loop.end_wait()

    def turn(self) -> float:
        """One pass of the relay; the seconds that may be waited after it.

        Raises DependencyError where an outage kept it from doing anything.
        """
        self._require_spec()
        report = self._relay.run_once()
        if report.leased:
            logger.info("%s", report)
        return self._pause_after(report)

    def _require_spec(self) -> None:
        """Once a start: what another model or chunker made is to be made again."""
        if self._spec_required:
            return
        with self._transactions.worker() as work:
            changed = work.index.require_spec(self._spec())
        self._spec_required = True
        if changed:
            logger.warning("%d items were indexed under another spec and are due again", changed)

    def _pause_after(self, report: RelayReport) -> float:
        if report.outage and not report.settled + report.removed:
            raise DependencyError(f"no progress because of {report.outage}", code=report.outage)
        if report.leased:
            if not report.full:
                self._stop.wait(_GATHERING)
            return 0.0
        with self._transactions.worker() as work:
            due_in = work.index.seconds_until_due()
        if due_in is None:
            return _LONGEST_PAUSE
        return min(max(due_in, _SHORTEST_PAUSE), _LONGEST_PAUSE)


@contextmanager
def _on_threads(loops: Sequence[Loop], stop: Event) -> Iterator[None]:
    """Run the loops on threads of their own, which end with the context."""
    threads = [Thread(target=loop.run, args=(stop,), daemon=True) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for loop, thread in zip(loops, threads, strict=True):
            loop.end_wait()
            thread.join(_LAST_TURN)
            if thread.is_alive():
                logger.warning("a turn did not end in time; what it did is begun again later")
