"""``retry-parked``: what was given up is tried again, once its reason is gone."""

from __future__ import annotations

import click

from atom_backend.bootstrap import open_remedies
from atom_backend.settings import Settings


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say how many are parked, and why.")
def command(dry_run: bool) -> None:
    """Make all parked items due again, with all their attempts ahead of them."""
    with open_remedies(Settings.from_environment()) as remedies:
        report = remedies.retry_parked.run(dry_run=dry_run)
    click.echo(str(report))
    for reason, number in report.reasons.items():
        click.echo(f"{number:>9}  {reason}")
