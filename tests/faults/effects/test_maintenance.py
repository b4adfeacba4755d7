"""Maintenance fails, or its process is killed in the midst of it: no answer changes."""

from __future__ import annotations

from contextlib import closing
from signal import SIGKILL

import pytest

from atom_backend.coordinator.upkeep import Upkeep
from atom_backend.errors import VectorStoreUnavailable
from tests.faults.effects.judging import assert_made_good
from tests.faults.effects.operations import ONE, TWO
from tests.faults.effects.processes import Processes, Strike, killed
from tests.faults.effects.program import work
from tests.faults.effects.users import User
from tests.integration.coordinator.stage import Stage
from tests.stores import open_store
from tests.watching import FailingAt, watched_vectors


@pytest.fixture
def scattered(stage: Stage, user: User) -> User:
    """Indexed one by one, rewritten and deleted in part: something to compact, index and prune."""
    user.load({str(number): TWO for number in range(8)})
    stage.converge(stage.relay(batch=1))
    user.delete("3")
    user.load({str(number): ONE for number in range(5, 7)})
    stage.converge(stage.relay(batch=1))
    return user


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15])
def test_a_process_killed_in_the_midst_of_maintenance_loses_nothing(
    stage: Stage, scattered: User, processes: Processes, delay: float
) -> None:
    strike = Strike(("before", "maintain"), SIGKILL, delay)
    assert killed(processes.start(work, [strike]))
    assert_made_good(stage, scattered)
    stage.vectors.maintain()
    scattered.put("after", TWO)
    stage.converge()
    assert_made_good(stage, scattered)


@pytest.mark.parametrize("when", ["before", "after"])
def test_maintenance_that_failed_is_done_next_time(
    stage: Stage, scattered: User, when: str
) -> None:
    outage = FailingAt((when, "maintain"), VectorStoreUnavailable())
    with closing(open_store(stage.lance)) as vectors:
        upkeep = Upkeep(stage.transactions, watched_vectors(vectors, outage))
        with pytest.raises(VectorStoreUnavailable):
            upkeep.run_once()
        said = upkeep.run_once()
    assert ("document_chunks" in said) == (when == "before")
    assert_made_good(stage, scattered)
