"""Locks between processes that the kernel frees when their holder dies, however it dies.

``flock(2)``: a lock belongs to the open file description, so a child that is forked shares it, a
program that is exec'ed does not (descriptors are closed on exec), and a pending exclusive lock
never keeps new shared ones out.
Invariant: a lock file is never deleted, for two processes could then hold "the same" lock.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from atom_backend.relational.embedded.privileges import Account

if sys.platform != "win32":
    import fcntl


class FileLock:
    """One open description of a lock file, not locked yet; closing it gives the lock up."""

    def __init__(self, path: Path, account: Account) -> None:
        """``account`` is the owner of a file that is made here. Raises ``OSError``."""
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        account.receive_open(self.descriptor)
        self._open = True

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Close only: an explicit unlock would also take the lock from forked children."""
        if self._open:
            self._open = False
            os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
