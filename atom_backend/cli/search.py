"""``search``: one search as a user, printed for people."""

from __future__ import annotations

import click

from atom_backend.bootstrap import open_runtime
from atom_backend.domain.search import SearchMode, SearchRequest, SearchResult
from atom_backend.settings import Settings

_SHOWN = 240


@click.command()
@click.argument("query")
@click.option("--user", "email", required=True, help="The e-mail address of the account.")
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 100))
@click.option(
    "--mode",
    default=SearchMode.HYBRID.value,
    show_default=True,
    type=click.Choice([mode.value for mode in SearchMode]),
)
def command(query: str, email: str, limit: int, mode: str) -> None:
    """Search the documents of a user for QUERY."""
    with open_runtime(Settings.from_environment()) as runtime:
        principal = runtime.services.accounts.operator_acting_for(email)
        request = SearchRequest(query=query, limit=limit, mode=SearchMode(mode))
        answer = runtime.services.search.search(principal, request)
    for place, result in enumerate(answer.results, start=1):
        click.echo(_entry(place, result))
    legs = ", ".join(answer.legs)
    click.echo(f"{len(answer.results)} results from {legs}.")
    if answer.degraded:
        click.secho(f"Degraded, without: {', '.join(answer.degraded)}.", fg="yellow")


def _entry(place: int, result: SearchResult) -> str:
    text = " ".join((result.passages[0].text or "").split())
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    heading = click.style(f"{place}. {result.title}", bold=True)
    return f"{heading}  ({result.score:.3f}, {result.item_id})\n   {shown}\n"
