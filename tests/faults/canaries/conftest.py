"""A deployment that says as much as it can, with a canary in the place of every secret."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.canaries.granting import FRONT_END, TalkativeProvider, talkative_provider
from tests.faults.canaries.nest import Nest
from tests.faults.environment.site import a_site


@pytest.fixture(scope="module")
def provider() -> Iterator[TalkativeProvider]:
    with talkative_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def nest(provider: TalkativeProvider) -> Iterator[Nest]:
    """Outside pytest's own folder, which is closed to the account of PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="atom-canaries-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        nest = Nest(folder)
        temporary = folder / "tmp"
        temporary.mkdir()
        provider.describe(folder / "providers.toml")
        settings = {
            "ATOM_LOG_LEVEL": "DEBUG",
            "TMPDIR": str(temporary),
            "ATOM_OAUTH_PROVIDERS": str(folder / "providers.toml"),
            "ATOM_OAUTH_REDIRECT_URIS": f"talkative={FRONT_END}",
            "ATOM_PUBLIC_URL": "http://127.0.0.1:8765",
            **nest.settings(),
        }
        with a_site(folder, nest.plant("database password"), **settings) as site:
            nest.site = site
            yield nest
