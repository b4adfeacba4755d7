"""An erasure never says "done" while LanceDB still holds something of the account."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from atom_backend.domain.erasures import Erasure, ErasureState
from atom_backend.errors import VectorStoreUnavailable
from tests.integration.coordinator.stage import Stage, in_background
from tests.invariants import CHUNKS, PROCESSED
from tests.making import a_document
from tests.watching import FailingAt, KilledAt, Moment, PausedAt

DEATHS = [
    (when, effect)
    for effect in ("lease", "drop_items", "holding", "purge")
    for when in ("before", "after")
] + [("within", "purge")]


class Leaver:
    """An account with indexed documents that was deleted, and what is said of its erasure."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        texts = (f"Number {n}." for n in range(3))
        self.items = [a_document(stage.transactions, stage.owner, text).id for text in texts]
        stage.converge()
        assert self.held() == set(self.items), "the test would prove nothing"
        with stage.transactions.owner(stage.owner) as work:
            work.account.remove()
            work.index.bury_all()
            self._id = work.erasures.begin(uuid4()).id

    def held(self) -> set[UUID]:
        """What LanceDB holds something of."""
        tables = (PROCESSED, CHUNKS)
        return {one for one in self.items if any(self._stage.rows(t, one) for t in tables)}

    def erasure(self) -> Erasure:
        """As it is told; checked against what LanceDB holds at this moment."""
        with self._stage.transactions.worker() as work:
            told = work.erasures.get(self._id)
        assert len(self.held()) <= told.items_left
        assert (told.completed_at is not None) == (told.state is ErasureState.DONE)
        return told


@pytest.mark.parametrize("moment", DEATHS)
def test_a_worker_that_dies_at_any_point_is_followed_by_one_that_completes_it(
    stage: Stage, moment: Moment
) -> None:
    leaver = Leaver(stage)
    stage.run_and_be_killed(KilledAt(moment))
    assert leaver.erasure().items_left == (0 if moment == ("after", "purge") else 3)
    stage.expire_leases()
    stage.converge()
    assert leaver.erasure().state is ErasureState.DONE
    assert leaver.held() == set()


@pytest.mark.parametrize("effect", ["drop_items", "holding"])
def test_while_lancedb_is_down_it_is_not_done_however_often_workers_try(
    stage: Stage, effect: str
) -> None:
    leaver = Leaver(stage)
    for _ in range(10):
        down = FailingAt(("before", effect), VectorStoreUnavailable())
        report = stage.relay(announce=down).run_once()
        assert (report.removed, report.parked, report.outage) == (0, 0, "lancedb_unavailable")
        assert leaver.erasure().items_left == 3
        stage.let_time_pass()
    stage.converge()
    assert leaver.erasure().state is ErasureState.DONE


def test_a_worker_that_has_emptied_lancedb_and_lost_its_lease_completes_nothing(
    stage: Stage,
) -> None:
    """Another one has taken over, and it is that one's word which counts."""
    leaver = Leaver(stage)
    pause = PausedAt(("after", "holding"))
    late = in_background(stage.relay(announce=pause))
    pause.wait()
    stage.expire_leases()
    with stage.transactions.worker() as work:
        taken = work.index.lease(uuid4(), limit=9, seconds=60, suspects=False, max_attempts=9)
    assert len(taken) == 3
    pause.go_on()
    assert late.result().removed == 0
    assert leaver.erasure().items_left == 3
    stage.expire_leases()
    stage.converge()
    assert leaver.erasure().state is ErasureState.DONE
