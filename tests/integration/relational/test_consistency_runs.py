"""Runs of check and repair: queued once, taken by one attempt, ended once, counted once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from uuid import UUID

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.consistency import (
    MOST_ATTEMPTS,
    Agenda,
    ConsistencyRun,
    ConsistencyTotals,
    RunKind,
    RunOrder,
    RunState,
)
from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.errors import ConfigurationError, NotFound
from atom_backend.relational.tables import CONSISTENCY_CHANNEL
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.relational.wakeup import PostgresWakeup
from tests.conftest import RunSql
from tests.integration.relational.racing import together
from tests.making import a_user

CHECK, REPAIR = RunOrder(RunKind.CHECK), RunOrder(RunKind.REPAIR)
DRY = RunOrder(RunKind.REPAIR, dry_run=True)
AGE = "update consistency_runs set finished_at = finished_at - make_interval(days => :days)"


@pytest.fixture
def admin(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions, role=Role.ADMIN)


def ask(transactions: PostgresTransactions, admin: Principal, order: RunOrder) -> ConsistencyRun:
    with transactions.owner(admin) as work:
        return work.consistency.request(order)


def read(transactions: PostgresTransactions, admin: Principal, run_id: UUID) -> ConsistencyRun:
    with transactions.owner(admin) as work:
        return work.consistency.get(run_id)


def take(transactions: PostgresTransactions) -> ConsistencyRun | None:
    with transactions.worker() as work:
        return work.consistency.take()


def taken(transactions: PostgresTransactions) -> ConsistencyRun:
    run = take(transactions)
    assert run is not None
    return run


def finish(
    transactions: PostgresTransactions, run: ConsistencyRun, drift: Mapping[str, int]
) -> bool:
    with transactions.worker() as work:
        return work.consistency.finish(run, {"counts": drift}, drift)


def fail(transactions: PostgresTransactions, run: ConsistencyRun) -> bool:
    with transactions.worker() as work:
        return work.consistency.fail(run, "LanceDB does not answer.")


def ran(
    transactions: PostgresTransactions, admin: Principal, order: RunOrder, **drift: int
) -> ConsistencyRun:
    """A whole run that found this."""
    run = ask(transactions, admin, order)
    assert finish(transactions, taken(transactions), drift)
    return run


def totals(transactions: PostgresTransactions) -> ConsistencyTotals:
    with transactions.worker() as work:
        return work.consistency.totals()


def agenda(transactions: PostgresTransactions) -> Agenda:
    with transactions.worker() as work:
        return work.consistency.agenda()


def test_a_run_is_queued_then_running_then_done_with_its_report(
    transactions: PostgresTransactions, admin: Principal
) -> None:
    asked = ask(transactions, admin, CHECK)
    assert (asked.state, asked.order, asked.attempts) == (RunState.QUEUED, CHECK, 0)
    assert asked.requested_by == admin.user_id
    run = taken(transactions)
    assert (run.id, run.state, run.attempts) == (asked.id, RunState.RUNNING, 1)
    assert finish(transactions, run, {"missing": 2})
    done = read(transactions, admin, asked.id)
    assert (done.state, done.reason) == (RunState.DONE, None)
    assert (done.drift, done.report) == ({"missing": 2}, {"counts": {"missing": 2}})
    assert done.seconds is not None
    assert done.seconds >= 0
    assert take(transactions) is None


def test_a_run_that_failed_says_why(transactions: PostgresTransactions, admin: Principal) -> None:
    asked = ask(transactions, admin, REPAIR)
    assert fail(transactions, taken(transactions))
    failed = read(transactions, admin, asked.id)
    assert (failed.state, failed.reason) == (RunState.FAILED, "LanceDB does not answer.")
    assert (failed.report, failed.drift) == (None, None)


def test_asking_again_gives_the_run_that_is_queued_already(
    transactions: PostgresTransactions, admin: Principal
) -> None:
    runs = {order: ask(transactions, admin, order) for order in (CHECK, REPAIR, DRY)}
    assert len({run.id for run in runs.values()}) == 3
    another = a_user(transactions, role=Role.ADMIN)
    for order, run in runs.items():
        assert ask(transactions, another, order) == run
    begun = taken(transactions)
    assert begun.order == CHECK, "who has waited for longest is served first"
    assert ask(transactions, admin, CHECK).id != begun.id


def test_many_who_ask_at_once_get_one_run(
    transactions: PostgresTransactions, admin: Principal
) -> None:
    answers = together(lambda _: ask(transactions, admin, REPAIR).id, 6)
    assert len(set(answers)) == 1


def test_asking_wakes_those_who_wait_for_runs_and_nobody_else(
    transactions: PostgresTransactions, admin: Principal, database_url: str
) -> None:
    announced = PostgresWakeup(database_url, channel=CONSISTENCY_CHANNEL)
    with closing(announced) as runs, closing(PostgresWakeup(database_url)) as index:
        assert runs.wait(60)
        assert index.wait(60)
        ask(transactions, admin, CHECK)
        assert runs.wait(60)
        assert not index.wait(0.05)


def test_a_run_whose_worker_died_is_begun_again_and_given_up_in_the_end(
    transactions: PostgresTransactions, admin: Principal
) -> None:
    asked = ask(transactions, admin, CHECK)
    ask(transactions, admin, REPAIR)
    attempts = [taken(transactions) for _ in range(MOST_ATTEMPTS)]
    assert {run.id for run in attempts} == {asked.id}
    assert taken(transactions).order == REPAIR
    given_up = read(transactions, admin, asked.id)
    assert (given_up.state, given_up.reason) == (RunState.FAILED, "the worker did not finish")
    assert totals(transactions).failed == {"check": 1}


def test_a_worker_that_lost_its_run_to_another_changes_nothing(
    transactions: PostgresTransactions, admin: Principal
) -> None:
    asked = ask(transactions, admin, CHECK)
    late, present = taken(transactions), taken(transactions)
    assert not finish(transactions, late, {"missing": 1})
    assert not fail(transactions, late)
    with transactions.worker() as work:
        assert not work.consistency.give_back(late, "busy")
    assert totals(transactions).found == {}
    assert finish(transactions, present, {"stale": 1})
    assert not finish(transactions, present, {"stale": 1})
    assert read(transactions, admin, asked.id).drift == {"stale": 1}
    assert totals(transactions).found == {"stale": 1}
    assert (totals(transactions).done, totals(transactions).failed) == ({"check": 1}, {})


def test_a_run_that_is_given_back_may_be_given_back_for_ever(
    transactions: PostgresTransactions, admin: Principal
) -> None:
    asked = ask(transactions, admin, CHECK)
    for _ in range(MOST_ATTEMPTS + 1):
        with transactions.worker() as work:
            run = work.consistency.take()
            assert run is not None
            assert work.consistency.give_back(run, "busy")
        assert read(transactions, admin, asked.id).reason == "busy"
        ask(transactions, admin, CHECK)
    assert taken(transactions).id == asked.id


def test_the_schedule_queues_one_repair_on_nobodys_behalf(
    transactions: PostgresTransactions,
) -> None:
    with transactions.worker() as work:
        work.consistency.schedule()
        work.consistency.schedule()
    run = taken(transactions)
    assert (run.order, run.requested_by) == (REPAIR, None)
    assert finish(transactions, run, {})
    assert take(transactions) is None


def test_the_agenda_knows_what_waits_and_the_last_repair_that_ended(
    transactions: PostgresTransactions, admin: Principal
) -> None:
    assert (agenda(transactions).waiting, agenda(transactions).last_repair) == (False, None)
    repaired = ran(transactions, admin, REPAIR)
    ran(transactions, admin, DRY)
    ran(transactions, admin, CHECK)
    found = agenda(transactions)
    assert found.last_repair is not None
    assert (found.waiting, found.last_repair.id) == (False, repaired.id)
    failed = ask(transactions, admin, REPAIR)
    assert agenda(transactions).waiting
    run = taken(transactions)
    assert agenda(transactions).waiting, "it may be a dead worker's"
    fail(transactions, run)
    found = agenda(transactions)
    assert found.last_repair is not None
    assert (found.waiting, found.last_repair.id) == (False, failed.id)
    assert found.last_repair.finished_at is not None
    assert found.last_repair.finished_at <= found.now


def test_drift_is_counted_once_until_it_is_repaired_and_anew_when_it_comes_back(
    transactions: PostgresTransactions, admin: Principal
) -> None:
    ran(transactions, admin, CHECK, missing=5)
    ran(transactions, admin, CHECK, missing=5, stale=1)
    ran(transactions, admin, DRY, missing=6, stale=1)
    ran(transactions, admin, REPAIR, missing=6)
    found = totals(transactions)
    assert (found.found, found.drift) == ({"missing": 6, "stale": 1}, {"missing": 6})
    ran(transactions, admin, REPAIR, missing=2)
    ran(transactions, admin, CHECK)
    found = totals(transactions)
    assert (found.found, found.drift) == ({"missing": 8, "stale": 1}, {})
    assert found.done == {"check": 4, "repair": 2}
    assert found.seconds.keys() == found.done_at.keys() == {"check", "repair"}
    assert found.done_at["check"] > found.done_at["repair"]


def test_old_runs_are_swept_but_for_the_last_good_ones_and_the_totals_stay(
    transactions: PostgresTransactions, admin: Principal, sql: RunSql
) -> None:
    ran(transactions, admin, REPAIR, missing=1)
    kept = {ran(transactions, admin, REPAIR).id, ran(transactions, admin, CHECK).id}
    failed = ask(transactions, admin, CHECK)
    fail(transactions, taken(transactions))
    before = totals(transactions)
    sql(AGE, days=31)
    kept.add(ask(transactions, admin, CHECK).id)
    with transactions.worker() as work:
        assert work.sweep()["consistency_runs"] == 2
        assert work.sweep()["consistency_runs"] == 0
    with transactions.owner(admin) as owned:
        assert {run.id for run in owned.consistency.latest(99)} == kept
        with pytest.raises(NotFound):
            owned.consistency.get(failed.id)
    after = totals(transactions)
    assert (after.found, after.done, after.failed) == (before.found, before.done, before.failed)
    assert after.done_at.keys() == {"check", "repair"}


def test_no_more_than_the_newest_thousand_runs_are_kept(
    transactions: PostgresTransactions, admin: Principal, sql: RunSql
) -> None:
    oldest = ran(transactions, admin, CHECK)
    queued = ask(transactions, admin, REPAIR)
    sql("""
        insert into consistency_runs (id, kind, state, requested_at, finished_at, drift, report)
        select gen_random_uuid(), 'check', 'done', now() + make_interval(secs => n), now(),
            '{}', '{}'
        from generate_series(1, 1001) n
    """)
    with transactions.worker() as work:
        assert work.sweep()["consistency_runs"] == 2
    with pytest.raises(NotFound):
        read(transactions, admin, oldest.id)
    assert read(transactions, admin, queued.id) == queued


def test_nobody_but_a_present_administrator_sees_runs_or_asks_for_them(
    transactions: PostgresTransactions, admin: Principal
) -> None:
    run = ask(transactions, admin, CHECK)
    with transactions.sign_in() as work:
        work.set_role(admin.user_id, Role.SERVICE)
    for somebody in (admin, a_user(transactions)):
        with transactions.owner(somebody) as owned:
            assert owned.consistency.latest(9) == []
            assert owned.consistency.last(RunKind.CHECK) is None
            with pytest.raises(NotFound):
                owned.consistency.get(run.id)
        with pytest.raises(ConfigurationError):
            ask(transactions, somebody, REPAIR)


def test_a_run_outlives_the_account_that_asked_for_it(
    transactions: PostgresTransactions, admin: Principal, sql: RunSql
) -> None:
    run = ran(transactions, admin, CHECK)
    other = a_user(transactions, role=Role.ADMIN)
    sql("delete from users where id = :id", id=admin.user_id)
    assert read(transactions, other, run.id).requested_by is None
    with pytest.raises(NotFound):
        read(transactions, other, new_id())
