"""How fast real mails become messages in their conversations, over REST.

    .venv/bin/python benchmarks/mails.py FOLDER

FOLDER holds ``emails.jsonl``: mails as JSON rows, of which mails are made again with the fields
that the rows have. They are sent as one mbox to a service of their own, then a second time.
Invariant: whether replies are with what they answer is told from the rows, not by the service.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import click
import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measures import percentile
from benchmarks.report import show_machine, show_table
from benchmarks.service import Account, Service, running_service

Row = Mapping[str, Any]
_SEPARATOR = b"From sender Mon Jan  1 00:00:00 2001\n"
_FROM = re.compile(rb"^(>*From )", re.M)
_ID = re.compile(r"<\s*([^<>\s]+)\s*>")
_LOOKS = 50
_LOOK_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class Import:
    """The answer lines of one import, and its seconds."""

    lines: Sequence[Mapping[str, Any]]
    seconds: float

    def row(self, name: str) -> list[str]:
        outcomes = Counter(line["outcome"] for line in self.lines)
        words = ("created", "replaced", "unchanged", "refused")
        rate = len(self.lines) / self.seconds
        return [
            name,
            *(str(outcomes[word]) for word in words),
            f"{self.seconds:.1f}",
            f"{rate:.0f}",
        ]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Import the mails of FOLDER as messages, and read their conversations."""
    show_machine()
    rows = read_rows(folder)
    with (
        tempfile.TemporaryDirectory(prefix="atom-mails-") as place,
        running_service(Path(place)) as service,
    ):
        account = service.register()
        with client_of(service, account) as client:
            started = time.perf_counter()
            first = import_mails(client, rows)
            wait_until_indexed(client)
            indexed = time.perf_counter() - started
            again = import_mails(client, rows)
            heading = ["import", "created", "replaced", "unchanged", "refused", "s", "mails/s"]
            show_table(heading, [first.row("first"), again.row("again")])
            click.echo(f"all indexed {indexed:.1f} s after the first byte was sent\n")
            _show_doubts(first)
            _show_threads(client, rows, first)
            _show_reading(client)


def read_rows(folder: Path) -> list[Row]:
    """The rows of the folder's ``emails.jsonl``."""
    return [json.loads(line) for line in (folder / "emails.jsonl").open(encoding="utf-8")]


def mail_of(row: Row) -> bytes:
    """The mail of a row: the header fields that it has, and its text in UTF-8."""
    fields = {
        "Message-ID": row["message_id"],
        "In-Reply-To": row["in_reply_to"],
        "References": row["references"],
        "Date": row["date"] and format_datetime(datetime.fromisoformat(row["date"])),
        "From": row["from"],
        "To": row["to"],
        "Subject": row["subject"],
        "List-Id": row["list_id"],
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
    }
    head = "".join(f"{name}: {' '.join(text.split())}\n" for name, text in fields.items() if text)
    return f"{head}\n{row['text']}\n".encode()


def _mbox(rows: Sequence[Row]) -> Iterator[bytes]:
    for row in rows:
        yield _SEPARATOR + _FROM.sub(rb">\1", mail_of(row)) + b"\n"


def client_of(service: Service, account: Account) -> httpx.Client:
    """One that may wait long for an import."""
    headers = {"Authorization": f"Bearer {account.access_token}"}
    return httpx.Client(base_url=service.url, headers=headers, timeout=600)


def import_mails(client: httpx.Client, rows: Sequence[Row]) -> Import:
    """Send the mails of all rows as one mbox."""
    started = time.perf_counter()
    answer = client.post(
        "/v1/messages/import",
        params={"source": "archive"},
        content=_mbox(rows),
        headers={"Content-Type": "application/mbox"},
    )
    answer.raise_for_status()
    lines = [json.loads(line) for line in answer.text.splitlines()]
    return Import(lines, time.perf_counter() - started)


def wait_until_indexed(client: httpx.Client, resource: str = "messages") -> None:
    """Return when no record of the resource is pending."""
    while _get(client, f"/v1/{resource}", index_state="pending", limit=1)["items"]:
        time.sleep(_LOOK_EVERY)


def _show_doubts(first: Import) -> None:
    doubts = Counter(one["doubt"] for line in first.lines for one in line["doubts"])
    rows = [[doubt, str(count)] for doubt, count in doubts.most_common()]
    show_table(["doubt", "times"], rows or [["none", "0"]])


def _show_threads(client: httpx.Client, rows: Sequence[Row], first: Import) -> None:
    placed = {
        line["message"]["message_id"]: line["message"]["id"]
        for line in first.lines
        if line["message"]
    }
    answers = [
        (own[0], named[-1])
        for row in rows
        if (own := _ID.findall(row["message_id"] or ""))
        and (named := _ID.findall(row["references"] or row["in_reply_to"] or ""))
        and named[-1] in placed
        and own[0] in placed
    ]
    home = {message["id"]: message["conversation_id"] for message in every(client, "/v1/messages")}
    together = sum(home[placed[a]] == home[placed[b]] for a, b in answers)
    sizes = sorted((one["messages"] for one in every(client, "/v1/conversations")), reverse=True)
    click.echo(f"{sum(sizes)} messages in {len(sizes)} conversations; the largest {sizes[:5]}")
    click.echo(f"{sum(size > 1 for size in sizes)} conversations have more than one message")
    click.echo(f"{len(answers)} mails answer one that is there, {together} are in one with it\n")


def _show_reading(client: httpx.Client) -> None:
    chosen = _get(client, "/v1/conversations", limit=_LOOKS)["items"]
    asked = {
        "50 conversations": ["/v1/conversations"] * _LOOKS,
        "a conversation with its messages": [f"/v1/conversations/{one['id']}" for one in chosen],
        "50 messages": ["/v1/messages?sort=-sent_at"] * _LOOKS,
    }
    rows = []
    for name, paths in asked.items():
        times = [_timed(client, path) for path in paths]
        rows.append([name, *(f"{percentile(times, share):.1f}" for share in (0.5, 0.95))])
    show_table(["read", "p50, ms", "p95, ms"], rows)


def _timed(client: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    client.get(path).raise_for_status()
    return (time.perf_counter() - started) * 1000


def every(client: httpx.Client, path: str) -> Iterator[Mapping[str, Any]]:
    """What a list shows on all of its pages."""
    cursor: str | None = None
    while True:
        page = _get(client, path, limit=200, **({"cursor": cursor} if cursor else {}))
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _get(client: httpx.Client, path: str, **query: Any) -> Any:
    answer = client.get(path, params=query)
    answer.raise_for_status()
    return answer.json()


if __name__ == "__main__":
    main()
