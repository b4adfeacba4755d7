"""Which account the server runs as, and where that account can go.

PostgreSQL refuses to run as root. Root therefore lends the server to the owner of the data folder,
or to ``nobody``; everybody else runs it as themselves.
Invariant: nothing here changes a permission; what the account cannot reach is moved, not opened.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from atom_backend.errors import ConfigurationError

if sys.platform != "win32":
    import pwd

NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group that own the data and run the server, with no further groups."""

    uid: int
    gid: int

    @property
    def lent(self) -> bool:
        """True when the caller is root and the server must run as somebody else."""
        return os.geteuid() == 0 != self.uid

    def receive(self, path: Path) -> None:
        """Give ``path`` to this account if it belongs to root; a symbolic link is not followed."""
        if self.lent and path.lstat().st_uid == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def receive_open(self, descriptor: int) -> None:
        """The same for an open file."""
        if self.lent and os.fstat(descriptor).st_uid == 0:
            os.fchown(descriptor, self.uid, self.gid)

    def may(self, wanted: int, path: Path) -> bool:
        """Whether the mode bits of ``path`` allow ``wanted`` (of ``os.R_OK | os.X_OK``)."""
        found = path.stat()
        if self.uid == found.st_uid:
            granted = found.st_mode >> 6
        elif self.gid == found.st_gid:
            granted = found.st_mode >> 3
        else:
            granted = found.st_mode
        return (granted & wanted) == wanted

    def reaches(self, path: Path) -> bool:
        """Whether every folder above the absolute ``path`` lets this account pass.

        An ordinary user needs no such forecast: it gets the error of the attempt itself.
        """
        return not self.lent or all(self.may(os.X_OK, parent) for parent in path.parents)


def account_for(folder: Path) -> Account:
    """The account that runs a server in ``folder``, which may not exist yet."""
    if os.geteuid() != 0:
        return _existing(os.geteuid(), os.getegid())
    found = folder.stat() if folder.exists() else None
    if found is not None and found.st_uid != 0:
        return _existing(found.st_uid, found.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return _existing(NOBODY, NOBODY)
    return Account(nobody.pw_uid, nobody.pw_gid)


def _existing(uid: int, gid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        # initdb asks for the name of its user and gives up without one.
        raise ConfigurationError(
            f"The embedded PostgreSQL would run as uid {uid}, which has no name on this machine: "
            "add an entry to /etc/passwd, or set DATABASE_URL to a server of your own."
        ) from None
    return Account(uid, entry.pw_gid if gid == 0 and uid != 0 else gid)


def is_private(folder: Path, account: Account) -> bool:
    """Whether ``folder`` is a real folder, no symbolic link, that only ``account`` may enter."""
    found = folder.lstat()
    mine = found.st_uid == account.uid and not found.st_mode & 0o077
    return mine and stat.S_ISDIR(found.st_mode)
