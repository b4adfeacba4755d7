"""``demo``: an account that is full, and five searches in it."""

from __future__ import annotations

import secrets

import click

from atom_backend.bootstrap import Runtime, open_runtime, open_worker
from atom_backend.cli.progress import progress_bar
from atom_backend.clock import SystemClock
from atom_backend.domain.demonstration.account import Question, questions
from atom_backend.domain.demonstration.pieces import Days
from atom_backend.domain.limits import PASSWORD_FEWEST_CHARS
from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.domain.search import SearchAnswer
from atom_backend.errors import NotFound
from atom_backend.services.demonstration import Loaded
from atom_backend.settings import Settings

_SHOWN = 160


@click.command()
@click.option("--email", default="demo@example.org", show_default=True, help="Of the account.")
@click.option("--password", help="Of the account, if it is a new one; else one is made up.")
def command(email: str, password: str | None) -> None:
    """Load a believable account, and search in it.

    It holds some of everything: documents, memories, tasks, events, messages, accounts with
    transactions, integrations and preferences. Nobody in it exists. Its times lie around today, so
    that there is always something that was said last week.

    Running it again adds nothing: what is there is brought back to how it was, and moved to today.
    """
    if password is not None and len(password) < PASSWORD_FEWEST_CHARS:
        raise click.BadParameter(
            f"use at least {PASSWORD_FEWEST_CHARS} characters", param_hint="--password"
        )
    settings = Settings.from_environment()
    days = Days(SystemClock().now().date())
    with open_runtime(settings) as runtime:
        principal, made_up = _account(runtime, email, password)
        loaded = runtime.demonstration.load(principal, days)
        click.echo(_summary(loaded))
        _index(settings, runtime, principal, loaded)
        for place, question in enumerate(questions(days), start=1):
            answer = runtime.services.search.search(principal, question.request)
            click.echo(f"\n{_asked(place, question)}\n{_answered(answer)}")
    click.echo(f"\n{_way_in(email, made_up)}")


def _account(runtime: Runtime, email: str, password: str | None) -> tuple[Principal, str | None]:
    """Whose it is, and the password if it was made up here."""
    accounts = runtime.services.accounts
    try:
        return accounts.operator_acting_for(email), None
    except NotFound:
        made_up = None if password else secrets.token_urlsafe(12)
        accounts.create(email, password or str(made_up), Role.USER)
        return accounts.operator_acting_for(email), made_up


def _index(settings: Settings, runtime: Runtime, principal: Principal, loaded: Loaded) -> None:
    """Until all of it can be found; works along with the workers that run, if any do."""
    total = pending = runtime.demonstration.pending(principal, loaded)
    with progress_bar("Indexing", "item") as show, open_worker(settings) as worker:
        while pending:
            show(total - pending, total)
            worker.turn()
            pending = runtime.demonstration.pending(principal, loaded)
        show(total, total)


def _summary(loaded: Loaded) -> str:
    counts = ", ".join(f"{count} {resource}" for resource, count in loaded.counts().items())
    return f"The account holds {counts}; {loaded.new or 'nothing'} of it new."


def _asked(place: int, question: Question) -> str:
    about = f"  ({question.about})" if question.about else ""
    return click.style(f"{place}. {question.query}", bold=True) + about


def _answered(answer: SearchAnswer) -> str:
    lines = []
    for result in answer.results:
        text = " ".join((result.passages[0].text or "").split())
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        lines.append(f"   {result.kind}: {result.title}\n      {shown}")
    if answer.degraded:
        lines.append(f"   Degraded, without: {', '.join(answer.degraded)}.")
    return "\n".join(lines)


def _way_in(email: str, made_up: str | None) -> str:
    password = made_up or "…"
    note = "This password was made up just now: keep it.\n" if made_up else ""
    return (
        f'Log in:     POST /v1/auth/login with {{"email": "{email}", "password": "{password}"}}\n'
        f'Delete it:  DELETE /v1/users/me with {{"password": "{password}"}}, all of it\n'
        f"{note}"
    ).rstrip()
