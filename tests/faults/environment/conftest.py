"""One deployment for all tests of a process; each has accounts of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.deployment import Account
from tests.faults.environment.site import Site, a_site


@pytest.fixture(scope="session")
def shared_site() -> Iterator[Site]:
    """Outside pytest's own folder, which is closed to the account of PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="atom-faults-") as made:
        Path(made).chmod(0o755)
        with a_site(Path(made)) as site:
            yield site


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    """Whole before the test and whole after it, by the very processes that were there before."""
    processes = (shared_site.deployment.web.pid, shared_site.deployment.worker.pid)
    yield shared_site
    shared_site.wait_until_in_step()
    deployment = shared_site.deployment
    assert (deployment.web.pid, deployment.worker.pid) == processes
    assert deployment.web.running
    assert deployment.worker.running


@pytest.fixture
def account(site: Site) -> Account:
    return site.deployment.account()
