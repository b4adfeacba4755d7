"""Metrics of what is stored: the index's depth, what runs have found, how far the audit trail is.

Read from the database when somebody asks, never before. Counters are sums that the database
keeps, so a restart does not set them back and every process says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from atom_backend.errors import AtomError

_STATES = ("due", "leased", "settled", "parked", "tombstones")
_REPAIR = "repair"


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


class RunTotals(Protocol):
    """What runs of check and repair add up to; drift by its kind, the others by kind of run."""

    @property
    def found(self) -> Mapping[str, int]: ...
    @property
    def drift(self) -> Mapping[str, int]: ...
    @property
    def done(self) -> Mapping[str, int]: ...
    @property
    def failed(self) -> Mapping[str, int]: ...
    @property
    def seconds(self) -> Mapping[str, float]: ...
    @property
    def done_at(self) -> Mapping[str, datetime]: ...


class AuditDepth(Protocol):
    """How far the chain of the audit trail is, and how long the oldest entry waits for its seal."""

    @property
    def position(self) -> int: ...
    @property
    def unsealed(self) -> int: ...
    @property
    def seconds(self) -> float: ...


class StoredCollector(Collector):
    """All of it; while they cannot be read, only that they cannot."""

    def __init__(
        self,
        depth: Callable[[], IndexDepth],
        totals: Callable[[], RunTotals] | None,
        audit: Callable[[], AuditDepth] | None = None,
    ) -> None:
        self._depth = depth
        self._totals = totals
        self._audit = audit

    def describe(self) -> list[Metric]:
        """Nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        readable = GaugeMetricFamily("atom_index_readable", "1 if the index's depth can be read.")
        try:
            depth = self._depth()
            totals = self._totals() if self._totals else None
            audit = self._audit() if self._audit else None
        except AtomError:
            readable.add_metric([], 0)
            yield readable
            return
        readable.add_metric([], 1)
        yield readable
        yield from _of_the_index(depth)
        if totals is not None:
            yield from _of_runs(totals)
        if audit is not None:
            yield from _of_the_trail(audit)


def _of_the_index(depth: IndexDepth) -> Iterator[Metric]:
    by_state = {state: getattr(depth, state) for state in _STATES}
    yield _gauge("atom_index_depth", "Entries by state.", "state", by_state)
    yield GaugeMetricFamily(
        "atom_index_lag_seconds",
        "Age of the oldest write that cannot be found by searching yet.",
        value=depth.lag_seconds,
    )


def _of_the_trail(audit: AuditDepth) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "atom_audit_position", "The newest seal of the audit trail.", value=audit.position
    )
    yield GaugeMetricFamily(
        "atom_audit_unsealed", "Entries of the audit trail without a seal.", value=audit.unsealed
    )
    yield GaugeMetricFamily(
        "atom_audit_unsealed_seconds",
        "Age of the oldest entry of the audit trail without a seal.",
        value=audit.seconds,
    )


def _of_runs(totals: RunTotals) -> Iterator[Metric]:
    found = CounterMetricFamily(
        "atom_drift", "Drift ever found, each once until it was repaired.", labels=("kind",)
    )
    for kind, count in totals.found.items():
        found.add_metric([kind], count)
    yield found
    yield _gauge("atom_drift_last_run", "Drift that the last run found.", "kind", totals.drift)
    runs = CounterMetricFamily(
        "atom_consistency_runs", "Runs that ended.", labels=("kind", "outcome")
    )
    for outcome, counts in (("done", totals.done), ("failed", totals.failed)):
        for kind, count in counts.items():
            runs.add_metric([kind, outcome], count)
    yield runs
    yield SummaryMetricFamily(
        "atom_repair_seconds",
        "How long repairs took.",
        count_value=totals.done.get(_REPAIR, 0),
        sum_value=totals.seconds.get(_REPAIR, 0.0),
    )
    yield _gauge(
        "atom_consistency_last_run_timestamp_seconds",
        "When the last good run ended, in seconds since 1970.",
        "kind",
        {kind: at.timestamp() for kind, at in totals.done_at.items()},
    )


def _gauge(name: str, description: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, description, labels=(label,))
    for key, value in values.items():
        family.add_metric([key], value)
    return family
