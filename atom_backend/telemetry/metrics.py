"""What ``/metrics`` says, in Prometheus' text format.

Invariant: every label comes from a small fixed set (methods, route templates, statuses, reasons);
nothing a user chose becomes a label.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from atom_backend.telemetry.stored import AuditDepth, IndexDepth, RunTotals, StoredCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)

_PARTS = ("postgresql", "lancedb", "embedder")
_OAUTH = {
    "authorizations": "Authorizations begun, and how they ended.",
    "refreshes": "Grants that a provider was asked to refresh.",
    "tokens": "Access tokens that were asked for.",
    "revocations": "Grants that were ended by their owners.",
}


class Metrics:
    """The metrics of one process, in a registry of their own.

    ``depth``, ``totals`` and ``audit`` are asked at every scrape; they may raise an ``AtomError``.
    """

    def __init__(
        self,
        depth: Callable[[], IndexDepth] | None = None,
        totals: Callable[[], RunTotals] | None = None,
        audit: Callable[[], AuditDepth] | None = None,
    ) -> None:
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
        for part in _PARTS:
            # A counter that is not there before its first event hides that event from rate().
            self._degraded.labels(part)
        self._oauth = {
            name: Counter(
                f"atom_oauth_{name}", about, ("provider", "outcome"), registry=self._registry
            )
            for name, about in _OAUTH.items()
        }
        self._breakers = Gauge(
            "atom_breaker_open",
            "1 while a part is not asked, because it did not answer.",
            ("store",),
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        if depth is not None:
            self._registry.register(StoredCollector(depth, totals, audit))

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """``route`` is a template (``/v1/documents/{document_id}``), never a path."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def search_degraded(self, reason: str) -> None:
        self._degraded.labels(reason).inc()

    def oauth(self, name: str, provider: str, outcome: str) -> None:
        """``name`` as in ``atom_oauth_NAME``; ``provider`` is one that is configured."""
        self._oauth[name].labels(provider, outcome).inc()

    def watch_breaker(self, store: str, is_open: Callable[[], bool]) -> None:
        """Show this breaker from now on; ``is_open`` is asked at every scrape."""
        self._breakers.labels(store).set_function(lambda: float(is_open()))

    def exposition(self) -> bytes:
        """The present values, as ``CONTENT_TYPE``."""
        return generate_latest(self._registry)
