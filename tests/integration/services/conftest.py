"""The same stage as the coordinator's tests have: both stores, and workers to bring into step."""

from __future__ import annotations

from tests.integration.coordinator.conftest import empty_tables, stage

__all__ = ["empty_tables", "stage"]
