"""The folder of one embedded server: what lies where, and how it comes to be.

Invariants: the folder is private to the account that runs the server; a folder that holds anything
else is refused; no folder above it is ever changed. Root's folder that this account cannot reach
(below a 0700 home) stays where it is and holds a note; the data lies below ``STATE_ROOT``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atom_backend.errors import ConfigurationError
from atom_backend.relational.embedded.locks import FileLock
from atom_backend.relational.embedded.privileges import Account, account_for

STATE_ROOT = Path("/var/lib/atom-backend")
NOTE = "where-the-data-is.txt"
LOCKS = ("users.lock", "guard.lock", "cluster.lock")
FOLDERS = ("cluster", "cluster.new", "log", "socket", "socket-elsewhere")
OURS = frozenset((*LOCKS, *FOLDERS, "startup.log"))


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """Where one server keeps everything, and the account that all of it belongs to."""

    path: Path
    account: Account

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory; it exists only when complete."""
        return self.path / "cluster"

    @property
    def unfinished_cluster(self) -> Path:
        return self.path / "cluster.new"

    @property
    def startup_log(self) -> Path:
        """What initdb and the server said before the server's own log was open."""
        return self.path / "startup.log"

    def users_lock(self) -> FileLock:
        return FileLock(self.path / "users.lock", self.account)

    def guard_lock(self) -> FileLock:
        return FileLock(self.path / "guard.lock", self.account)

    def cluster_lock(self) -> FileLock:
        return FileLock(self.path / "cluster.lock", self.account)

    def log_tail(self, lines: int = 20) -> str:
        """The last lines that the server wrote, for a message to the operator."""
        return "\n".join(line for log in self._logs() for line in _last_lines(log, lines))

    def _logs(self) -> Iterator[Path]:
        if not self.startup_log.exists():
            return
        yield self.startup_log
        written = (self.path / "log").glob("*.log")
        newest = max(written, key=_changed, default=None)
        # An older one is about an earlier start.
        if newest is not None and _changed(newest) >= _changed(self.startup_log):
            yield newest


def open_folder(requested: Path) -> ServerFolder:
    """The server folder for ``requested``, made when it is not there.

    Raises ``ConfigurationError`` when it cannot be used.
    """
    try:
        return _open(requested.resolve())
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {requested} of the embedded PostgreSQL cannot be used "
            f"({error.strerror}: {error.filename}): make it writable for this account, "
            "choose another one, or set DATABASE_URL to a server of your own."
        ) from error


def state_root() -> Path:
    """``STATE_ROOT``, made when it is not there, which every account may pass."""
    if not STATE_ROOT.exists():
        STATE_ROOT.mkdir(parents=True, exist_ok=True)
        # A strict umask of root would shut out the account that the data is moved here for.
        STATE_ROOT.chmod(0o755)
    return STATE_ROOT


def _open(asked: Path) -> ServerFolder:
    asked.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = _where_the_data_is(asked)
    _refuse_foreign_content(path)
    account = account_for(path)
    account.receive(path)
    if path.stat().st_uid != account.uid:
        raise ConfigurationError(f"The data folder {path} belongs to another account than yours.")
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return ServerFolder(path, account)


def _where_the_data_is(asked: Path) -> Path:
    note = asked / NOTE
    if note.is_file():
        return Path(note.read_text(encoding="utf-8").splitlines()[0])
    if account_for(asked).reaches(asked):
        return asked
    moved = state_root() / hashlib.sha256(os.fsencode(asked)).hexdigest()[:16]
    moved.mkdir(mode=0o700, exist_ok=True)
    note.write_text(
        f"{moved}\n\nPostgreSQL does not run as root, and the account that it runs as cannot reach "
        "this folder.\nIts data is therefore kept in the folder above; delete both together.\n",
        encoding="utf-8",
    )
    return moved


def _refuse_foreign_content(path: Path) -> None:
    foreign = sorted(entry.name for entry in path.iterdir() if entry.name not in OURS)
    if foreign:
        raise ConfigurationError(
            f"The data folder {path} of the embedded PostgreSQL holds other files "
            f"({', '.join(foreign[:3])}): choose an empty or a new folder."
        )


def _changed(log: Path) -> float:
    return log.stat().st_mtime


def _last_lines(log: Path, lines: int) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
