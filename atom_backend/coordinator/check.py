"""Check: compares what PostgreSQL wants with what LanceDB holds. It writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from atom_backend.domain.drift import DriftReport, RepairReport

Progress = Callable[[int, int], None]
"""Told again and again how many rows are done, and of how many."""


class Checking(Protocol):
    """What ``Check`` offers."""

    def run(self, progress: Progress | None = None) -> DriftReport: ...


class Repairing(Protocol):
    """What ``Repair`` offers."""

    def run(self, *, dry_run: bool = False, progress: Progress | None = None) -> RepairReport: ...
