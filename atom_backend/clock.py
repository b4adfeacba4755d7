"""Where time and identifiers come from, so that tests can decide both.

Invariant: every stored time is timezone-aware UTC; every identifier is a UUID version 7
(RFC 9562), so that sorting by identifier is sorting by creation.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Protocol

import uuid_utils


class Clock(Protocol):
    """The present moment, in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def new_id() -> uuid.UUID:
    """A fresh UUID version 7 (RFC 9562, section 5.7)."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)
