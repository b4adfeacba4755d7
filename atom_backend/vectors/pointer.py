"""The pointer beside the tables: whose they are, and which generation of them is searched.

Like the CURRENT file of RocksDB it is small and only ever replaced as a whole. In a folder it is a
file that is renamed into place; it is looked at before every call, which costs one ``stat``. On an
object store it is a LanceDB table with one row, remembered for a second. Invariant: a reader gets a
pointer as one write left it, None where there is none, or an error; never a mixture.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import pyarrow as pa

from atom_backend.domain.generations import Pointer
from atom_backend.errors import VectorStoreCorrupt, VectorStoreUnavailable
from atom_backend.vectors.durability import flush
from atom_backend.vectors.location import Location
from atom_backend.vectors.schema import Layout
from atom_backend.vectors.translate import LANCE_ERRORS, Verdict, judge

_REMEMBERED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Stored:
    """A pointer, and when it was written (seconds since 1970, by the writer's clock)."""

    pointer: Pointer
    written_at: float


class PointerPlace(Protocol):
    """Where the pointer of one store stands."""

    async def read(self, *, fresh: bool = False) -> Stored | None:
        """The pointer, or None; a ``fresh`` one is read from the store even if it is known.

        Raises VectorStoreCorrupt where it cannot be understood.
        """
        ...

    async def write(self, pointer: Pointer) -> None:
        """Replace it; when this returns, a power cut does not bring the old one back."""
        ...


def pointer_place(location: Location, layout: Layout) -> PointerPlace:
    """The place of the pointer to this layout's generations."""
    if location.folder is not None:
        return PointerFile(location.folder / f"{layout.chunks_table}.current")
    return PointerTable(location, f"{layout.chunks_table}_current")


class PointerFile:
    """In a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[object, Stored] | None = None

    async def read(self, *, fresh: bool = False) -> Stored | None:
        try:
            if self._known is None or fresh or self._known[0] != _identity(os.stat(self._path)):  # noqa: PTH116
                self._known = self._load()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise VectorStoreUnavailable(f"{self._path} cannot be read: {error}") from error
        return self._known[1]

    async def write(self, pointer: Pointer) -> None:
        aside = self._path.with_name(f".{self._path.name}.{uuid4().hex}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(_encoded(pointer))
            flush(aside)
            aside.replace(self._path)
            flush(self._path.parent)
        except OSError as error:
            raise VectorStoreUnavailable(f"{self._path} cannot be written: {error}") from error
        finally:
            with suppress(OSError):
                aside.unlink()

    def _load(self) -> tuple[object, Stored]:
        with self._path.open("rb") as file:
            # Of the open file, because another may have been renamed into its place since.
            return _identity(os.fstat(file.fileno())), _decoded(file.read(), str(self._path))


class PointerTable:
    """On an object store."""

    def __init__(self, location: Location, name: str) -> None:
        self._location = location
        self._name = name
        self._database: Any = None
        self._known: tuple[float, Stored | None] | None = None

    async def read(self, *, fresh: bool = False) -> Stored | None:
        now = time.monotonic()
        if self._known is None or fresh or now - self._known[0] > _REMEMBERED_SECONDS:
            self._known = now, await self._load()
        return self._known[1]

    async def write(self, pointer: Pointer) -> None:
        row = pa.table({"pointer": [_encoded(pointer)]})
        await (await self._connection()).create_table(self._name, row, mode="overwrite")
        self._known = None

    async def _load(self) -> Stored | None:
        try:
            table = await (await self._connection()).open_table(self._name)
        except LANCE_ERRORS as error:
            if judge(error) is Verdict.MISCONFIGURED:
                return None
            raise
        rows = (await table.to_arrow())["pointer"].to_pylist()
        return _decoded(b"".join(rows), f"{self._location.uri}/{self._name}")

    async def _connection(self) -> Any:
        if self._database is None:
            self._database = await self._location.connect()
        return self._database


def _identity(status: os.stat_result) -> object:
    """Differs from file to file: every write makes a new one."""
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _encoded(pointer: Pointer) -> bytes:
    fields = asdict(pointer) | {"store": str(pointer.store), "written_at": time.time()}
    content = json.dumps(fields).encode()
    return b"%s\n%08x\n" % (content, zlib.crc32(content))


def _decoded(stored: bytes, place: str) -> Stored:
    try:
        content, checksum = stored.splitlines()
        if int(checksum, 16) != zlib.crc32(content):
            raise ValueError("its checksum is wrong")
        fields = json.loads(content)
        written_at = float(fields.pop("written_at"))
        return Stored(Pointer(**(fields | {"store": UUID(fields["store"])})), written_at)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise VectorStoreCorrupt(
            f"{place}, which names the current tables, cannot be read ({error}): "
            "put it back from a backup, or run the command rebuild."
        ) from error
