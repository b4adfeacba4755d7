"""LanceDB's folder is gone, full, read-only or hangs under the running service (I1, I2, I5, I6).

Searches go on and say what is missing, writes are taken and wait, ``/healthz`` tells, and when the
folder is back both stores come into step without anybody's help.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.faults.deployment import Account, eventually
from tests.faults.environment import disks
from tests.faults.environment.site import Site

Fault = Callable[[Site], AbstractContextManager[None]]

UNREADABLE: dict[str, Fault] = {
    "moved away": disks.moved_away,
    "unmounted": disks.unmounted,
    "hanging": disks.hanging,
}
UNWRITABLE: dict[str, Fault] = {"read-only": disks.read_only, "full": disks.full}

WAITING_FOR_A_REASON = """
    select 1 from index_entries where state = 'due' and attempts = 0 and reason like '%LanceDB%'
"""


def found(account: Account) -> set[str]:
    return {one["item_id"] for one in account.find("moon and tides")["results"]}


def ailing(site: Site) -> bool:
    health = site.deployment.health()
    parts = health["database"]
    return (health["status"], parts["lancedb"], parts["postgresql"]) == (
        "degraded",
        "unhealthy",
        "healthy",
    )


@pytest.mark.parametrize("fault", UNREADABLE.values(), ids=UNREADABLE)
def test_without_lancedb_searches_and_writes_go_on_and_all_is_in_step_afterwards(
    site: Site, account: Account, fault: Fault
) -> None:
    kept, gone = account.write("The moon and the tides."), account.write("Tides without a moon.")
    site.wait_until_in_step()
    stranger = site.deployment.account()
    stranger.write("The moon and the tides of somebody else.")
    site.wait_until_in_step()

    with fault(site):
        written = account.write("Written meanwhile, about tides and the moon.")
        assert account.delete(gone).is_success
        answer = account.find("moon and tides")
        assert (answer["degraded"], answer["legs"]) == (["lancedb"], ["postgresql"])
        assert {one["item_id"] for one in answer["results"]} == {kept, written}
        eventually(lambda: ailing(site), site.story)
        eventually(lambda: site.sql(WAITING_FOR_A_REASON), site.story)

    eventually(lambda: account.find("moon and tides")["degraded"] == [], site.story)
    site.wait_until_in_step()
    site.deployment.wait_until_healthy()
    assert found(account) == {kept, written}


@pytest.mark.parametrize("fault", UNWRITABLE.values(), ids=UNWRITABLE)
def test_a_lancedb_that_takes_no_writes_is_searched_and_takes_them_up_afterwards(
    site: Site, account: Account, fault: Fault
) -> None:
    kept, gone = account.write("The moon and the tides."), account.write("Tides without a moon.")
    site.wait_until_in_step()

    with fault(site):
        written = account.write("Written meanwhile, about tides and the moon.")
        assert account.delete(gone).is_success
        answer = account.find("moon and tides")
        assert (answer["degraded"], answer["legs"]) == ([], ["vector", "text"])
        assert {one["item_id"] for one in answer["results"]} == {kept}
        eventually(lambda: ailing(site), site.story)
        eventually(lambda: site.sql(WAITING_FOR_A_REASON), site.story)
        assert account.get(written).json()["index_state"] == "pending"

    site.wait_until_in_step()
    site.deployment.wait_until_healthy()
    assert found(account) == {kept, written}
