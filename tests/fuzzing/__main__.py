"""``scripts/fuzz``: a long run of made-up requests against a service of its own."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

import click
from tqdm import tqdm

from atom_backend.domain.master_keys import generate_key
from tests.driver.system import System, running_system
from tests.faults.deployment import eventually
from tests.fuzzing.callers import Admin, Caller, Program, User
from tests.fuzzing.rounds import Fuzzing
from tests.fuzzing.tally import Tally

SHOWN = 40
WORKERS = 1
_ERROR = ("[error", "[critical")


@click.command()
@click.option("--cases", default=20_000, show_default=True, help="Requests, at least.")
@click.option("--seed", default=1, show_default=True, help="Decides all of them.")
def main(*, cases: int, seed: int) -> None:
    """Ask a service of our own for everything, rightly and wrongly, and count 5xx answers.

    It is started with its own PostgreSQL in a temporary folder, which is kept where something was
    found. Exit status 1: there was a 5xx, an answer that the API document does not announce, or an
    error in a log.
    """
    folder = Path(tempfile.mkdtemp(prefix="atom-fuzz-"))
    folder.chmod(0o755)
    settings = {
        "ATOM_OAUTH_ENCRYPTION_KEY": generate_key(),
        "ATOM_ACCESS_TOKEN_SECONDS": "86400",
    }
    tally = Tally(seed)
    with ExitStack() as stack:
        system = stack.enter_context(running_system(folder, WORKERS, settings))
        callers = callers_of(system, stack)
        fuzzing = stack.enter_context(closing(Fuzzing(system.url, callers, tally)))
        bar = stack.enter_context(tqdm(total=cases, unit="case", mininterval=1.0))

        def show(done: int) -> None:
            bar.update(done - bar.n)

        fuzzing.run(cases, show)
        tally.findings += logged(system)
    click.echo(f"\n{tally.markdown()}\n")
    for finding in tally.findings[:SHOWN]:
        click.echo(finding)
    if tally.findings or tally.server_errors or tally.cases < cases:
        click.echo(f"\nEverything is in {folder}.")
        sys.exit(1)
    pidfile = folder / "data" / "postgres" / "cluster" / "postmaster.pid"
    eventually(lambda: not pidfile.exists())
    shutil.rmtree(folder)


def callers_of(system: System, stack: ExitStack) -> list[Caller]:
    def make_admin(email: str, password: str) -> None:
        system.command("admin", "create", email, "--password", password, check=True)

    url = system.url
    users = [User(url), Admin(url, make_admin), Program(url)]
    for one in users:
        stack.callback(one.close)
    return [Caller(), *users]


def logged(system: System) -> list[str]:
    """Lines of the logs that speak of errors."""
    return [
        f"log: {file.name}: {line[:300]}"
        for file in sorted(system.logs.iterdir())
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
        if any(word in line for word in _ERROR)
    ]


if __name__ == "__main__":
    main()
