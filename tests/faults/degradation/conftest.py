"""One deployment for the tests of degradation, whose stores are taken away and given back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.degradation.caller import Caller
from tests.faults.environment.site import Site, a_site

AS_BY_DEFAULT = {
    "ATOM_DATABASE_DEADLINE_SECONDS": "10",
    "ATOM_SEARCH_DEADLINE_SECONDS": "3",
    "DB_MAX_CONNECTIONS": "20",
    "DB_POOL_TIMEOUT": "30",
}
"""What is tested here is what an operator gets who sets nothing."""


@pytest.fixture(scope="session")
def shared_site() -> Iterator[Site]:
    """Outside pytest's own folder, which is closed to the account of PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="atom-degraded-") as made:
        Path(made).chmod(0o755)
        with a_site(Path(made), **AS_BY_DEFAULT) as site:
            yield site


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    """Healthy and in step before and after, without anything having been started again."""
    web, worker = shared_site.deployment.web, shared_site.deployment.worker
    yield shared_site
    shared_site.deployment.wait_until_healthy()
    shared_site.wait_until_in_step()
    assert (shared_site.deployment.web, shared_site.deployment.worker) == (web, worker)
    assert web.running
    assert worker.running


@pytest.fixture
def caller(site: Site) -> Iterator[Caller]:
    with Caller(site.deployment.url) as caller:
        yield caller


@pytest.fixture
def stranger(site: Site) -> Iterator[Caller]:
    with Caller(site.deployment.url) as caller:
        yield caller
