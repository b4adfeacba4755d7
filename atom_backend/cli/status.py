"""``status``: how far the index is behind, what is parked, what the last check and repair found."""

from __future__ import annotations

import dataclasses
import json

import click

from atom_backend.bootstrap import open_runtime
from atom_backend.domain.consistency import ConsistencyRun
from atom_backend.services.operations import Status
from atom_backend.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> None:
    """Show how far the index is behind, the last check and repair, and the stores' sizes."""
    with open_runtime(Settings.from_environment()) as runtime:
        status = runtime.services.operations.status()
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(status), default=str))
    else:
        click.echo("\n".join(_lines(status)))


def _lines(status: Status) -> list[str]:
    index = status.index
    lines = [
        f"Index      {index.settled} settled, {index.due} due, {index.leased} being worked on, "
        f"{index.parked} parked, {index.tombstones} deletions under way",
        f"Lag        {index.lag_seconds:.1f} s since the oldest write that is not searchable yet",
        f"Check      {_said(status.last_check)}",
        f"Repair     {_said(status.last_repair)}",
    ]
    for name, rows in status.relational_rows.items():
        lines.append(f"PostgreSQL {name}: about {rows} rows")
    if status.vector_rows is None:
        lines.append("LanceDB    does not answer")
    else:
        lines += [f"LanceDB    {name}: {rows} rows" for name, rows in status.vector_rows.items()]
    lines += [f"Parked     {item_id}: {reason}" for item_id, reason in status.parked]
    return lines


def _said(run: ConsistencyRun | None) -> str:
    if run is None or run.finished_at is None or run.seconds is None:
        return "none was run so far"
    ended = f"{run.finished_at:%Y-%m-%d %H:%M} UTC"
    if run.drift is None:
        return f"{ended}: failed, {run.reason}"
    drift = ", ".join(f"{count} {kind}" for kind, count in run.drift.items() if count)
    return f"{ended}, in {run.seconds:.1f} s: {drift or 'in step'}"
