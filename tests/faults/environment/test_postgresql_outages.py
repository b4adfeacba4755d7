"""PostgreSQL is gone, by every way in which a server can be gone (I1, I2, I5, I6).

Writes are refused in time and leave nothing behind; what was acknowledged is there afterwards; both
processes recover by themselves, and no item pays for the outage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.faults.deployment import Account, eventually
from tests.faults.environment.site import CONNECTIONS, Site
from tests.faults.proxy import Moment

Ask = Callable[[], httpx.Response]


@dataclass(frozen=True)
class Outage:
    """How it begins and how it ends."""

    begin: Callable[[Site], None]
    end: Callable[[Site], None]

    @contextmanager
    def over(self, site: Site) -> Iterator[None]:
        """Over also when the test fails meanwhile, for the sake of those to come."""
        self.begin(site)
        try:
            yield
        finally:
            self.end(site)


def on_networks(effect: str) -> Callable[[Site], None]:
    def apply(site: Site) -> None:
        for network in site.networks:
            getattr(network, effect)()

    return apply


OUTAGES = {
    "refuses": Outage(on_networks("refuse"), on_networks("heal")),
    "is deaf": Outage(on_networks("deafen"), on_networks("heal")),
    "stalls": Outage(on_networks("stall"), on_networks("heal")),
    "was killed": Outage(Site.kill_server, Site.start_server),
}


def all_at_once(*requests: Ask) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(requests)) as pool:
        return [future.result() for future in [pool.submit(ask) for ask in requests]]


def was_refused_for_now(answer: httpx.Response) -> bool:
    later = int(answer.headers.get("Retry-After", "0"))
    return answer.status_code == 503 and later > 0 and "PostgreSQL" in answer.json()["detail"]


def an_essay(number: int) -> str:
    """Long enough that its indexing takes a while."""
    return " ".join(f"Essay {number}, line {line}, is about the tides." for line in range(200))


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_while_postgresql_is_gone_writes_are_refused_and_afterwards_all_is_as_before(
    site: Site, account: Account, outage: Outage
) -> None:
    kept = account.write("What the moon does to the tides.")
    site.wait_until_in_step()
    waiting = [account.write(an_essay(number)) for number in range(5)]

    with outage.over(site):
        written, changed, deleted, read, found = all_at_once(
            lambda: account.post("Never acknowledged."),
            lambda: account.patch(kept, "Never acknowledged."),
            lambda: account.delete(kept),
            lambda: account.get(kept),
            lambda: account.search("moon and tides"),
        )
        assert all(map(was_refused_for_now, [written, changed, deleted, read]))
        assert found.status_code == 200
        assert found.json()["degraded"] == ["postgresql"]
        assert kept in {one["item_id"] for one in found.json()["results"]}
        eventually(lambda: site.deployment.health()["database"]["postgresql"] == "unhealthy")

    later = eventually(lambda: accepted(account.post("Written after it.")), site.story)
    site.wait_until_in_step()
    assert account.listed() == {kept, *waiting, later}
    assert account.text(kept) == "What the moon does to the tides."
    assert account.find("moon and tides")["degraded"] == []


def test_a_transaction_that_stalls_at_its_commit_is_refused_in_time_and_is_whole_in_the_end(
    site: Site, account: Account
) -> None:
    document = account.write("The old text.")
    cut = site.web_network.cut_at("UPDATE items", Moment.STALL, at_commit=True)

    try:
        refused = account.patch(document, "The new text.")
    finally:
        site.web_network.heal()

    cut.wait()
    assert was_refused_for_now(refused)
    # Its commit was under way: whether it arrives is open until the connection has ended.
    eventually(lambda: not site.sql(IN_TRANSACTION), site.story)
    eventually(lambda: account.get(document).is_success, site.story)
    assert account.text(document) in {"The old text.", "The new text."}
    eventually(lambda: account.patch(document, "The newest text.").is_success, site.story)
    assert account.text(document) == "The newest text."


IN_TRANSACTION = """
    select 1 from pg_stat_activity
    where state like 'idle in transaction%' and usename = 'atom_login'
"""
WAITING_FOR_A_ROW = """
    select 1 from pg_stat_activity
    where wait_event_type = 'Lock' and usename = 'atom_login'
"""


def test_when_every_connection_is_in_use_the_next_write_is_refused_and_the_others_are_not(
    site: Site, account: Account
) -> None:
    document = account.write("Wanted by many.")
    site.wait_until_in_step()
    texts = [f"Version {number}." for number in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as crowd:
        with site.locked(document):
            changes = [crowd.submit(account.patch, document, text) for text in texts]
            eventually(lambda: len(site.sql(WAITING_FOR_A_ROW)) == CONNECTIONS, site.story)
            assert was_refused_for_now(account.post("One too many."))
        assert [change.result().status_code for change in changes] == [200] * CONNECTIONS
    later = eventually(lambda: accepted(account.post("Written after it.")), site.story)
    assert account.text(document) in texts
    assert account.listed() == {document, later}


def accepted(answer: httpx.Response) -> Any:
    """The identifier of what was stored, if it was."""
    return answer.json()["id"] if answer.status_code == 201 else None
