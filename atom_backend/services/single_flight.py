"""One call at a time for one key within a process: who comes meanwhile waits for its end.

Invariant: a waiting caller goes on only after a call for its key has succeeded since it came, or
fails by a call of its own: another caller's failure may be that caller's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Lock


@dataclass(slots=True)
class _Flight:
    over: Event = field(default_factory=Event)
    succeeded: bool = False


class SingleFlight:
    """Calls under way, by key."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._flights: dict[Hashable, _Flight] = {}

    def run(self, key: Hashable, call: Callable[[], None]) -> None:
        """Make the call, or wait for the same of another thread. Raises what one's own raises."""
        while True:
            with self._lock:
                under_way = self._flights.get(key)
                if under_way is None:
                    flight = self._flights[key] = _Flight()
            if under_way is None:
                return self._make(key, flight, call)
            under_way.over.wait()
            if under_way.succeeded:
                return None

    def _make(self, key: Hashable, flight: _Flight, call: Callable[[], None]) -> None:
        try:
            call()
            flight.succeeded = True
        finally:
            with self._lock:
                del self._flights[key]
            flight.over.set()
