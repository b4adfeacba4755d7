"""Real mails and calendars in one account, and searches over both.

    .venv/bin/python benchmarks/together.py DATA_FOLDER

Asked are subjects of mails and titles of events, of which some hundred are drawn by a fixed seed.
Invariant: what a question should find is known before it is asked: a mail or an event of that name.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.mails import (
    client_of,
    every,
    import_mails,
    read_rows,
    wait_until_indexed,
)
from benchmarks.measures import percentile
from benchmarks.report import show_machine, show_table
from benchmarks.service import running_service

QUESTIONS = 200
WARM_UP = 20
_WEEK = {"happens_after": "2002-09-02T00:00:00Z", "happens_before": "2002-09-09T00:00:00Z"}


@click.command()
@click.argument("data_folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(data_folder: Path) -> None:
    """Import DATA_FOLDER's spamassassin/emails.jsonl and all files below calendars, and search."""
    show_machine()
    rows = read_rows(data_folder / "spamassassin")
    files = sorted(one for one in (data_folder / "calendars").rglob("*") if one.is_file())
    with (
        tempfile.TemporaryDirectory(prefix="atom-together-") as place,
        running_service(Path(place)) as service,
        client_of(service, service.register()) as client,
    ):
        started = time.perf_counter()
        import_mails(client, rows)
        for number, file in enumerate(files):
            _import_calendar(client, file.read_bytes(), f"file {number}")
        taken = time.perf_counter() - started
        for name in ("messages", "events"):
            wait_until_indexed(client, name)
        mails, events = list(every(client, "/v1/messages")), list(every(client, "/v1/events"))
        click.echo(f"{len(mails)} messages and {len(events)} events imported in {taken:.0f} s,")
        click.echo(f"all indexed after {time.perf_counter() - started:.0f} s\n")
        asked = {
            "subject": _drawn({one["subject"] for one in mails if one["subject"]}),
            "title": _drawn({one["title"] for one in events}),
        }
        _show_searches(client, asked)


def _import_calendar(client: httpx.Client, content: bytes, calendar: str) -> None:
    """A file that is no calendar at all is refused, which is no failure here."""
    answer = client.post(
        "/v1/events/import",
        params={"calendar": calendar, "time_zone": "Europe/Berlin"},
        content=content,
        headers={"Content-Type": "text/calendar"},
    )
    if answer.status_code >= 500:
        raise RuntimeError(f"{calendar}: {answer.status_code} {answer.text[:500]}")


def _drawn(names: set[str]) -> list[str]:
    long = sorted(name for name in names if len(name.split()) > 1)
    return random.Random(1).sample(long, min(QUESTIONS, len(long)))


def _show_searches(client: httpx.Client, asked: Mapping[str, Sequence[str]]) -> None:
    ways: dict[str, dict[str, Any]] = {
        "all kinds": {},
        "one kind": {"kinds": ["message"]},
        "a week": {"filter": _WEEK},
        "all kinds, facets": {"facets": ["kind", "month"]},
    }
    for question in asked["subject"][:WARM_UP]:
        _search(client, question, {})
    table = []
    for name, way in ways.items():
        times = []
        for question in (one for questions in asked.values() for one in questions):
            started = time.perf_counter()
            _search(client, question, way)
            times.append((time.perf_counter() - started) * 1000)
        table.append([name, *(f"{percentile(times, share):.1f}" for share in (0.5, 0.95))])
    show_table(["searches", "p50, ms", "p95, ms"], table)
    found = [
        [field, str(len(questions)), *_hits(client, field, questions)]
        for field, questions in asked.items()
    ]
    show_table(["asked for a", "questions", "among ten", "first"], found)


def _hits(client: httpx.Client, field: str, questions: Sequence[str]) -> Iterator[str]:
    """How often something of that name is among the first ten results, and the very first."""
    places = []
    for question in questions:
        results = _search(client, question, {})["results"]
        names = [one["message"] or one["event"] or {} for one in results]
        places.append([name.get(field) for name in names])
    both = list(zip(questions, places, strict=True))
    yield f"{sum(question in place for question, place in both) / len(both):.2f}"
    yield f"{sum(place[:1] == [question] for question, place in both) / len(both):.2f}"


def _search(client: httpx.Client, question: str, way: Mapping[str, Any]) -> Any:
    answer = client.post("/v1/search", json={"query": question, "limit": 10, **way})
    answer.raise_for_status()
    value = answer.json()
    if value["degraded"]:
        raise RuntimeError(f"the answer lacks {value['degraded']}")
    return value


if __name__ == "__main__":
    main()
