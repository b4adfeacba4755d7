"""Sessions as their owner sees them: one for each login that has not ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Session:
    """A login. ``agent`` and ``address`` are those of the last login or refresh; ``expires_at`` is
    when the last refresh token does."""

    id: UUID
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime | None
    agent: str | None
    address: str | None


class OwnSessions(Protocol):
    """The sessions of one account. What was ended opens nothing from the commit on."""

    def every(self) -> Sequence[Session]:
        """Those that are open, the one that was refreshed last first."""
        ...

    def end(self, session_id: UUID) -> None:
        """Raises NotFound."""
        ...

    def end_others(self, session_id: UUID) -> int:
        """All but this one; how many they were."""
        ...
