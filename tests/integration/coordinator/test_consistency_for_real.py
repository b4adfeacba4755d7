"""The consistency job with the real check and repair, on real stores."""

from __future__ import annotations

from collections.abc import Callable

from atom_backend.coordinator.consistency import ConsistencyJob
from atom_backend.domain.consistency import RunState, Schedule
from tests.integration.coordinator.looking import CHECK, DRY, REPAIR, Ask, Read
from tests.integration.coordinator.stage import Stage
from tests.making import a_document


def real_job(stage: Stage, seconds: float = 0.0) -> ConsistencyJob:
    return ConsistencyJob(stage.transactions, stage.check(), stage.repair(), Schedule(seconds))


def test_real_damage_is_found_by_a_check_and_mended_by_the_next_repair(
    stage: Stage, ask: Ask, read: Read
) -> None:
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.vectors.drop_items([document.id])
    job = real_job(stage)
    runs = []
    for order in (CHECK, DRY, REPAIR, CHECK):
        runs.append(ask(order))
        assert job.turn() == 0
        stage.converge()
    stage.assert_in_step()
    found = [read(run_id) for run_id in runs]
    assert [run.state for run in found] == [RunState.DONE] * 4
    assert [run.drift for run in found] == [{"missing": 1}] * 3 + [{}]
    check, _, repair, _ = (dict(run.report or {}) for run in found)
    assert check["examples"][0]["item_id"] == str(document.id)
    assert (repair["requeued"], repair["dry_run"]) == (1, False)


def test_a_repair_waits_for_the_one_that_an_operator_runs_by_command(
    stage: Stage, ask: Ask, read: Read
) -> None:
    run_id = ask(REPAIR)
    job = real_job(stage)
    with stage.transactions.elected("repair") as command:
        assert command
        for _ in range(3):
            assert job.turn() > 0, "asking again and again at once would not help"
            assert read(run_id).reason == "Another process is repairing at this moment."
    assert job.turn() == 0
    assert read(run_id).state is RunState.DONE


def test_without_lancedb_a_run_fails_and_says_so(stage: Stage, ask: Ask, read: Read) -> None:
    run_id = ask(CHECK)
    stage.lance.rename(stage.lance.with_name("away"))
    real_job(stage).turn()
    run = read(run_id)
    assert run.state is RunState.FAILED
    assert "LanceDB" in str(run.reason)


def test_a_real_check_is_left_in_its_midst_and_begun_again(
    stage: Stage, ask: Ask, read: Read
) -> None:
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.vectors.drop_items([document.id])
    run_id = ask(CHECK)
    stops: list[Callable[[], None]] = []
    check = stage.check(wait=lambda _: stops[0]())
    job = ConsistencyJob(stage.transactions, check, stage.repair(), Schedule(0))
    stops.append(job.cut_short)
    job.turn()
    left = read(run_id)
    assert (left.state, left.report) == (RunState.RUNNING, None)
    real_job(stage).turn()
    done = read(run_id)
    assert (done.state, done.drift, done.attempts) == (RunState.DONE, {"missing": 1}, 1)
