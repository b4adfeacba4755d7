"""``audit``: whether the trail of writes is what was sealed, and what keeps it from growing."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import click

from atom_backend.bootstrap import open_verification, prune_audit
from atom_backend.cli.progress import progress_bar
from atom_backend.domain.audit_breaches import Finding, Verification
from atom_backend.domain.audit_chain import Head
from atom_backend.errors import InvalidInput
from atom_backend.settings import Settings

BROKEN = 1
"""The exit status when the trail is not what was sealed."""


class _HeadType(click.ParamType[Head]):
    name = "POSITION:DIGEST"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Head:
        if isinstance(value, Head):
            return value
        try:
            return Head.parse(str(value))
        except InvalidInput as error:
            self.fail(error.message, param, ctx)


class _MomentType(click.ParamType[datetime]):
    name = "TIME"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail("write a date or a time as in 2026-01-31 or 2026-01-31T12:00:00Z", param, ctx)


@click.group()
def command() -> None:
    """Verify the audit trail, show its head, remove its beginning."""


@command.command()
@click.option(
    "--head", "known", multiple=True, type=_HeadType(), help="A head that was noted before."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(known: tuple[Head, ...], as_json: bool) -> None:
    """Compute every seal of the audit trail again, and change nothing.

    Finds entries that were changed, removed or inserted, and with --head also a trail whose end
    was cut off or that was sealed anew. Safe at any time. The exit status is 0 when the trail
    holds and 1 when it is broken; 75 when PostgreSQL does not answer.
    """
    with (
        open_verification(Settings.from_environment()) as verification,
        progress_bar("Verifying", "entry") as progress,
    ):
        found = verification.verify(known, progress)
    click.echo(json.dumps(found.as_json()) if as_json else "\n".join(_lines(found)))
    sys.exit(0 if found.holds else BROKEN)


@command.command()
def head() -> None:
    """Print the head of the chain, POSITION:DIGEST, to be kept where this database is not."""
    with open_verification(Settings.from_environment()) as verification:
        click.echo(str(verification.head()))


@command.command()
@click.option("--before", required=True, type=_MomentType(), help="Entries older than this, UTC.")
def prune(before: datetime) -> None:
    """Remove the beginning of the audit trail, for good.

    Verify first. What is left verifies from the new beginning on. The removal is an entry itself.
    """
    settings = Settings.from_environment()
    with progress_bar("Removing", "entry") as progress:
        pruned = prune_audit(settings, before, progress)
    if pruned is None:
        click.echo(f"No sealed entry is older than {before:%Y-%m-%d %H:%M:%S} UTC.")
    else:
        click.echo(f"Removed {pruned.removed} entries; the trail now begins after {pruned.base}.")


def _lines(found: Verification) -> list[str]:
    """The result for people; what is wrong first comes first."""
    sealed = f"{found.head.position - found.base.position} sealed entries, head {found.head}"
    begins = f" The beginning up to position {found.base.position} was pruned."
    said = [f"The audit trail {'holds' if found.holds else 'is BROKEN'}: {sealed}."]
    if found.base.position:
        said[0] += begins
    said += [f"A head at position {one.position} was pruned." for one in found.unprovable]
    said += [_line(one) for one in found.findings]
    more = found.counts.total() - len(found.findings)
    return [*said, f"and {more} more"] if more else said


def _line(finding: Finding) -> str:
    places = [
        f"{name} {number}"
        for name, number in (("position", finding.position), ("entry", finding.entry_id))
        if number is not None
    ]
    return f"{finding.breach:<10} {', '.join(places)}: {finding.detail}".replace("  :", ":")
