"""How fast a search is over REST, beside its bare parts called directly.

    .venv/bin/python benchmarks/search.py DATA_FOLDER

Invariant: the service and the bare parts answer the same questions from the same stores in turns,
one at a time, so that a busy moment of the machine hits both.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import click

# LanceDB warns about each of its own hybrid queries, and writing that takes longer than the query.
os.environ.setdefault("LANCEDB_LOG", "error")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.bare import bare_parts
from benchmarks.measures import percentile
from benchmarks.report import show_machine, show_table
from benchmarks.retrieval_sets import read_set
from benchmarks.service import Account, Service, running_service

MODES = ("hybrid", "vector", "text")
BARE = "bare "
ENCODED = "text, encoded too"
"""The parts of the other modes with a search by words: the question is encoded for nothing."""
WARM_UP = 20
GOAL = 1.5

Search = Callable[[str], object]


@click.command()
@click.argument("data_folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--set", "name", default="scifact-subset", show_default=True, help="Which set.")
@click.option("--questions", default=300, show_default=True, help="How many of each kind.")
@click.option("--clients", default=8, show_default=True, help="How many ask at the same time.")
def main(data_folder: Path, name: str, questions: int, clients: int) -> None:
    """Measure the latency of searches, and how many per second many clients get.

    DATA_FOLDER holds the set's folder with its corpus.jsonl, queries.jsonl and qrels.tsv. All its
    documents are loaded first. Nothing else should be running on the machine. Takes about three
    minutes on two cores.
    """
    show_machine()
    chosen = read_set(data_folder / name)
    asked = list(islice(cycle(query.text for query in chosen.queries), questions))
    with (
        tempfile.TemporaryDirectory(prefix="atom-search-") as folder,
        running_service(Path(folder)) as service,
    ):
        account = service.register()
        with service.client(account) as client:
            client.load(chosen.documents)
            client.wait_until_indexed()
        click.echo(f"{name}: {len(chosen.documents)} documents, {questions} questions of each kind")
        _show_latencies(_latencies(service, account, asked))
        _show_throughput(service, account, asked, clients)


def _latencies(service: Service, account: Account, asked: Sequence[str]) -> dict[str, list[float]]:
    """Milliseconds of every question, by who answered it."""
    with service.client(account) as client, bare_parts(service, account.id) as bare:
        searches: dict[str, Search] = {}
        for mode in MODES:
            searches[BARE + mode] = partial(bare.search, mode=mode)
            searches[mode] = partial(client.search, mode=mode)
        searches[BARE + ENCODED] = partial(bare.search, mode="text", encoded=True)
        for query in asked[:WARM_UP]:
            for search in searches.values():
                search(query)
        timed: dict[str, list[float]] = {name: [] for name in searches}
        for query in asked:
            for name, search in searches.items():
                timed[name].append(_milliseconds(search, query))
        return timed


def _milliseconds(search: Search, query: str) -> float:
    started = time.perf_counter()
    search(query)
    return (time.perf_counter() - started) * 1000


def _show_latencies(timed: dict[str, list[float]]) -> None:
    compared = [*((mode, mode) for mode in MODES), ("text", ENCODED)]
    rows = [
        [parts, *_percentiles(timed[BARE + parts]), *_percentiles(timed[mode]), ratio]
        for mode, parts in compared
        for ratio in [_ratio(timed[mode], timed[BARE + parts])]
    ]
    header = ["one client", "bare p50, ms", "bare p95, ms", "p50, ms", "p95, ms", "p50 / bare p50"]
    show_table(header, rows)
    click.echo(f"goal: at most {GOAL} times the bare parts of the same mode\n")


def _ratio(times: Sequence[float], bare: Sequence[float]) -> str:
    return f"{percentile(times, 0.5) / percentile(bare, 0.5):.2f}"


def _percentiles(times: Sequence[float]) -> list[str]:
    return [f"{percentile(times, share):.1f}" for share in (0.5, 0.95)]


def _show_throughput(
    service: Service, account: Account, asked: Sequence[str], clients: int
) -> None:
    """The clients share the processor with the service, so this is what it gives at least."""
    rows = []
    for mode in MODES:
        ask = partial(_ask, service, account, mode)
        started = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            shares = [asked[place::clients] for place in range(clients)]
            times = [one for share in pool.map(ask, shares) for one in share]
        speed = len(times) / (time.perf_counter() - started)
        rows.append([mode, f"{speed:.0f}", *_percentiles(times)])
    show_table([f"{clients} clients", "answers/s", "p50, ms", "p95, ms"], rows)


def _ask(service: Service, account: Account, mode: str, asked: Sequence[str]) -> list[float]:
    with service.client(account) as client:
        search = partial(client.search, mode=mode)
        return [_milliseconds(search, query) for query in asked]


if __name__ == "__main__":
    main()
