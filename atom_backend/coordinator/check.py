"""Check: says where LanceDB is not what PostgreSQL wants.

Invariant: it writes nothing, and is right beside any number of writers and workers: what is in
flight is counted, and is not drift.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from atom_backend.coordinator.examination import Examination
from atom_backend.domain.drift import DriftReport, Progress, RepairReport
from atom_backend.domain.ports import Transactions, VectorStore

__all__ = ["GRACE", "Check", "Checking", "Progress", "Repairing"]

GRACE = 2.0
"""Seconds between the last two looks at what seems to be wrong."""


class Check:
    """Compares the stores. ``spec`` gives the index spec that everything must be made under."""

    def __init__(
        self,
        transactions: Transactions,
        vectors: VectorStore,
        *,
        spec: Callable[[], str],
        grace: float = GRACE,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transactions = transactions
        self._vectors = vectors
        self._spec = spec
        self._grace = grace
        self._wait = wait

    def run(self, progress: Progress | None = None) -> DriftReport:
        """A whole check.

        Raises DependencyError where a store does not answer, ConfigurationError where the tables
        are another version's; a table that cannot be read is part of the report.
        """
        examination = self.begin(progress)
        for _ in examination.confirmed():
            pass
        return examination.report()

    def begin(self, progress: Progress | None = None) -> Examination:
        """The same, for whoever wants to act on what is found."""
        return Examination(
            self._transactions,
            self._vectors,
            spec=self._spec(),
            grace=self._grace,
            wait=self._wait,
            progress=progress,
        )


class Checking(Protocol):
    """What a check is for those who only run it."""

    def run(self, progress: Progress | None = None) -> DriftReport: ...


class Repairing(Protocol):
    """The same of a repair."""

    def run(self, *, dry_run: bool = False, progress: Progress | None = None) -> RepairReport: ...
