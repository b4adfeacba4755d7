"""``import-calendar``: calendar files into a user's account.

Invariant: as over REST: everything in a file is counted, what was refused is said with its line,
and running the same import again changes nothing that is unchanged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from atom_backend.bootstrap import Runtime, open_runtime
from atom_backend.cli.complaints import show_problems
from atom_backend.domain.principals import Principal
from atom_backend.errors import RequestError
from atom_backend.settings import Settings


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--user", "email", required=True, help="The e-mail address of the account.")
@click.option("--calendar", default=None, help="The calendar's name; else the file's own.")
@click.option(
    "--time-zone",
    default="UTC",
    show_default=True,
    help="Where whole days, and times without a zone, are reckoned: an IANA name.",
)
def command(files: tuple[Path, ...], email: str, calendar: str | None, time_zone: str) -> None:
    """Load the events of FILES (iCalendar, .ics) into a user's account.

    Running the same import again replaces what has changed and leaves the rest alone.
    """
    counts: Counter[str] = Counter()
    problems: list[str] = []
    with open_runtime(Settings.from_environment()) as runtime:
        principal = runtime.services.accounts.operator_acting_for(email)
        for file in files:
            for outcome, problem in _taken(runtime, principal, file, calendar, time_zone):
                counts[outcome] += 1
                problems += [problem] if problem else []
    show_problems(problems)
    click.echo(
        f"{counts['created']} created, {counts['replaced']} replaced, "
        f"{counts['unchanged']} unchanged, {counts['refused']} refused."
    )
    if counts["refused"]:
        raise SystemExit(1)


def _taken(
    runtime: Runtime, principal: Principal, file: Path, calendar: str | None, time_zone: str
) -> Iterator[tuple[str, str | None]]:
    """What became of each part of a file, and why it was refused if it was."""
    exchange = runtime.services.calendar_exchange
    try:
        content = file.read_bytes()
        for one in exchange.take(principal, content, time_zone=time_zone, calendar=calendar):
            reason = f"{file.name}:{one.line}: {one.component}: {one.reason}"
            yield one.outcome, reason if one.reason else None
    except RequestError as error:
        yield "refused", f"{file.name}: {error.message}"
    except OSError as error:
        yield "refused", f"{file.name}: cannot be read: {error.strerror}"
