"""Health: every part probed by a real write and read, at the same time, under a deadline.

Invariant: a probe that hangs is reported as down when the deadline passes, and no probe is
started again while its last one still hangs, so asking for health cannot pile up threads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from atom_backend.domain.health import Health, Probe, Status
from atom_backend.errors import AtomError

logger = logging.getLogger(__name__)


class HealthService:
    """Answers ``/healthz`` and ``/readyz``.

    ``probes``: a call that fails unless the part is well, for every part that ``Health`` names.
    ``deadline``: seconds a probe may take. ``keep``: seconds during which an answer is given
    again, so that a crowd of probes costs the stores one.
    """

    def __init__(
        self,
        probes: Mapping[str, Callable[[], object]],
        *,
        deadline: float = 2.0,
        keep: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deadline = deadline
        self._keep = keep
        self._monotonic = monotonic
        self._lock = Lock()
        self._latest: tuple[float, Health] | None = None
        self._said: dict[str, str] = {}
        self._probes = {name: _Repeatable(call) for name, call in probes.items()}

    def check(self) -> Health:
        """The state of every part, at most ``keep`` seconds old."""
        with self._lock:
            if self._latest and self._monotonic() - self._latest[0] < self._keep:
                return self._latest[1]
            health = self._probe_all()
            self._latest = (self._monotonic(), health)
            return health

    def close(self) -> None:
        for probe in self._probes.values():
            probe.close()

    def _probe_all(self) -> Health:
        end = self._monotonic() + self._deadline
        running = {name: probe.start() for name, probe in self._probes.items()}
        outcomes = {
            name: self._outcome(name, future, max(0.0, end - self._monotonic()))
            for name, future in running.items()
        }
        return Health(**outcomes)

    def _outcome(self, name: str, future: Future[float], seconds: float) -> Probe:
        """What went wrong is logged when it begins, and not at every look."""
        begin = time.perf_counter()
        try:
            milliseconds = future.result(timeout=seconds)
            self._said.pop(name, None)
            return Probe(Status.HEALTHY, milliseconds)
        except TimeoutError:
            detail = said = "no answer within the deadline"
        except AtomError as error:
            detail, said = error.code, error.message
        if self._said.get(name) != said:
            logger.warning("the %s probe failed: %s", name, said)
            self._said[name] = said
        return Probe(Status.UNHEALTHY, (time.perf_counter() - begin) * 1000, detail)


class _Repeatable:
    """A probe on a thread of its own, never running twice at once."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="probe")
        self._running: Future[float] | None = None

    def start(self) -> Future[float]:
        if self._running is None or self._running.done():
            self._running = self._thread.submit(self._timed)
        return self._running

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _timed(self) -> float:
        begin = time.perf_counter()
        self._call()
        return (time.perf_counter() - begin) * 1000
