"""``rebuild``: LanceDB made anew from PostgreSQL, while the service goes on."""

from __future__ import annotations

import click

from atom_backend.bootstrap import open_rebuild
from atom_backend.cli.progress import progress_bar
from atom_backend.settings import Settings


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def command(dry_run: bool) -> None:
    """Make LanceDB's tables anew from PostgreSQL beside the present ones, and switch to them.

    For tables that are lost, damaged, or of another version or model. Searches and writes go on;
    until the switch they use the tables of before. Running it again after an interruption goes on
    where it stopped.
    """
    with (
        open_rebuild(Settings.from_environment()) as rebuild,
        progress_bar("Rebuilding", "item") as progress,
    ):
        report = rebuild.run(dry_run=dry_run, progress=progress)
    click.echo(str(report))
