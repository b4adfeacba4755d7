"""``admin``: what is done by whoever has the machine, not over the network.

Accounts of a special role can only be made here, and the configuration of the running service can
be changed without an account.
"""

from __future__ import annotations

import json
from typing import Any

import click

from atom_backend.bootstrap import open_runtime
from atom_backend.domain.limits import PASSWORD_FEWEST_CHARS
from atom_backend.domain.options import Setting
from atom_backend.domain.permissions import Role
from atom_backend.errors import InvalidInput
from atom_backend.services.configuration import ConfigurationService
from atom_backend.settings import Settings


@click.group()
def command() -> None:
    """Make accounts of any role, and configure the running service."""


@command.command()
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.ADMIN.value,
    show_default=True,
    help="What the account is for: a service gets tokens from anybody's OAuth grant.",
)
@click.password_option(help="Asked for when not given; at least 10 characters.")
def create(email: str, role: str, password: str) -> None:
    """Make the account EMAIL, of an administrator if nothing else is said."""
    if len(password) < PASSWORD_FEWEST_CHARS:
        raise click.BadParameter(
            f"use at least {PASSWORD_FEWEST_CHARS} characters", param_hint="password"
        )
    with open_runtime(Settings.from_environment()) as runtime:
        user = runtime.services.accounts.create(email, password, Role(role))
    called = "Administrator" if user.role is Role.ADMIN else f"The {user.role}"
    click.echo(f"{called} {user.email} has the id {user.id}.")


@command.command()
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.option("--reset", is_flag=True, help="Let the default hold again.")
def configure(key: str | None, value: str | None, reset: bool) -> None:
    """Set KEY to VALUE, which is JSON, for all processes of the service.

    Without VALUE, show what holds under KEY; without KEY, under every key. For example:
    admin configure registration.open false
    """
    if reset and (key is None or value is not None):
        raise click.UsageError("--reset takes a KEY and no VALUE.")
    wanted = _read(value) if value is not None else None
    with open_runtime(Settings.from_environment()) as runtime:
        configuration = runtime.services.configuration
        if key is None or (value is None and not reset):
            found = configuration.listing_by_operator(key)
        elif reset:
            found = [configuration.reset_by_operator(key)]
        else:
            found = [_put(configuration, key, wanted)]
    for setting in found:
        click.echo(_line(setting))


def _read(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        raise click.BadParameter(
            "this is not JSON; write texts in double quotes, as in '[\"example.org\"]'",
            param_hint="VALUE",
        ) from None


def _put(configuration: ConfigurationService, key: str, value: Any) -> Setting:
    try:
        return configuration.put_by_operator(key, value)
    except InvalidInput as error:
        said = " ".join(f"{one.pointer}: {one.detail}" for one in error.problems)
        raise click.BadParameter(said, param_hint="VALUE") from None


def _line(setting: Setting) -> str:
    about = setting.option.about if setting.option else ""
    return f"{setting.key} = {json.dumps(setting.value)}  ({setting.origin}) {about}"
