"""What ``/metrics`` says, in Prometheus' text format.

Invariant: every label comes from a small fixed set (methods, route templates, statuses, reasons);
nothing a user chose becomes a label. The index's depth is read when somebody asks, never before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from atom_backend.errors import AtomError

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class IndexDepth(Protocol):
    """How much waits for the index, in entries and seconds."""

    @property
    def due(self) -> int: ...
    @property
    def leased(self) -> int: ...
    @property
    def settled(self) -> int: ...
    @property
    def parked(self) -> int: ...
    @property
    def tombstones(self) -> int: ...
    @property
    def lag_seconds(self) -> float: ...


class Metrics:
    """The metrics of one process, in a registry of their own.

    ``depth`` is asked at every scrape; it may raise an ``AtomError``.
    """

    def __init__(self, depth: Callable[[], IndexDepth] | None = None) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter(
            "atom_http_requests", "Requests answered.", labels, registry=self._registry
        )
        self._seconds = Histogram(
            "atom_http_request_seconds",
            "Time until an answer was ready.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._degraded = Counter(
            "atom_search_degraded",
            "Searches that were answered without a part, by that part.",
            ("reason",),
            registry=self._registry,
        )
        self._breakers = Gauge(
            "atom_breaker_open",
            "1 while a part is not asked, because it did not answer.",
            ("store",),
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        if depth is not None:
            self._registry.register(_IndexCollector(depth))

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """``route`` is a template (``/v1/documents/{document_id}``), never a path."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def search_degraded(self, reason: str) -> None:
        self._degraded.labels(reason).inc()

    def watch_breaker(self, store: str, is_open: Callable[[], bool]) -> None:
        """Show this breaker from now on; ``is_open`` is asked at every scrape."""
        self._breakers.labels(store).set_function(lambda: float(is_open()))

    def exposition(self) -> bytes:
        """The present values, as ``CONTENT_TYPE``."""
        return generate_latest(self._registry)


class _IndexCollector(Collector):
    """The index's depth and lag; while it cannot be read, only that it cannot."""

    def __init__(self, depth: Callable[[], IndexDepth]) -> None:
        self._depth = depth

    def describe(self) -> list[Metric]:
        """Nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        readable = GaugeMetricFamily("atom_index_readable", "1 if the index's depth can be read.")
        try:
            depth = self._depth()
        except AtomError:
            readable.add_metric([], 0)
            yield readable
            return
        readable.add_metric([], 1)
        yield readable
        entries = GaugeMetricFamily("atom_index_depth", "Entries by state.", labels=("state",))
        for state in ("due", "leased", "settled", "parked", "tombstones"):
            entries.add_metric([state], getattr(depth, state))
        yield entries
        yield GaugeMetricFamily(
            "atom_index_lag_seconds",
            "Age of the oldest write that cannot be found by searching yet.",
            value=depth.lag_seconds,
        )
