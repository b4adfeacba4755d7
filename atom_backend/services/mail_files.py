"""Mail files to import: one candidate a mail, which finds it again at its place in its file.

Invariant: a file of any size is read one mail at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from atom_backend.domain.messaging.mail import MboxMessage
from atom_backend.errors import InvalidInput
from atom_backend.services.mailing import Mailing

_MBOX = frozenset({".mbox", ".mbx"})
SUFFIXES = _MBOX | {".eml"}


@dataclass(frozen=True, slots=True)
class MailCandidate:
    """A mail in a file, from ``offset`` on; ``damaged`` as the whole file shows it."""

    name: str
    file: Path
    offset: int
    damaged: bool

    def read(self, mailing: Mailing) -> MboxMessage:
        """Raises InvalidInput ``unreadable_file``."""
        with _opened(self.file) as stream:
            stream.seek(self.offset)
            for mail in mailing.split(stream, mbox_file=_is_mbox(self.file)):
                return replace(mail, damaged=self.damaged)
        raise InvalidInput("is not as it was when the import began", code="unreadable_file")


def mails_of(file: Path, name: str, mailing: Mailing) -> Iterator[MailCandidate]:
    """The mails of a file; those of an mbox are named by their numbers."""
    with _opened(file) as stream:
        for mail in mailing.split(stream, mbox_file=_is_mbox(file)):
            each = f"{name}:{mail.number}" if _is_mbox(file) else name
            yield MailCandidate(each, file, mail.offset, mail.damaged)


def _is_mbox(file: Path) -> bool | None:
    """None where the content shall decide."""
    return True if file.suffix.lower() in _MBOX else None


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", code="unreadable_file") from None
