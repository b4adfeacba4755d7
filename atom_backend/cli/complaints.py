"""How an import names what it could not take.

Invariant: however much was refused, the counts that follow stay on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

_SHOWN = 20


def show_problems(problems: Sequence[str]) -> None:
    """The first of them on standard error, and how many more there are."""
    for problem in problems[:_SHOWN]:
        click.secho(problem, fg="yellow", err=True)
    if len(problems) > _SHOWN:
        click.secho(f"... and {len(problems) - _SHOWN} more", fg="yellow", err=True)
