"""A worker process is killed by SIGKILL at every effect that it has.

Killed before its first effect, within every transaction that is not committed yet, and after every
effect, which is before the next one. Another worker ends with both stores exactly in step.
"""

from __future__ import annotations

from signal import SIGKILL

import pytest

from atom_backend.errors import DatabaseUnavailable, StoredDataError, VectorStoreUnavailable
from tests.faults.effects.judging import assert_made_good, assert_settled_is_whole
from tests.faults.effects.operations import (
    EFFECTS,
    IN_POSTGRESQL,
    Operation,
    case_name,
    create,
    create_again,
    one,
)
from tests.faults.effects.processes import Failure, Processes, Strike, killed
from tests.faults.effects.program import work
from tests.faults.effects.users import User
from tests.integration.coordinator.stage import Stage
from tests.watching import Moment

MOMENTS = [
    (operation, (when, effect))
    for operation, effect in EFFECTS
    for when in ("before", "within", "after")
    if when == "after"
    or (when == "within" and effect in IN_POSTGRESQL - {"sources"})
    or (when == "before" and effect == "lease")
]


GIVING_UP = [
    (Failure(("before", "add_chunks"), VectorStoreUnavailable()), "postpone"),
    (Failure(("before", "add_chunks"), StoredDataError("odd")), "park"),
    (Failure(("after", "lease"), DatabaseUnavailable()), "give_back"),
]


@pytest.mark.parametrize(("operation", "moment"), MOMENTS, ids=case_name)
def test_what_a_killed_worker_leaves_is_made_good_by_the_next(
    stage: Stage, user: User, processes: Processes, operation: Operation, moment: Moment
) -> None:
    operation.before(user)
    stage.converge()
    operation.act(user)
    assert killed(processes.start(work, [Strike(moment, SIGKILL)]))
    assert_settled_is_whole(stage)
    stage.expire_leases()
    stage.converge()
    assert_made_good(stage, user)


@pytest.mark.parametrize("when", ["within", "after"])
@pytest.mark.parametrize("given_up", GIVING_UP, ids=lambda one: one[1])
def test_a_worker_may_be_killed_while_it_gives_up(
    stage: Stage, user: User, processes: Processes, given_up: tuple[Failure, str], when: str
) -> None:
    failure, effect = given_up
    create(user)
    assert killed(processes.start(work, [failure, Strike((when, effect), SIGKILL)]))
    with stage.transactions.worker() as worker:
        assert worker.repairs.retry_parked() == ((when, effect) == ("after", "park"))
    stage.let_time_pass()
    stage.converge()
    assert_made_good(stage, user)


def test_what_worker_after_worker_leaves_is_made_good_by_the_last(
    stage: Stage, user: User, processes: Processes
) -> None:
    """Three deaths are not yet a reason to park anything."""
    one(user)
    stage.converge()
    create_again(user)
    for moment in (("after", "add_processed"), ("within", "confirm"), ("after", "drop_older")):
        assert killed(processes.start(work, [Strike(moment, SIGKILL)]))
        stage.expire_leases()
    stage.converge()
    assert_made_good(stage, user)
