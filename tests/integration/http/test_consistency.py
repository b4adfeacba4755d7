"""What an administrator sees of checks and repairs, and that nobody else sees any of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from atom_backend.bootstrap import Runtime, open_worker
from atom_backend.cli.status import command as status_command
from atom_backend.clock import new_id
from atom_backend.domain.drift import Drift
from atom_backend.domain.ports import Transactions
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.settings import Settings
from tests.conftest import run_sql
from tests.integration.http.conftest import Account, set_role
from tests.integration.relational.racing import until

BASE = "/v1/admin/consistency"
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", BASE, None),
    ("POST", f"{BASE}/check", {}),
    ("POST", f"{BASE}/repair", {}),
    ("GET", f"{BASE}/runs/{UUID(int=1)}", None),
]


@pytest.fixture
def worker(settings: Settings, runtime: Runtime) -> Iterator[Transactions]:
    """PostgreSQL as a worker has it, without any run."""
    assert settings.migration_database_url is not None
    assert settings.database_url is not None
    run_sql(settings.migration_database_url.get_secret_value(), "delete from consistency_runs")
    engine = create_engine(settings.database_url.get_secret_value(), max_connections=0)
    yield PostgresTransactions(engine)
    engine.dispose()


def run_next(worker: Transactions, **drift: int) -> UUID:
    """What a worker does with the run that waits; it finds this."""
    with worker.worker() as work:
        run = work.consistency.take()
        assert run is not None
        assert work.consistency.finish(run, {"counts": drift, "items": 7}, drift)
        return run.id


def asked(admin: Account, what: str, **body: Any) -> Any:
    answer = admin.post(f"{BASE}/{what}", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_it_is_for_administrators_only(account: Account, method: str, path: str, body: Any) -> None:
    anonymous = account.ask(method, path, json=body, headers={"Authorization": ""})
    assert (anonymous.status_code, anonymous.json["code"]) == (401, "unauthenticated")
    refused = account.ask(method, path, json=body)
    assert (refused.status_code, refused.json["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_who_is_no_administrator_any_more_is_refused_with_a_token_from_before(
    admin: Account, settings: Settings, method: str, path: str, body: Any
) -> None:
    assert admin.get(BASE).status_code == 200
    set_role(settings, admin, "user")
    refused = admin.ask(method, path, json=body)
    assert (refused.status_code, refused.json["code"]) == (401, "role_changed")


def test_a_run_is_accepted_polled_and_answered_with_its_report(
    admin: Account, worker: Transactions
) -> None:
    accepted = admin.post(f"{BASE}/check", json={})
    assert accepted.status_code == 202
    address = accepted.headers["Location"]
    assert address == f"{BASE}/runs/{accepted.json['id']}"
    queued = admin.get(address).json
    assert (queued["state"], queued["kind"], queued["report"]) == ("queued", "check", None)
    assert queued["requested_by"] == admin.registered["user"]["id"]
    assert str(run_next(worker, missing=3)) == accepted.json["id"]
    done = admin.get(address).json
    assert (done["state"], done["drift"]) == ("done", {"missing": 3})
    assert done["report"] == {"counts": {"missing": 3}, "items": 7}
    assert done["seconds"] >= 0


def test_asking_again_while_one_is_queued_gives_the_same_run(
    admin: Account, worker: Transactions
) -> None:
    check, repair = asked(admin, "check"), asked(admin, "repair")
    dry = asked(admin, "repair", dry_run=True)
    assert (repair["dry_run"], dry["dry_run"]) == (False, True)
    assert len({check["id"], repair["id"], dry["id"]}) == 3
    again = admin.post(f"{BASE}/repair", json={"dry_run": True})
    assert again.headers["Location"] == f"{BASE}/runs/{dry['id']}"
    run_next(worker)
    assert asked(admin, "check")["id"] != check["id"]


def test_the_overview_has_the_last_runs_their_drift_and_what_waits(
    admin: Account, worker: Transactions
) -> None:
    repair = asked(admin, "repair")
    run_next(worker, stale=2)
    dry = asked(admin, "repair", dry_run=True)
    run_next(worker, missing=4)
    waiting = asked(admin, "check")
    said = admin.get(BASE).json
    assert said["last_repair"]["id"] == repair["id"]
    assert said["last_check"]["id"] == dry["id"], "a dry run mends nothing: it is a check"
    assert said["drift"] == {**{drift.value: 0 for drift in Drift}, "missing": 4}
    assert [run["id"] for run in said["runs"]] == [waiting["id"], dry["id"], repair["id"]]
    assert said["runs"][0]["state"] == "queued"
    assert said["depth"].keys() == {"due", "leased", "settled", "parked", "tombstones"}
    assert said["lag_seconds"] >= 0
    assert len(said["parked"]) == min(20, said["depth"]["parked"])


def test_a_service_that_never_ran_anything_says_so(admin: Account, worker: Transactions) -> None:
    said = admin.get(BASE).json
    assert (said["last_check"], said["last_repair"], said["runs"]) == (None, None, [])
    assert set(said["drift"].values()) == {0}


def test_a_run_that_does_not_exist_is_not_found(admin: Account) -> None:
    assert admin.get(f"{BASE}/runs/{new_id()}").status_code == 404


@pytest.mark.parametrize(
    ("what", "body"), [("check", {"dry_run": True}), ("repair", {"dry_run": "yes"})]
)
def test_an_order_that_makes_no_sense_is_refused(
    admin: Account, worker: Transactions, what: str, body: Any
) -> None:
    assert admin.post(f"{BASE}/{what}", json=body).status_code == 422
    assert admin.get(BASE).json["runs"] == []


def test_a_worker_with_the_fewest_connections_repairs_and_indexes_at_once(
    admin: Account, worker: Transactions, settings: Settings
) -> None:
    run, document = asked(admin, "repair"), admin.store()
    fewest = settings.model_copy(update={"db_max_connections": 2, "db_pool_timeout": 1.0})
    stop = Event()
    with open_worker(fewest) as working, ThreadPoolExecutor(1) as pool:
        running = pool.submit(working.run, stop)
        try:
            until(lambda: admin.get(f"{BASE}/runs/{run['id']}").json["state"] == "done")
            until(
                lambda: (
                    admin.get(f"/v1/documents/{document['id']}").json["index_state"] == "indexed"
                )
            )
        finally:
            stop.set()
            working.end_wait()
            running.result(20)


def status(settings: Settings, monkeypatch: pytest.MonkeyPatch, *options: str) -> str:
    """What the command prints on these stores."""
    monkeypatch.setattr(Settings, "from_environment", lambda: settings)
    done = CliRunner().invoke(status_command, options, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_status_command_shows_the_last_check_and_repair(
    admin: Account, worker: Transactions, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Check      none was run so far\n" in status(settings, monkeypatch)
    asked(admin, "check")
    run_next(worker, missing=2, stale=0)
    asked(admin, "repair")
    with worker.worker() as work:
        run = work.consistency.take()
        assert run is not None
        work.consistency.fail(run, "LanceDB does not answer.")
    said = status(settings, monkeypatch)
    assert re.search(r"^Check +\d{4}-\d\d-\d\d \d\d:\d\d UTC, in \d\.\d s: 2 missing$", said, re.M)
    assert re.search(r"^Repair +.* UTC: failed, LanceDB does not answer\.$", said, re.M)
    told = json.loads(status(settings, monkeypatch, "--json"))
    assert told["last_check"]["drift"] == {"missing": 2, "stale": 0}
    assert told["last_repair"]["state"] == "failed"


def metrics(account: Account) -> dict[tuple[str, ...], float]:
    """Every sample by its name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(account.get("/metrics").text)
        for sample in family.samples
    }


def test_the_metrics_add_up_what_runs_found(admin: Account, worker: Transactions) -> None:
    before = metrics(admin)
    assert all(("atom_drift_total", drift.value) in before for drift in Drift)
    asked(admin, "repair")
    run_next(worker, corrupt=2)
    after = metrics(admin)

    def growth(*name: str) -> float:
        """By how much a sample rose."""
        return after[name] - before[name]

    assert growth("atom_drift_total", "corrupt") == 2
    assert growth("atom_drift_total", "missing") == 0
    assert after["atom_drift_last_run", "corrupt"] == 2
    assert growth("atom_consistency_runs_total", "repair", "done") == 1
    assert (
        growth(
            "atom_repair_seconds_count",
        )
        == 1
    )
    assert (
        growth(
            "atom_repair_seconds_sum",
        )
        > 0
    )
    assert after["atom_consistency_last_run_timestamp_seconds", "repair"] > 0
