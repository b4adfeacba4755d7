"""The connection to PostgreSQL breaks in the middle of a transaction (I1, I2, I8).

A write is wholly there or not at all, whatever its caller was told; the worker takes up again what
was interrupted, and no item pays for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

import httpx
import pytest

from tests.faults.deployment import Account, eventually
from tests.faults.environment.site import Site
from tests.faults.proxy import Moment

OLD, NEW = "The old text.", "The new text."

Operation = Callable[[Account, str], httpx.Response]

WRITES: dict[str, tuple[Operation, str]] = {
    "create": (lambda account, _: account.post(NEW), "INSERT INTO items"),
    "change": (lambda account, one: account.patch(one, NEW), "UPDATE items"),
    "delete": (lambda account, one: account.delete(one), "DELETE FROM items"),
}

WORK = {
    "lease": "leased_revision=index_entries.revision",
    "sources": "content_revision, items.title, items.text",
    "extend": "UPDATE index_entries SET due_at=greatest",
    "confirm": "indexed_revision=greatest",
    "purge": "DELETE FROM index_entries",
}


def outcome(account: Account) -> set[str]:
    return {account.text(document) for document in account.listed()}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    ("moment", "at_commit"),
    [(Moment.BEFORE, False), (Moment.BEFORE, True)],
    ids=["before it", "before its commit"],
)
def test_a_write_that_is_cut_off_did_not_happen(
    site: Site, account: Account, write: str, moment: Moment, at_commit: bool
) -> None:
    operation, words = WRITES[write]
    document = account.write(OLD)
    cut = site.web_network.cut_at(words, moment, at_commit=at_commit)

    answer = operation(account, document)

    cut.wait()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert outcome(account) == {OLD}
    assert operation(account, document).is_success


@pytest.mark.parametrize(
    ("write", "left"), [("create", {OLD, NEW}), ("change", {NEW}), ("delete", set())]
)
def test_a_write_whose_commit_was_carried_out_unheard_is_whole(
    site: Site, account: Account, write: str, left: set[str]
) -> None:
    operation, words = WRITES[write]
    document = account.write(OLD)
    cut = site.web_network.cut_at(words, Moment.AFTER, at_commit=True)

    assert operation(account, document).status_code == 503

    cut.wait()
    assert outcome(account) == left


def test_a_repeated_request_finds_the_write_whose_answer_was_lost(
    site: Site, account: Account
) -> None:
    key = uuid.uuid4().hex
    cut = site.web_network.cut_at("INSERT INTO items", Moment.AFTER, at_commit=True)
    assert account.post(NEW, key=key).status_code == 503
    cut.wait()

    again = account.post(NEW, key=key)

    assert again.status_code == 201
    assert account.listed() == {again.json()["id"]}


@pytest.mark.parametrize("step", WORK)
@pytest.mark.parametrize(
    ("moment", "at_commit"),
    [(Moment.BEFORE, False), (Moment.AFTER, True)],
    ids=["before it", "after its commit"],
)
def test_a_worker_that_is_cut_off_takes_up_its_work_again(
    site: Site, account: Account, step: str, moment: Moment, at_commit: bool
) -> None:
    gone = account.write("To be deleted.")
    site.wait_until_in_step()
    cut = site.worker_network.cut_at(WORK[step], moment, at_commit=at_commit)

    written = account.write("What the moon does to the tides.")
    assert account.delete(gone).is_success

    cut.wait()
    site.wait_until_in_step()
    (found,) = eventually(lambda: account.find("moon tides")["results"], site.story)
    assert found["item_id"] == written
