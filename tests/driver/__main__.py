"""``scripts/faults``: rounds of random operations and faults, judged by the promises."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import click

from tests.driver.attack import attack

SHOWN = 40


@click.command()
@click.option("--rounds", default=1, show_default=True, help="Each ends quiet and judged.")
@click.option("--operations", default=500, show_default=True, help="In one round.")
@click.option("--kills", default=50, show_default=True, help="By SIGKILL, in one round.")
@click.option("--others", default=10, show_default=True, help="Pauses and outages, in one round.")
@click.option("--seed", default=1, show_default=True, help="Decides everything.")
@click.option("--rate", default=8.0, show_default=True, help="Operations a second, at most.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new folder for data, logs and history.  [default: a temporary one, kept if need be]",
)
def main(
    *,
    rounds: int,
    operations: int,
    kills: int,
    others: int,
    seed: int,
    rate: float,
    keep: Path | None,
) -> None:
    """Attack the real service with random operations and faults, and judge it by its promises.

    The long round, 10,000 operations with 1,000 SIGKILLs: --rounds 20.
    """
    folder = keep.absolute() if keep else Path(tempfile.mkdtemp(prefix="atom-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    with closing(attack(folder, seed, rate)) as attacks:
        for number in range(rounds):
            result = attacks.round(operations, kills, others)
            drift = ", ".join(f"{n} {kind}" for kind, n in result.drift.items()) or "none"
            click.echo(
                f"round {number + 1}: {result.seconds:.0f} s, converged in "
                f"{result.converged:.1f} s, drift {drift}, {len(result.violations)} violations"
            )
            # After every round: what a long attack has shown so far outlives an interruption.
            report = attacks.report
            (folder / "report.md").write_text(report.markdown() + "\n", encoding="utf-8")
            (folder / "violations.txt").write_text("\n".join(report.violations), encoding="utf-8")
    click.echo(f"\n{report.markdown()}\n")
    for violation in report.violations[:SHOWN]:
        click.echo(violation)
    if not report.violations:
        if keep is None:
            shutil.rmtree(folder)
        return
    click.echo(f"\nEverything is in {folder}. To do it again:")
    again = f"--rounds {rounds} --operations {operations} --kills {kills} --others {others}"
    click.echo(f"scripts/faults {again} --seed {seed} --rate {rate:g}")
    sys.exit(1)


if __name__ == "__main__":
    main()
