"""What a probe found out about a part of the service.

Invariant: a status is the outcome of a real read and write within a deadline, never a constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Of one part, or of the whole."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe's outcome; ``detail`` says in a few words what is wrong."""

    status: Status
    milliseconds: float
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """Every probe, by the part's name."""

    postgresql: Probe
    lancedb: Probe
    embedder: Probe
    vault: Probe

    @property
    def status(self) -> Status:
        stores = (self.postgresql.status, self.lancedb.status)
        if all(status is Status.UNHEALTHY for status in stores):
            return Status.UNHEALTHY
        every = (*stores, self.embedder.status, self.vault.status)
        return Status.HEALTHY if all(s is Status.HEALTHY for s in every) else Status.DEGRADED

    @property
    def ready(self) -> bool:
        """Ready unless neither store can serve."""
        return self.status is not Status.UNHEALTHY
