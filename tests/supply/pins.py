"""The pins of the requirement files, beside what is installed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICE = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[.*?\])?==(?P<version>[^\s;]+)\s*(?P<marker>;)?")
_INSTALLERS = {"pip", "uv"}
"""Of no use to the service: scripts/setup brings them along."""


@dataclass(frozen=True)
class Pin:
    """``conditional``: only for some platforms or versions of Python."""

    name: str
    version: str
    conditional: bool


def normal(distribution: str) -> str:
    """The name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def pins(*files: str) -> list[Pin]:
    """Every pinned package; one with several conditions is there several times."""
    found = []
    for file in files:
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            if match := _PIN.match(line):
                conditional = match["marker"] is not None
                found.append(Pin(normal(match["name"]), match["version"], conditional))
    return found


def loose(*files: str) -> list[str]:
    """Lines that name a package and do not pin it exactly."""
    lines = (line for file in files for line in (ROOT / file).read_text("utf-8").splitlines())
    named = (line for line in lines if line and not line.startswith(("#", "-r ")))
    return [line for line in named if not _PIN.match(line)]


def installed() -> dict[str, Distribution]:
    """By name, everything in this environment but what only installs."""
    found = {normal(one.name): one for one in distributions()}
    return {name: one for name, one in found.items() if name not in _INSTALLERS}


def differences() -> list[str]:
    """Where this environment is not what the files say."""
    pinned = pins(SERVICE, DEVELOPMENT)
    present = installed()
    wanted = {pin.name: [one.version for one in pinned if one.name == pin.name] for pin in pinned}
    found = [
        f"{name} {one.version} is installed and not pinned"
        for name, one in present.items()
        if name not in wanted and not _is_ours(one)
    ]
    for pin in pinned:
        if pin.name in present:
            version = present[pin.name].version.partition("+")[0]
            if version not in wanted[pin.name]:
                found.append(f"{pin.name} is pinned to {pin.version}, and {version} is installed")
        elif not pin.conditional and pin.name not in _INSTALLERS:
            found.append(f"{pin.name} {pin.version} is pinned and not installed")
    return list(dict.fromkeys(found))


def _is_ours(distribution: Distribution) -> bool:
    return normal(distribution.name) == "atom-backend"
