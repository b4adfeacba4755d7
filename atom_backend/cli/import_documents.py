"""``import``: a folder of files, or a JSONL file, into a user's account.

Every document gets an external identifier (its path in the folder, or ``_id``/``external_id`` of
its line), so an interrupted import is resumed by running it again: what is there and unchanged is
not even embedded again.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
from tqdm import tqdm

from atom_backend.bootstrap import Runtime, open_runtime
from atom_backend.domain.principals import Principal
from atom_backend.errors import RequestError
from atom_backend.services.importing import Candidate, candidates
from atom_backend.settings import Settings

_SHOWN_PROBLEMS = 20


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--user", "email", required=True, help="The e-mail address of the account.")
@click.option("--source", default=None, help="What to note as the documents' source.")
def command(path: Path, email: str, source: str | None) -> None:
    """Load every document of PATH, a folder or a .jsonl file, into a user's account.

    A folder may hold PDF, DOCX, HTML, Markdown and text files. A line of a JSONL file is an
    object with "text", and perhaps "title", "_id" or "external_id", "tags" and "metadata".
    Running the same import again continues it and changes nothing that is unchanged.
    """
    with open_runtime(Settings.from_environment()) as runtime:
        principal = runtime.services.accounts.operator_acting_for(email)
        counts, problems = _load(runtime, principal, path, source)
    for problem in problems[:_SHOWN_PROBLEMS]:
        click.secho(problem, fg="yellow", err=True)
    if len(problems) > _SHOWN_PROBLEMS:
        click.secho(f"... and {len(problems) - _SHOWN_PROBLEMS} more", fg="yellow", err=True)
    click.echo(
        f"{counts['new']} new, {counts['replaced']} replaced, {counts['unchanged']} unchanged, "
        f"{counts['failed']} failed."
    )
    if counts["failed"]:
        raise SystemExit(1)


def _load(
    runtime: Runtime, principal: Principal, path: Path, source: str | None
) -> tuple[Counter[str], list[str]]:
    counts: Counter[str] = Counter()
    problems: list[str] = []
    found = candidates(path, source or path.name)
    with tqdm(found, total=len(found), unit="doc", desc="Importing") as bar:
        for candidate in bar:
            outcome = _store(runtime, principal, candidate, problems)
            counts[outcome] += 1
            bar.set_postfix(failed=counts["failed"], refresh=False)
    return counts, problems


def _store(
    runtime: Runtime, principal: Principal, candidate: Candidate, problems: list[str]
) -> str:
    try:
        return runtime.importing.store(principal, candidate)
    except RequestError as error:
        problems.append(f"{candidate.name}: {error.message}")
        return "failed"
