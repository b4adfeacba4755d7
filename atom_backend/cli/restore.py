"""``restore``: what ``export`` has written, into an empty account."""

from __future__ import annotations

from typing import BinaryIO

import click

from atom_backend.bootstrap import open_runtime
from atom_backend.http.resources.archive_reading import archive_of
from atom_backend.http.resources.archives import LONGEST_LINE, ArchiveBody
from atom_backend.settings import Settings


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--user", "email", required=True, help="The e-mail address of the empty account.")
def command(file: BinaryIO, email: str) -> None:
    """Bring the export FILE ("-" for standard input) back: all of it or nothing."""
    with open_runtime(Settings.from_environment()) as runtime:
        principal = runtime.services.accounts.operator_acting_for(email)
        with archive_of(ArchiveBody(file, LONGEST_LINE)) as archive:
            restored = runtime.services.restoring.restore(principal, archive)
    told = ", ".join(f"{count} {name}" for name, count in restored.items() if count)
    click.echo(f"Restored {told or 'nothing: the export is of an empty account'}.")
