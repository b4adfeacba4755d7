"""How fast tasks are listed, read and created over REST, beside the bare SQL of the same.

    .venv/bin/python benchmarks/records.py

Invariant: both answer about the same rows of the same PostgreSQL in turns, so that a busy moment
of the machine hits both.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from psycopg2.extensions import connection

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.bare_records import BareRecords, fill, postgres_of
from benchmarks.floor import running_floor
from benchmarks.measures import percentile
from benchmarks.report import show_machine, show_table
from benchmarks.service import Account, running_service

OPERATIONS = ("list", "get", "create")
WARM_UP = 50
GOAL = 2.0

Operation = Callable[[int], object]


@click.command()
@click.option("--rows", default=100_000, show_default=True, help="How many tasks there are.")
@click.option("--clients", default=8, show_default=True, help="How many ask at the same time.")
@click.option("--requests", default=1_000, show_default=True, help="How many of each kind.")
def main(rows: int, clients: int, requests: int) -> None:
    """Measure the latency and the throughput of tasks over REST, beside bare SQL.

    The tasks belong to as many accounts as there are clients. Nothing else should be running on the
    machine. Takes about two minutes on two cores. The stack is gunicorn, Flask and psycopg2 with
    next to nothing in it: benchmarks/floor.py.
    """
    show_machine()
    with (
        tempfile.TemporaryDirectory(prefix="atom-records-") as folder,
        running_service(Path(folder)) as service,
        postgres_of(service) as (address, connect),
    ):
        accounts = [service.register() for _ in range(clients)]
        with connect() as postgres:
            known = fill(postgres, [account.id for account in accounts], rows)
        click.echo(f"{rows} tasks of {clients} accounts, {requests} requests of each kind")
        with ExitStack() as stack:
            callers = [
                _Caller.of(service.url, account, known[account.id], stack.enter_context(connect()))
                for account in accounts
            ]
            with running_floor(address, accounts[0].id) as floor:
                stack_alone = _operations(floor, accounts[0], known[accounts[0].id])
                _show_alone(callers[0], stack_alone, requests)
            _show_together(callers, requests)


@dataclass(frozen=True, slots=True)
class _Caller:
    """One account's ways to do each operation: over REST, and in SQL."""

    rest: dict[str, Operation]
    bare: dict[str, Operation]

    @classmethod
    def of(cls, url: str, account: Account, known: Sequence[str], postgres: connection) -> _Caller:
        bare = BareRecords(postgres.cursor(), account.id)
        chosen = _chosen(known)
        return cls(
            rest=_operations(url, account, known),
            bare={
                "list": lambda _: bare.listed(20),
                "get": lambda n: bare.read(chosen[n % len(chosen)]),
                "create": lambda n: bare.create(f"Errand {n}"),
            },
        )


def _operations(url: str, account: Account, known: Sequence[str]) -> dict[str, Operation]:
    """Over REST, whoever answers at this address."""
    client, chosen = _Client(url, account), _chosen(known)
    return {
        "list": lambda _: client.ask("GET", "/v1/tasks?limit=20"),
        "get": lambda n: client.ask("GET", f"/v1/tasks/{chosen[n % len(chosen)]}"),
        "create": lambda n: client.ask("POST", "/v1/tasks", {"title": f"Errand {n}"}),
    }


def _chosen(known: Sequence[str]) -> list[str]:
    """In an order that no cache likes, and everybody asks in."""
    return random.Random(1).choices(known, k=len(known))


class _Client:
    """One connection of one account, over the plainest client there is."""

    def __init__(self, url: str, account: Account) -> None:
        self._http = HTTPConnection(urlsplit(url).netloc, timeout=120)
        self._headers = {
            "Authorization": f"Bearer {account.access_token}",
            "Content-Type": "application/json",
        }

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer. Raises RuntimeError where it is an error."""
        sent = None if body is None else json.dumps(body)
        self._http.request(method, path, sent, self._headers)
        answer = self._http.getresponse()
        value = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {value[:500]!r}")
        return json.loads(value)


def _show_alone(caller: _Caller, stack: dict[str, Operation], requests: int) -> None:
    rows = []
    for name in OPERATIONS:
        ways = {"bare": caller.bare[name], "stack": stack[name], "rest": caller.rest[name]}
        times: dict[str, list[float]] = {way: [] for way in ways}
        for n in range(WARM_UP + requests):
            for way, operation in ways.items():
                times[way].append(_milliseconds(operation, n))
        bare, floor, rest = (sorted(times[way][WARM_UP:]) for way in ways)
        above = [percentile(one, 0.5) - percentile(bare, 0.5) for one in (rest, floor)]
        rows.append([name, *_percentiles(bare), *_percentiles(rest), *(f"{x:.2f}" for x in above)])
    header = ["one client", "SQL p50, ms", "SQL p95, ms", "p50, ms", "p95, ms"]
    show_table([*header, "p50 above SQL, ms", "the stack alone above SQL, ms"], rows)
    click.echo(f"goal: at most {GOAL} ms above the bare SQL\n")


def _show_together(callers: Sequence[_Caller], requests: int) -> None:
    """The clients share the processors with the service, so this is what it gives at least."""
    rows = []
    for name in OPERATIONS:
        bare = _throughput([caller.bare[name] for caller in callers], requests)
        rest = _throughput([caller.rest[name] for caller in callers], requests)
        rows.append([name, *bare, *rest])
    header = [f"{len(callers)} clients", "SQL/s", "SQL p50, ms", "requests/s", "p50, ms"]
    show_table(header, rows)


def _throughput(operations: Sequence[Operation], requests: int) -> list[str]:
    each = requests // len(operations)

    def run(operation: Operation) -> list[float]:
        return [_milliseconds(operation, n) for n in range(each)]

    started = time.perf_counter()
    with ThreadPoolExecutor(len(operations)) as pool:
        times = [one for some in pool.map(run, operations) for one in some]
    speed = len(times) / (time.perf_counter() - started)
    return [f"{speed:.0f}", f"{percentile(times, 0.5):.2f}"]


def _milliseconds(operation: Operation, n: int) -> float:
    started = time.perf_counter()
    operation(n)
    return (time.perf_counter() - started) * 1000


def _percentiles(times: Sequence[float]) -> list[str]:
    return [f"{percentile(times, share):.2f}" for share in (0.5, 0.95)]


if __name__ == "__main__":
    main()
