"""Under load while a store is away: every search is answered, no acknowledged write is lost (I1).

What was not acknowledged is whole or absent, and sending it again makes no second one of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psutil
import pytest

from atom_backend.relational.embedded.postmaster import live_postmaster
from tests.faults.degradation.caller import Caller, items, refused_for_now
from tests.faults.degradation.load import Load, word
from tests.faults.degradation.outages import without_lancedb
from tests.faults.environment.site import Site

Outage = Callable[[Site], AbstractContextManager[None]]


@pytest.fixture
def load(site: Site, caller: Caller) -> Load:
    load = Load(caller)
    site.wait_until_in_step()
    return load


@pytest.mark.timeout(400)
def test_a_minute_without_lancedb_fails_no_search_and_loses_no_write(
    site: Site, caller: Caller, load: Load
) -> None:
    with load.running():
        load.wait(3)
        with without_lancedb(site):
            load.wait(60)
        site.deployment.wait_until_healthy()
        load.wait(3)
    ledger = load.ledger
    assert ledger.unexpected == []
    assert ledger.searches.keys() == {(), ("lancedb",)}
    assert ledger.searches["lancedb",] > 500
    written = [*ledger.created.values(), *ledger.changed.values(), *ledger.deleted.values()]
    assert {answer.status_code for answer in written} == {200, 201, 204}
    site.wait_until_in_step()
    assert_everything_is_as_acknowledged(site, caller, load)


@contextmanager
def frozen_postgresql(site: Site) -> Iterator[None]:
    """Every process of the server is stopped (SIGSTOP): it accepts connections and says nothing."""
    postmaster = live_postmaster(site.server.folder.cluster)
    assert postmaster is not None
    family = [first := psutil.Process(postmaster.pid), *first.children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(family):
            process.resume()


@contextmanager
def killed_postgresql(site: Site) -> Iterator[None]:
    site.kill_server()
    yield
    site.start_server()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("outage", [frozen_postgresql, killed_postgresql])
def test_without_postgresql_searches_go_on_and_what_is_sent_again_is_there_once(
    site: Site, caller: Caller, load: Load, outage: Outage
) -> None:
    with load.running():
        load.wait(3)
        with outage(site):
            load.wait(12)
        # How long it takes to recover is the machine's business; that nobody restarts it is ours.
        site.deployment.wait_until_healthy()
        load.wait(6)
    ledger = load.ledger
    assert ledger.unexpected == []
    assert ledger.searches.keys() == {(), ("postgresql",)}
    written = [*ledger.created.values(), *ledger.changed.values(), *ledger.deleted.values()]
    refused = [answer for answer in written if not answer.is_success]
    assert refused
    assert all(map(refused_for_now, refused))
    assert written[-1].is_success
    site.deployment.wait_until_healthy()
    for number, answer in list(ledger.created.items()):
        if not answer.is_success:
            ledger.created[number] = load.create(number)
    site.wait_until_in_step()
    assert_everything_is_as_acknowledged(site, caller, load)


def assert_everything_is_as_acknowledged(site: Site, caller: Caller, load: Load) -> None:
    """By PostgreSQL's rows, and by what can be found."""
    ledger = load.ledger
    assert {answer.status_code for answer in ledger.created.values()} == {201}
    owner = caller.tokens["user"]["id"]
    rows = site.sql("select id, text from items where owner_id = :owner", owner=owner)
    texts = {str(row.id): row.text for row in rows}
    assert len(set(texts.values())) == len(texts)
    for number, created in ledger.created.items():
        document = created.json()["id"]
        first, second = (f"The {word(number)} was seen{end}." for end in ("", " again"))
        allowed: set[str | None] = {first}
        if (changed := ledger.changed.get(number)) is not None:
            allowed = {second} if changed.is_success else {first, second}
        if (deleted := ledger.deleted.get(number)) is not None:
            allowed = {None} if deleted.is_success else {*allowed, None}
        text = texts.pop(document, None)
        assert text in allowed, number
        found = items(caller.find(query=word(number), mode="text"))
        assert (document in found) == (text is not None), number
    assert all("always there" in text for text in texts.values())
