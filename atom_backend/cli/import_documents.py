"""``import``: a folder of files, a JSONL file or a mail file, into a user's account.

Everything gets an external identifier (its path in the folder, ``_id``/``external_id`` of its line,
a mail's Message-ID), so an interrupted import is resumed by running it again: what is there and
unchanged is not even embedded again.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
from tqdm import tqdm

from atom_backend.bootstrap import Runtime, open_runtime
from atom_backend.cli.complaints import show_problems
from atom_backend.domain.principals import Principal
from atom_backend.errors import RequestError
from atom_backend.services.mailing import MailOptions
from atom_backend.settings import Settings


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--user", "email", required=True, help="The e-mail address of the account.")
@click.option("--source", default=None, help="What to note as their source.")
@click.option("--address", "own", multiple=True, help="A further mail address of the user.")
@click.option("--read", is_flag=True, help="Mark new mails as read.")
@click.option("--attachments", is_flag=True, help="Make documents of what is attached to mails.")
def command(
    path: Path,
    email: str,
    *,
    source: str | None,
    own: tuple[str, ...],
    read: bool,
    attachments: bool,
) -> None:
    """Load everything in PATH, a folder or a single file, into a user's account.

    PDF, DOCX, HTML, Markdown and text files become documents; mails (.eml, .mbox) become messages
    in their conversations. A line of a .jsonl file is an object with "text", and perhaps "title",
    "_id" or "external_id", "tags" and "metadata".
    Running the same import again continues it and changes nothing that is unchanged.
    """
    source = source or path.name
    with open_runtime(Settings.from_environment()) as runtime:
        principal = runtime.services.accounts.operator_acting_for(email)
        options = MailOptions(source=source, own=own, read=read, documents=attachments)
        options = runtime.importing.addressed(principal, options)
        counts, problems = _load(runtime, principal, path, options)
    show_problems(problems)
    click.echo(
        f"{counts['new']} new, {counts['replaced']} replaced, {counts['unchanged']} unchanged, "
        f"{counts['failed']} failed."
    )
    if counts["doubtful"]:
        click.echo(
            f"{counts['doubtful']} mails were damaged or unclear in some place; what was taken for"
            " right stands in their `doubts`."
        )
    if counts["failed"]:
        raise SystemExit(1)


def _load(
    runtime: Runtime, principal: Principal, path: Path, options: MailOptions
) -> tuple[Counter[str], list[str]]:
    counts: Counter[str] = Counter()
    problems: list[str] = []
    found = runtime.importing.candidates(path, options.source or path.name)
    with tqdm(found, total=len(found), unit="item", desc="Importing") as bar:
        for candidate in bar:
            try:
                stored = runtime.importing.store(principal, candidate, options)
                counts[stored.outcome] += 1
                counts["doubtful"] += stored.doubtful
            except RequestError as error:
                problems.append(f"{candidate.name}: {error.message}")
                counts["failed"] += 1
            bar.set_postfix(failed=counts["failed"], refresh=False)
    return counts, problems
