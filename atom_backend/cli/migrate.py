"""``migrate``: the schema of both stores, made or brought up to date."""

from __future__ import annotations

import click

from atom_backend.bootstrap import prepare_stores
from atom_backend.settings import Settings


@click.command()
def command() -> None:
    """Bring the schema of PostgreSQL and LanceDB up to date. Safe to run at any time."""
    for sentence in prepare_stores(Settings.from_environment()):
        click.echo(sentence)
