"""``repair``: what a check finds is put right."""

from __future__ import annotations

import json
import sys

import click

from atom_backend.bootstrap import open_remedies
from atom_backend.cli.check import OUT_OF_STEP, lines
from atom_backend.cli.progress import progress_bar
from atom_backend.settings import Settings


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(dry_run: bool, as_json: bool) -> None:
    """Check, and have everything that is out of step made again by the workers.

    Safe at any time, beside writers and workers; repeating it does no harm. The exit status is 1
    where a table cannot be read, so that only a rebuild helps; else as for check.
    """
    with (
        open_remedies(Settings.from_environment()) as remedies,
        progress_bar("Checking", "row") as progress,
    ):
        report = remedies.repair.run(dry_run=dry_run, progress=progress)
    if as_json:
        click.echo(json.dumps(report.as_json()))
    else:
        click.echo("\n".join([str(report), *lines(report.drift)[1:]]))
    sys.exit(OUT_OF_STEP if report.drift.unreadable else 0)
