"""Where the server's socket lies: a private folder with a path that sockets and clients can take.

Invariant: whoever can enter the folder may log in as any role, so it belongs to the server's
account with mode 0700, and its place stays the same over restarts, so that URLs stay valid.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from atom_backend.errors import ConfigurationError
from atom_backend.relational.embedded.cluster import PORT
from atom_backend.relational.embedded.folder import ServerFolder
from atom_backend.relational.embedded.privileges import is_private

# sockaddr_un.sun_path: 108 bytes on Linux, 104 on macOS, with the final zero.
LONGEST = 100
# A comma separates hosts for clients, a quote ends the server's setting.
UNSAFE = frozenset(",\"'\\\n")
SOCKET = f".s.PGSQL.{PORT}"


def socket_folder(folder: ServerFolder) -> Path:
    """The private socket folder of ``folder``, made and noted when it is not there.

    Call it only as the one who starts the server. Raises ``ConfigurationError``.
    """
    own = folder.path / "socket"
    if is_usable(own):
        own.mkdir(mode=0o700, exist_ok=True)
        folder.account.receive(own)
        if not is_private(own, folder.account):
            raise ConfigurationError(f"{own} must belong to the server's account, mode 0700.")
        return own
    noted = known_socket_folder(folder)
    if noted is not None and noted.exists() and is_private(noted, folder.account):
        return noted
    return _make_short(folder)


def known_socket_folder(folder: ServerFolder) -> Path | None:
    """Where the socket of a server in ``folder`` is, None if it never had a place."""
    own = folder.path / "socket"
    if is_usable(own):
        return own
    with contextlib.suppress(FileNotFoundError):
        noted = _note(folder).readlink()
        # A copied folder must not share the socket of the one it was copied from.
        if noted.name.startswith(_prefix(folder)):
            return noted
    return None


def is_usable(folder: Path) -> bool:
    """Whether a socket in ``folder`` has a path that fits and that nobody has to quote."""
    text = str(folder)
    fits = len(os.fsencode(folder / SOCKET)) < LONGEST
    return fits and text.isprintable() and not UNSAFE.intersection(text)


def clear_socket(sockets: Path) -> None:
    """Remove what a killed server left; only while no server of this folder can be alive."""
    for name in (SOCKET, f"{SOCKET}.lock"):
        (sockets / name).unlink(missing_ok=True)


def _prefix(folder: ServerFolder) -> str:
    return f"atom-pg-{hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:12]}-"


def _note(folder: ServerFolder) -> Path:
    """A symbolic link is the note: one atomic step, and root writes into no one else's file."""
    return folder.path / "socket-elsewhere"


def _make_short(folder: ServerFolder) -> Path:
    # A fresh random name: nobody else on the machine can have taken it or put a link there.
    made = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=_temporary_folder(folder)))
    folder.account.receive(made)
    _note(folder).unlink(missing_ok=True)
    _note(folder).symlink_to(made)
    return made


def _temporary_folder(folder: ServerFolder) -> Path:
    for candidate in (Path(tempfile.gettempdir()), Path("/tmp")):
        sample = candidate / f"{_prefix(folder)}12345678"
        if is_usable(sample) and folder.account.reaches(sample):
            return candidate
    raise ConfigurationError(
        f"The path {folder.path} is too long for a socket, and so is that of the temporary folder: "
        "choose a shorter data folder."
    )
