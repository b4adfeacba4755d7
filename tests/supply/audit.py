"""``scripts/audit``: pins, files and known vulnerabilities of everything that is installed.

Invariant: a check that could not be made is never reported as passed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from tests.supply.integrity import altered
from tests.supply.pins import DEVELOPMENT, SERVICE, differences, installed, loose, pins

NOT_CHECKED = 75
"""EX_TEMPFAIL of sysexits.h: try again where there is a network."""

_FALLIBLE = "no vulnerability service can be reached from here"


def main() -> int:
    """0: nothing found; 1: something found; 75: nothing found, and not everything checked."""
    packages = installed()
    loosely = [f"not pinned: {one}" for one in loose(SERVICE, DEVELOPMENT)]
    found = [*loosely, *differences(), *conflicts()]
    click.echo(f"{datetime.now(UTC):%Y-%m-%d}: {len(packages)} packages are installed")
    click.echo(f"pins: {_verdict(found)}")
    changed = list(altered(packages.values()))
    click.echo(f"files against the hashes of their packages: {_verdict(changed)}")
    vulnerable, unchecked = vulnerabilities()
    click.echo(f"known vulnerabilities: {_said(vulnerable, unchecked)}")
    for one in [*found, *changed, *vulnerable]:
        click.echo(f"  {one}")
    if found or changed or vulnerable:
        return 1
    return NOT_CHECKED if unchecked else 0


def conflicts() -> list[str]:
    """Packages that need others than those that are installed, as pip tells them."""
    command = [sys.executable, "-m", "pip", "check", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else (done.stdout or done.stderr).splitlines()


def vulnerabilities() -> tuple[list[str], list[str]]:
    """What pip-audit knows of the pinned packages, and those that it could not ask about."""
    present = installed()
    asked = [pin for pin in pins(SERVICE, DEVELOPMENT) if pin.name in present]
    exact = sorted({f"{one.name}=={present[one.name].version.partition('+')[0]}" for one in asked})
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(exact))
        file.flush()
        answer = _ask(Path(file.name))
    if answer is None:
        return [], exact
    return read(answer)


def read(answer: str) -> tuple[list[str], list[str]]:
    """The vulnerabilities in pip-audit's JSON, and the packages that it left out."""
    told = json.loads(answer)["dependencies"]
    vulnerable = [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in {flaw['fix_versions'] or 'none'}"
        for one in told
        for flaw in one.get("vulns", ())
    ]
    return vulnerable, [one["name"] for one in told if "skip_reason" in one]


def _ask(requirements: Path) -> str | None:
    """pip-audit's answer; None where it has none."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements)]
    options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    return done.stdout if done.stdout.startswith("{") else None


def _verdict(found: list[str]) -> str:
    return f"{len(found)} differences" if found else "as they should be"


def _said(vulnerable: list[str], unchecked: list[str]) -> str:
    if unchecked:
        known = f"{len(vulnerable)}, but {len(unchecked)} packages were not checked"
        return f"{known}: {_FALLIBLE}"
    return str(len(vulnerable))


if __name__ == "__main__":
    sys.exit(main())
