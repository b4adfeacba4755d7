"""Every file of a folder sent to the service as a calendar, and what became of it.

    .venv/bin/python benchmarks/calendars.py FOLDER

Each file is imported into a calendar of its own, exported again, and the export imported by a
second account. Two accounts whose events are not the same in every field, an answer of 5xx, and an
export of which a part is refused, are failures. At last the time that all events take in a year
is asked for, and their instances of that year are listed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import httpx

from benchmarks.measures import percentile
from benchmarks.report import show_machine, show_table
from benchmarks.service import Service, running_service

HOME = "Europe/Berlin"
YEAR = {"from": "2019-01-01T00:00:00Z", "to": "2020-01-01T00:00:00Z"}
_OF_THE_COPY = {
    *("id", "external_id", "revision", "created_at", "updated_at"),
    *("index_state", "index_reason", "chunk_count"),
}
"""What two copies of one event cannot have in common."""

_OF_WHOLE_DAYS = {"time_zone"}
"""Days have no zone in iCalendar; both accounts reckon them at home."""


@dataclass
class Found:
    """What has been counted so far; times are of one file, in milliseconds."""

    files: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    times: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


class Caller:
    """One account; every call is timed under its name."""

    def __init__(self, service: Service, found: Found) -> None:
        token = service.register().access_token
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=service.url, headers=headers, timeout=300)
        self._found = found

    def ask(self, what: str, method: str, path: str, **given: Any) -> httpx.Response:
        started = time.perf_counter()
        answer = self._http.request(method, path, **given)
        taken = (time.perf_counter() - started) * 1000
        self._found.times.setdefault(what, []).append(taken)
        return answer

    def take(self, what: str, content: bytes, calendar: str) -> httpx.Response:
        return self.ask(
            what,
            "POST",
            "/v1/events/import",
            params={"calendar": calendar, "time_zone": HOME},
            content=content,
            headers={"Content-Type": "text/calendar"},
        )

    def pages(self, what: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        """What a list shows on all of its pages."""
        while True:
            answer = self.ask(what, "GET", "/v1/events", params=query | {"limit": "200"})
            answer.raise_for_status()
            page = answer.json()
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            query = query | {"cursor": page["next_cursor"]}


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    show_machine()
    found = Found()
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    with tempfile.TemporaryDirectory() as data, running_service(Path(data)) as service:
        first, second = Caller(service, found), Caller(service, found)
        for number, file in enumerate(files):
            _try(first, second, found, file, f"file {number}")
        taken = first.ask("busy time of a year", "GET", "/v1/events/free-busy", params=YEAR)
        instances = sum(1 for _ in first.pages("instances of a year, a page", YEAR))
    _show(found, len(files), instances, len(taken.json().get("busy", [])))
    for failure in found.failures:
        click.secho(failure, fg="red")
    sys.exit(bool(found.failures))


def _try(first: Caller, second: Caller, found: Found, file: Path, calendar: str) -> None:
    """Import, import again, export, import the export elsewhere, and compare."""
    content = file.read_bytes()
    answer = first.take("import", content, calendar)
    found.files[f"{answer.status_code} {_code(answer)}".strip()] += 1
    if answer.status_code >= 500:
        found.failures.append(f"{file.name}: {answer.status_code} {answer.text[:200]}")
    if not answer.is_success:
        return
    lines = _lines(answer)
    found.parts.update(one.get("outcome", "broke off") for one in lines)
    found.parts["with notes"] += sum(bool(one["notes"]) for one in lines)
    if any("error" in one or (one["outcome"] == "refused" and not one["reason"]) for one in lines):
        found.failures.append(f"{file.name}: a part without a reason")
    again = _lines(first.take("import again", content, calendar))
    if any(one["outcome"] not in ("unchanged", "refused") for one in again):
        found.failures.append(f"{file.name}: sent again, it is not the same")
    export = first.ask("export", "GET", "/v1/events/export", params={"calendar": calendar})
    copied = _lines(second.take("import of an export", export.content, calendar))
    if any(one["outcome"] != "created" for one in copied):
        found.failures.append(f"{file.name}: of its export a part was not taken")
    query = {"calendar": calendar}
    original, copy = (
        sorted(map(_meaning, caller.pages("list, a page", query))) for caller in (first, second)
    )
    if original != copy:
        found.failures.append(f"{file.name}: its export means something else")
    found.parts["the same after export and import"] += len(original)


def _meaning(event: dict[str, Any]) -> str:
    left_out = _OF_THE_COPY | (_OF_WHOLE_DAYS if event["all_day"] else set())
    return json.dumps({name: event[name] for name in event.keys() - left_out}, sort_keys=True)


def _lines(answer: httpx.Response) -> list[dict[str, Any]]:
    answer.raise_for_status()
    return [json.loads(line) for line in answer.text.splitlines()]


def _code(answer: httpx.Response) -> str:
    return "" if answer.is_success else str(answer.json().get("code"))


def _show(found: Found, files: int, instances: int, busy: int) -> None:
    show_table(["files", str(files)], [[name, str(n)] for name, n in sorted(found.files.items())])
    show_table(["parts of files", ""], [[name, str(n)] for name, n in sorted(found.parts.items())])
    rows = [
        [name, str(len(times)), *(f"{percentile(times, share):.1f}" for share in (0.5, 0.95, 1.0))]
        for name, times in found.times.items()
    ]
    show_table(["requests", "number", "p50, ms", "p95, ms", "longest, ms"], rows)
    click.echo(f"{instances} instances and {busy} busy intervals from {YEAR['from']} on\n")


if __name__ == "__main__":
    main()
