"""The commands: parse, one call, print. No logic lives here.

Each command is a module that is imported only when it is called, so that ``--help`` is quick and
a command does not pay for what another one needs.
"""

from __future__ import annotations

import importlib
import sys

import click

from atom_backend import __version__
from atom_backend.cli.supervision import CONFIGURATION_EXIT
from atom_backend.errors import AtomError, ConfigurationError, DependencyError, VaultUnavailable

OUTAGE_EXIT = 75
"""EX_TEMPFAIL of sysexits.h: the same command may succeed later."""

_COMMANDS = {
    "serve": "Run the whole service: PostgreSQL, web process and worker.",
    "worker": "Run one worker (beside a web server of your own).",
    "migrate": "Bring the schema of both stores up to date.",
    "check": "Say where LanceDB is not what PostgreSQL wants; changes nothing.",
    "repair": "Have what is out of step made again by the workers.",
    "rebuild": "Make LanceDB anew from PostgreSQL while the service goes on.",
    "retry-parked": "Try again what was given up.",
    "import": "Load documents and mails from a folder or a file.",
    "demo": "Load a believable account, and search in it.",
    "import-calendar": "Load the events of calendar files (.ics).",
    "export": "Write everything that an account keeps to standard output.",
    "restore": "Bring an export back into an empty account.",
    "search": "Search as a user, from the command line.",
    "audit": "Verify the audit trail, show its head, remove its beginning.",
    "admin": "Make accounts of any role, and configure the running service.",
    "keys": "Make, rotate and retire the keys that OAuth tokens are sealed with.",
    "status": "Show how far the index is behind, the last repair, and store sizes.",
}
_MODULES = {
    "import": "import_documents",
    "import-calendar": "import_calendar",
    "retry-parked": "retry_parked",
}


class _Lazy(click.Group):
    """Finds commands by name; their one-line help is known without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"atom_backend.cli.{_MODULES.get(name, name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="atom-backend")
def cli() -> None:
    """The storage service for AI assistants: PostgreSQL owns facts, LanceDB owns meaning.

    Settings come from environment variables; docs/configuration.md lists them.
    """


def main() -> None:
    """Run a command; an error that the service understands is one clear sentence."""
    try:
        cli(prog_name="python -m atom_backend")
    except AtomError as error:
        click.secho(f"Error: {error.message}", fg="red", err=True)
        sys.exit(_exit_status(error))


def _exit_status(error: AtomError) -> int:
    match error:
        case ConfigurationError() | VaultUnavailable():
            return CONFIGURATION_EXIT
        case DependencyError():
            return OUTAGE_EXIT
        case _:
            return 1
