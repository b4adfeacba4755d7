"""Where the store lies, and whether it is really there.

LanceDB treats a missing folder as an empty database, so that a write to a folder whose disk is not
mounted makes a new, hollow table. Invariant: no call reaches LanceDB unless the marker file that
the migration left beside the tables, and the tables' own folders, can be seen. Object stores have
no folder that could vanish; there the check passes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from atom_backend.errors import VectorStoreUnavailable

MARKER = ".atom-backend"
_MARKER_TEXT = "The LanceDB tables in this folder belong to Atom Backend; this file says so.\n"
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

    def table(self, name: str) -> Path | None:
        """The folder of one table."""
        return self.folder / f"{name}.lance" if self.folder else None

    def mark(self) -> None:
        """Say that the tables here are complete; the migration's last step."""
        if self.folder:
            (self.folder / MARKER).write_text(_MARKER_TEXT)

    def require(self, names: Iterable[str]) -> None:
        """Raise VectorStoreUnavailable unless the store and these tables are in place."""
        if self.folder is None:
            return
        try:
            if not (self.folder / MARKER).is_file():
                raise VectorStoreUnavailable(
                    f"There is no LanceDB store at {self.folder}: its disk is not mounted, "
                    "or the store has not been migrated yet."
                )
            for name in names:
                if not _has_entry(self.folder / f"{name}.lance" / "_versions"):
                    raise VectorStoreUnavailable(
                        f"The LanceDB table {name} is missing from {self.folder}."
                    )
        except OSError as error:
            raise VectorStoreUnavailable(f"{self.folder} cannot be read: {error}") from error


def _has_entry(folder: Path) -> bool:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return next(entries, None) is not None
    return False
