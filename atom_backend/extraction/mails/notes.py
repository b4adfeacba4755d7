"""Collects what was doubtful while one mail is read.

Invariant: a mail has at most ``MAX_NOTES`` notes and no note twice, however broken it is.
"""

from __future__ import annotations

from typing import Final

from atom_backend.domain.messaging.mail import Doubt, Note
from atom_backend.extraction.mails.charsets import Decoded

MAX_NOTES: Final = 50


class Notes:
    """Notes in the order in which they were met."""

    def __init__(self) -> None:
        self._notes: dict[Note, None] = {}

    def add(self, doubt: Doubt, where: str, detail: str) -> None:
        if len(self._notes) < MAX_NOTES:
            self._notes[Note(doubt, where, detail)] = None

    def extend(self, where: str, decoded: Decoded) -> None:
        """The doubts of a text that was decoded."""
        for doubt, detail in decoded.doubts:
            self.add(doubt, where, detail)

    def all(self) -> tuple[Note, ...]:
        return tuple(self._notes)
