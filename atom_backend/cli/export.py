"""``export``: everything that an account keeps, as JSON lines on standard output."""

from __future__ import annotations

import sys

import click

from atom_backend.bootstrap import open_runtime
from atom_backend.http.resources.archive_writing import archive_lines
from atom_backend.settings import Settings


@click.command()
@click.argument("email")
def command(email: str) -> None:
    """Write everything that the account EMAIL keeps to standard output.

    A file whose last line is not "end" is cut off; the command has then failed, too.
    """
    output = sys.stdout.buffer
    with open_runtime(Settings.from_environment()) as runtime:
        principal = runtime.services.accounts.operator_acting_for(email)
        for line in archive_lines(runtime.services.exporting.everything(principal)):
            output.write(line)
        output.flush()
