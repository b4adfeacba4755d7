"""Deadlines of requests are those of the settings, and shorter than the coordinator's."""

from __future__ import annotations

from atom_backend.settings import Settings
from atom_backend.stores import Patience


def test_requests_wait_as_long_as_the_settings_say() -> None:
    given = {"ATOM_DATABASE_DEADLINE_SECONDS": "7", "ATOM_SEARCH_DEADLINE_SECONDS": "1.5"}
    patience = Patience.of_requests(Settings.from_environment(given))
    assert patience == Patience(connection=3.0, statement=7.0, vectors=1.5)
    hasty = Settings.from_environment({"ATOM_DATABASE_DEADLINE_SECONDS": "0.5"})
    assert Patience.of_requests(hasty).connection == 0.5


def test_nobody_waits_longer_for_a_request_than_for_the_coordinator() -> None:
    usual, web = Patience(), Patience.of_requests(Settings.from_environment({}))
    assert web.connection < usual.connection
    assert web.statement < usual.statement
    assert web.vectors < usual.vectors
