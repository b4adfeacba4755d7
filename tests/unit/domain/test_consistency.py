"""When a repair is due, and what counts as newly found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.clock import new_id
from atom_backend.domain.consistency import (
    Agenda,
    ConsistencyRun,
    RunKind,
    RunOrder,
    RunState,
    Schedule,
    newly_found,
    spread,
)

NOW = datetime(2030, 1, 31, 9, 30, tzinfo=UTC)
HOUR = 3600.0
counts = st.dictionaries(st.sampled_from(["missing", "stale", "corrupt"]), st.integers(1, 9))


def agenda(
    ago: float | None, state: RunState = RunState.DONE, run_id: UUID | None = None
) -> Agenda:
    """The last repair ended so many seconds ago, or there was none."""
    if ago is None:
        return Agenda(NOW, waiting=False, last_repair=None)
    ended = NOW - timedelta(seconds=ago)
    last = ConsistencyRun(
        id=run_id or new_id(),
        order=RunOrder(RunKind.REPAIR),
        state=state,
        attempts=1,
        requested_by=None,
        requested_at=ended,
        started_at=ended,
        finished_at=ended,
        drift={},
        report={},
        reason=None,
    )
    return Agenda(NOW, waiting=False, last_repair=last)


def test_the_first_repair_is_due_at_once() -> None:
    assert Schedule(HOUR).wait(agenda(None)) == 0


@pytest.mark.parametrize("ago", [None, 0.0, 10 * HOUR])
def test_nothing_is_ever_due_without_a_schedule(ago: float | None) -> None:
    assert Schedule(0).wait(agenda(ago)) is None


@given(st.uuids(), st.floats(0, 3 * HOUR))
def test_a_repair_is_due_an_interval_after_the_last_one_give_or_take_a_tenth(
    run_id: UUID, ago: float
) -> None:
    wait = Schedule(HOUR).wait(agenda(ago, run_id=run_id))
    assert wait is not None
    assert wait >= 0
    assert wait == 0 or 0.9 * HOUR - 1 <= ago + wait <= 1.1 * HOUR + 1
    assert ago >= 0.9 * HOUR - 1 or wait > 0
    assert ago <= 1.1 * HOUR or wait == 0


def test_what_failed_is_tried_again_sooner_but_not_at_once() -> None:
    wait = Schedule(HOUR).wait(agenda(0.0, RunState.FAILED))
    assert wait is not None
    assert 0.09 * HOUR <= wait <= 0.11 * HOUR


def test_intervals_differ_from_run_to_run_and_are_the_same_for_every_worker() -> None:
    runs = [new_id() for _ in range(200)]
    drawn = [spread(run) for run in runs]
    assert drawn == [spread(run) for run in runs]
    assert min(drawn) < 0.93
    assert max(drawn) > 1.07
    assert sum(drawn) / len(drawn) == pytest.approx(1.0, abs=0.03)


def test_only_what_exceeds_the_drift_that_was_left_alone_is_new() -> None:
    assert newly_found({"missing": 5, "stale": 1}, {"missing": 3, "corrupt": 9}) == {
        "missing": 2,
        "stale": 1,
    }


@given(counts, counts)
def test_what_is_new_is_never_negative_and_never_more_than_was_found(
    found: dict[str, int], standing: dict[str, int]
) -> None:
    new = newly_found(found, standing)
    assert all(0 < count <= found[kind] for kind, count in new.items())
    assert newly_found(found, found) == {}
    assert newly_found(found, {}) == found
