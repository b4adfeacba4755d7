"""What a benchmark prints: the machine that it ran on, and tables.

Invariant: no figure is printed without the machine and the versions that made it.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import click

_PACKAGES = ("lancedb", "onnxruntime", "torch", "sentence-transformers", "bm25s")


def show_machine() -> None:
    """The processor, its cores, how busy it is, Python, and the packages that matter."""
    load = os.getloadavg()[0]
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    click.echo(f"Machine   {_processor()}, {os.cpu_count()} cores, {platform.system()}")
    click.echo(f"Load      {load:.2f} over the last minute, before the run")
    click.echo(f"Python    {platform.python_version()}; {packages}\n")


def show_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need: the first to the left, the others to the right."""
    widths = [max(len(row[place]) for row in [heading, *rows]) for place in range(len(heading))]
    for row in [heading, ["-" * width for width in widths], *rows]:
        first, *others = row
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        click.echo("  ".join(cells).rstrip())
    click.echo()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
