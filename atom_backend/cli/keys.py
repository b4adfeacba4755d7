"""``keys``: what OAuth tokens are sealed with, made, rotated and retired."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from atom_backend.cli.complaints import show_problems
from atom_backend.cli.progress import progress_bar
from atom_backend.domain.master_keys import generate_key
from atom_backend.settings import Settings

if TYPE_CHECKING:
    from atom_backend.services.keys import Keys

INCOMPLETE = 1
"""The exit status when secrets are under a key that the keyring lacks, or do not open."""


@click.group()
def command() -> None:
    """Make, rotate and retire the keys that OAuth tokens are sealed with.

    The keys are given by ATOM_OAUTH_ENCRYPTION_KEY or, while they change, by
    ATOM_OAUTH_ENCRYPTION_KEYS: the first writes, all of them read.
    """


@command.command()
def generate() -> None:
    """Print a fresh random key, for ATOM_OAUTH_ENCRYPTION_KEY. It is stored nowhere."""
    click.echo(generate_key())


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(as_json: bool) -> None:
    """Say which key writes, which only reads, and how many secrets are under each.

    The exit status is 1 where secrets are under a key that the keyring lacks, else 0.
    """
    with _opened() as keys:
        found = keys.status()
    if as_json:
        click.echo(json.dumps({"keys": [key.as_json() for key in found]}))
    else:
        click.echo("\n".join(map(str, found)) or "There is no key, and nothing is sealed.")
    sys.exit(INCOMPLETE if any(key.lost for key in found) else 0)


@command.command()
def rotate() -> None:
    """Bring every secret under the first key, while the service goes on.

    Safe at any time and beside other rotations; running it again after an interruption goes on
    where it stopped. The exit status is 1 where a secret did not open and was left as it is.
    """
    with (
        _opened() as keys,
        progress_bar("Rotating", "row") as progress,
    ):
        report = keys.rotate(progress)
    show_problems(report.unopened)
    click.echo(str(report))
    sys.exit(INCOMPLETE if report.unopened else 0)


@command.command()
@click.argument("key_id")
def retire(key_id: str) -> None:
    """Make sure that nothing is under the key KEY_ID any more, so that it can be taken away.

    Refused, with the exit status 1, for a key that writes or that anything is under.
    """
    with _opened() as keys:
        keys.retire(key_id.lower())
    click.echo(
        f"Nothing is sealed under {key_id}. Take it out of ATOM_OAUTH_ENCRYPTION_KEYS and restart "
        "every process; keep it as long as you keep backups from before the rotation."
    )


@contextmanager
def _opened() -> Iterator[Keys]:
    """Imported only now: making a key needs nothing of it."""
    from atom_backend.bootstrap import open_keys

    with open_keys(Settings.from_environment()) as keys:
        yield keys
