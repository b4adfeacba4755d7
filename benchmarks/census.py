"""What a check costs, beside reading the same columns of both stores and doing nothing with them.

    .venv/bin/python benchmarks/census.py [ITEMS]

Invariant: each run has a process of its own and they take turns, so that neither finds memory or
caches that another one does not.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import click
import lancedb
import psycopg2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from atom_backend.coordinator.check import Check
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from benchmarks.full_stores import CHUNKS, PROCESSED, SPEC, Place, full_stores
from benchmarks.report import show_machine, show_table

GOAL = 2.0
GOAL_MIB = 1024
_COPIES = (
    "select item_id, owner_id, revision, indexed_revision, fence, chunk_count, state, deleted, spec"
    " from index_entries",
    "select id, owner_id, content_revision, content_hash from items",
)


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds, and how much memory was in use at its height beyond what was before, in MiB."""

    seconds: float
    mebibytes: float


@click.command()
@click.argument("items", type=click.IntRange(1), default=1_000_000)
@click.option("--turns", default=3, show_default=True, help="How often each is run.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="For the stores.")
def main(items: int, turns: int, folder: Path | None) -> None:
    """Fill both stores with ITEMS items of one chunk each, and check them.

    A million items need 6 GB of disk and take some minutes to be made. Nothing else should be
    running on the machine.
    """
    show_machine()
    with tempfile.TemporaryDirectory(prefix="atom-census-", dir=folder) as made:
        Path(made).chmod(0o755)
        with full_stores(Path(made), items) as place:
            click.echo(f"{items} items, {items} chunks")
            _show([(_in_process(bare, place), _in_process(check, place)) for _ in range(turns)])


def _show(turns: list[tuple[Run, Run]]) -> None:
    rows = [
        [
            str(turn),
            *(f"{one:.2f}" for one in (b.seconds, c.seconds, c.seconds / b.seconds)),
            *(f"{one.mebibytes:.0f}" for one in (b, c)),
        ]
        for turn, (b, c) in enumerate(turns, start=1)
    ]
    heading = ["turn", "bare, s", "check, s", "check / bare", "bare, MiB", "check, MiB"]
    show_table(heading, rows)
    ratio = median(c.seconds / b.seconds for b, c in turns)
    memory = max(c.mebibytes - b.mebibytes for b, c in turns)
    click.echo(f"median ratio {ratio:.2f}, goal at most {GOAL}")
    click.echo(f"at most {memory:.0f} MiB more than bare, goal less than {GOAL_MIB}")


def bare(place: Place) -> Callable[[], None]:
    """COPY and scan, to nowhere."""
    postgres = psycopg2.connect(place.dsn)

    def run() -> None:
        with postgres.cursor() as cursor:
            for query in _COPIES:
                cursor.copy_expert(f"copy ({query}) to stdout (format binary)", _Nowhere())
        asyncio.run(_scan(place.lance))

    return run


def check(place: Place) -> Callable[[], None]:
    """The service's own check."""
    transactions = PostgresTransactions(create_engine(place.url))
    vectors = place.vectors()

    def run() -> None:
        with closing(vectors):
            report = Check(transactions, vectors, spec=lambda: SPEC).run()
        if not report.in_step:
            raise SystemExit(str(report))

    return run


class _Nowhere:
    """A file that forgets what is written to it."""

    def write(self, _: bytes) -> None: ...


async def _scan(folder: str) -> None:
    database = await lancedb.connect_async(folder)
    for name in (PROCESSED, CHUNKS):
        table = await database.open_table(name)
        async for _ in await table.query().to_batches():
            pass


def _in_process(what: Callable[[Place], Callable[[], None]], place: Place) -> Run:
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(what, place, sender))
    process.start()
    sender.close()
    run: Run = receiver.recv()
    process.join()
    return run


def _measure(what: Callable[[Place], Callable[[], None]], place: Place, sender: Any) -> None:
    run = what(place)
    before = _highest_mebibytes()
    begun = time.perf_counter()
    run()
    seconds = time.perf_counter() - begun
    sender.send(Run(seconds, _highest_mebibytes() - before))


def _highest_mebibytes() -> float:
    """The most memory that this process ever had (Linux: VmHWM of proc(5))."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
