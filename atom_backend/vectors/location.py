"""Where the store lies, whether its tables are really there, and whether there is room for more.

LanceDB treats a missing folder as an empty database, so that a write to a folder whose disk is not
mounted makes a new, hollow table. Invariant: no call reaches LanceDB unless the pointer beside the
tables (``pointer``) and the tables' own folders can be seen. Object stores have no folder that
could vanish; there the pointer is enough.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import lancedb

from atom_backend.errors import VectorStoreUnavailable

INDEX_CACHE_BYTES = 256 << 20
METADATA_CACHE_BYTES = 64 << 20
SPARE_BYTES = 64 << 20
"""What writing leaves free: maintenance, which alone can make room, needs some itself."""

_FILE_SCHEME = "file://"


class Location:
    """A LanceDB URI: ``uri`` as LanceDB is to see it, ``folder`` where it is a local one."""

    def __init__(self, uri: str) -> None:
        if "://" in uri and not uri.startswith(_FILE_SCHEME):
            self.uri = uri
            self.folder: Path | None = None
        else:
            self.folder = Path(uri.removeprefix(_FILE_SCHEME)).expanduser().absolute()
            self.uri = str(self.folder)

    async def connect(self) -> Any:
        """An ``AsyncConnection`` with bounded caches (LanceDB's own bounds are 7 GiB)."""
        return await lancedb.connect_async(
            self.uri,
            read_consistency_interval=timedelta(0),
            session=lancedb.Session(INDEX_CACHE_BYTES, METADATA_CACHE_BYTES),
        )

    def table(self, name: str) -> Path | None:
        """The folder of one table."""
        return self.folder / f"{name}.lance" if self.folder else None

    def require(self, names: Iterable[str]) -> None:
        """Raise VectorStoreUnavailable unless these tables are in place."""
        if self.folder is None:
            return
        try:
            for name in names:
                if not _has_entry(self.folder / f"{name}.lance" / "_versions"):
                    raise VectorStoreUnavailable(
                        f"The LanceDB table {name} is missing from {self.folder}: put it back, "
                        "or run the command rebuild."
                    )
        except OSError as error:
            raise VectorStoreUnavailable(f"{self.folder} cannot be read: {error}") from error

    def require_room(self, size: int = 0) -> None:
        """Raise VectorStoreUnavailable unless so many bytes can be written with some to spare.

        LanceDB itself notices a full disk late, and where it hits the end of a file not at all.
        """
        if self.folder is None:
            return
        try:
            disk = os.statvfs(self.folder)
        except OSError as error:
            raise VectorStoreUnavailable(f"{self.folder} cannot be read: {error}") from error
        if disk.f_bavail * disk.f_frsize < SPARE_BYTES + 2 * size:
            raise VectorStoreUnavailable(f"The disk of LanceDB is full: {self.folder}.")


def _has_entry(folder: Path) -> bool:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return next(entries, None) is not None
    return False
