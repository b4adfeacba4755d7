"""A worker process that is stopped past its lease and wakes up late overwrites nothing (I8).

Another worker has done its work by then, or users have changed or removed what it was busy with.
"""

from __future__ import annotations

from collections.abc import Callable
from signal import SIGKILL, SIGSTOP

import pytest

from atom_backend.domain.drift import Drift
from tests.faults.effects.judging import assert_made_good
from tests.faults.effects.operations import (
    case_name,
    create_again,
    delete,
    leave,
    nothing,
    one,
    replace,
)
from tests.faults.effects.processes import Processes, Strike, ended, go_on, killed, stopped
from tests.faults.effects.program import work
from tests.faults.effects.users import User
from tests.integration.coordinator.stage import Stage
from tests.watching import Moment

INDEXING: list[Moment] = [
    ("after", "lease"),
    ("after", "extend"),
    ("after", "add_chunks"),
    ("after", "add_processed"),
    ("after", "drop_older"),
]
REMOVING: list[Moment] = [("after", "lease"), ("after", "drop_items"), ("after", "holding")]


def put_again(user: User) -> None:
    user.put("a", "Here again.\n\nAs another document.")


def sleep_through(
    stage: Stage, user: User, processes: Processes, moment: Moment, meanwhile: Callable[..., object]
) -> None:
    late = processes.start(work, [Strike(moment, SIGSTOP)])
    assert stopped(late)
    meanwhile(user)
    stage.expire_leases()
    stage.converge()
    assert_made_good(stage, user)
    go_on(late)
    assert ended(late)
    assert_made_good(stage, user)


@pytest.mark.parametrize("moment", INDEXING, ids=case_name)
@pytest.mark.parametrize("meanwhile", [nothing, replace, delete, create_again, leave])
def test_a_worker_that_wakes_up_late_leaves_no_trace_of_what_it_was_writing(
    stage: Stage,
    user: User,
    processes: Processes,
    moment: Moment,
    meanwhile: Callable[[User], object],
) -> None:
    one(user)
    sleep_through(stage, user, processes, moment, meanwhile)


@pytest.mark.parametrize("moment", REMOVING, ids=case_name)
@pytest.mark.parametrize("meanwhile", [nothing, put_again, leave])
def test_a_worker_that_wakes_up_late_removes_nothing_but_what_is_gone(
    stage: Stage,
    user: User,
    processes: Processes,
    moment: Moment,
    meanwhile: Callable[[User], object],
) -> None:
    one(user)
    stage.converge()
    delete(user)
    sleep_through(stage, user, processes, moment, meanwhile)


@pytest.mark.parametrize("death", ["add_chunks", "add_processed"])
@pytest.mark.parametrize("meanwhile", [nothing, replace, delete, leave])
def test_what_a_late_worker_leaves_when_it_is_killed_is_found_and_repaired(
    stage: Stage,
    user: User,
    processes: Processes,
    meanwhile: Callable[[User], object],
    death: str,
) -> None:
    """Nobody else can know of what it added when it was no longer its turn."""
    one(user)
    strikes = [Strike(("after", "extend"), SIGSTOP), Strike(("after", death), SIGKILL)]
    late = processes.start(work, strikes)
    assert stopped(late)
    meanwhile(user)
    stage.expire_leases()
    stage.converge()
    assert stage.check().run().in_step
    go_on(late)
    assert killed(late)
    gone = 2 - len(user.texts)
    assert stage.check().run().counts.get(Drift.ORPHANED, 0) == gone
    repaired = stage.repair().run()
    assert (repaired.requeued, repaired.pruned) == (2 - gone, gone)
    stage.converge()
    assert stage.check().run().in_step
    assert stage.repair().run().drift.in_step
    assert_made_good(stage, user)


def test_a_worker_that_sleeps_within_a_transaction_holds_up_a_user_only_so_long(
    stage: Stage, user: User, processes: Processes
) -> None:
    """PostgreSQL ends the transaction, and with it the locks on the entries."""
    one(user)
    late = processes.start(work, [Strike(("within", "lease"), SIGSTOP)])
    assert stopped(late)
    replace(user)
    stage.converge()
    assert_made_good(stage, user)
    go_on(late)
    assert ended(late)
    assert_made_good(stage, user)
