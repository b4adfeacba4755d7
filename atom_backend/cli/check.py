"""``check``: whether LanceDB holds what PostgreSQL wants."""

from __future__ import annotations

import json
import sys

import click

from atom_backend.bootstrap import open_remedies
from atom_backend.cli.progress import progress_bar
from atom_backend.domain.drift import Drift, DriftReport
from atom_backend.settings import Settings

OUT_OF_STEP = 1
"""The exit status when drift was found."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> None:
    """Compare all of LanceDB with what PostgreSQL wants, and change nothing.

    Safe at any time, beside writers and workers. The exit status is 0 when both are in step and 1
    when drift was found; 75 when a store does not answer, 78 when a setting is wrong.
    """
    with (
        open_remedies(Settings.from_environment()) as remedies,
        progress_bar("Checking", "row") as progress,
    ):
        report = remedies.check.run(progress)
    click.echo(json.dumps(report.as_json()) if as_json else "\n".join(lines(report)))
    sys.exit(0 if report.in_step else OUT_OF_STEP)


def lines(report: DriftReport) -> list[str]:
    """The report for people: one sentence, then examples by kind of drift."""
    said = [str(report)]
    for drift in Drift:
        examples = [one for one in report.examples if one.drift is drift and one.item_id]
        more = report.counts.get(drift, 0) - len(examples)
        said += [f"{drift:<11} {one.item_id}: {one.detail}" for one in examples]
        if examples and more:
            said.append(f"{drift:<11} and {more} more")
    return said
