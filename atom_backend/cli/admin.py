"""``admin create``: the first account that may administrate is made here, not over the network."""

from __future__ import annotations

import click

from atom_backend.bootstrap import open_runtime
from atom_backend.domain.limits import PASSWORD_FEWEST_CHARS
from atom_backend.settings import Settings


@click.group()
def command() -> None:
    """Make administrator accounts."""


@command.command()
@click.argument("email")
@click.password_option(help="Asked for when not given; at least 10 characters.")
def create(email: str, password: str) -> None:
    """Make the administrator account EMAIL."""
    if len(password) < PASSWORD_FEWEST_CHARS:
        raise click.BadParameter(
            f"use at least {PASSWORD_FEWEST_CHARS} characters", param_hint="password"
        )
    with open_runtime(Settings.from_environment()) as runtime:
        user = runtime.services.accounts.create_admin(email, password)
    click.echo(f"Administrator {user.email} has the id {user.id}.")
