"""``/metrics`` tells how far the index is behind, and says so when it cannot."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from atom_backend.domain.audit_chain import Depth
from atom_backend.domain.consistency import ConsistencyTotals
from atom_backend.domain.index_state import IndexStatistics
from atom_backend.domain.search import Degraded
from atom_backend.errors import DatabaseUnavailable
from atom_backend.telemetry.metrics import Metrics

IDLE = IndexStatistics(due=0, leased=0, settled=0, parked=0, tombstones=0, lag_seconds=0.0)


def values(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Every sample by its name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }


def test_the_index_is_asked_at_every_scrape_and_never_before() -> None:
    asked: list[int] = []

    def depth() -> IndexStatistics:
        asked.append(1)
        return IndexStatistics(
            due=len(asked), leased=2, settled=3, parked=4, tombstones=5, lag_seconds=6.5
        )

    metrics = Metrics(depth)
    assert not asked
    first, second = values(metrics), values(metrics)
    assert (first["atom_index_depth", "due"], second["atom_index_depth", "due"]) == (1, 2)
    assert second["atom_index_lag_seconds",] == 6.5
    assert second["atom_index_readable",] == 1


def test_a_database_that_is_down_does_not_take_the_other_metrics_with_it() -> None:
    def depth() -> IndexStatistics:
        raise DatabaseUnavailable()

    metrics = Metrics(depth)
    metrics.search_degraded("lancedb")
    found = values(metrics)
    assert found["atom_index_readable",] == 0
    assert ("atom_index_lag_seconds",) not in found
    assert found["atom_search_degraded_total", "lancedb"] == 1


def test_every_reason_to_degrade_has_its_counter_from_the_beginning() -> None:
    found = values(Metrics())
    assert all(found["atom_search_degraded_total", reason.value] == 0 for reason in Degraded)


def test_requests_are_counted_and_timed() -> None:
    metrics = Metrics()
    metrics.request_answered("GET", "/x/{id}", 200, 0.03)
    metrics.request_answered("GET", "/x/{id}", 404, 0.3)
    found = values(metrics)
    assert found["atom_http_requests_total", "GET", "/x/{id}", "404"] == 1
    assert found["atom_http_request_seconds_count", "GET", "/x/{id}"] == 2
    assert found["atom_http_request_seconds_bucket", "0.05", "GET", "/x/{id}"] == 1


def test_what_runs_add_up_to_is_read_from_the_database_at_every_scrape() -> None:
    totals = ConsistencyTotals(
        found={"missing": 7, "stale": 0},
        drift={"missing": 2, "stale": 0},
        done={"check": 5, "repair": 3},
        failed={"check": 0, "repair": 1},
        seconds={"check": 9.0, "repair": 1.5},
        done_at={"repair": datetime(2030, 1, 31, 9, 30, tzinfo=UTC)},
    )
    found = values(Metrics(lambda: IDLE, lambda: totals))
    assert found["atom_drift_total", "missing"] == 7
    assert found["atom_drift_total", "stale"] == 0
    assert found["atom_drift_last_run", "missing"] == 2
    assert found["atom_consistency_runs_total", "check", "done"] == 5
    assert found["atom_consistency_runs_total", "repair", "failed"] == 1
    assert (found["atom_repair_seconds_count",], found["atom_repair_seconds_sum",]) == (3, 1.5)
    assert found["atom_consistency_last_run_timestamp_seconds", "repair"] == 1_896_082_200


def test_the_audit_trail_is_told_by_how_far_it_is_sealed() -> None:
    found = values(Metrics(lambda: IDLE, audit=lambda: Depth(position=9, unsealed=2, seconds=1.5)))
    assert found["atom_audit_position",] == 9
    assert (found["atom_audit_unsealed",], found["atom_audit_unsealed_seconds",]) == (2, 1.5)


def test_totals_that_cannot_be_read_are_left_out_and_said_to_be() -> None:
    def totals() -> ConsistencyTotals:
        raise DatabaseUnavailable()

    found = values(Metrics(lambda: IDLE, totals))
    assert found["atom_index_readable",] == 0
    assert not [name for name, *_ in found if name.startswith(("atom_drift", "atom_repair"))]
