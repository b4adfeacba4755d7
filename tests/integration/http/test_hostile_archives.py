"""An archive may be anybody's forgery: what no create would take is refused as a whole."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.resources.preferences import MOST
from tests.integration.http.archives import a_task, around, bring, export, records
from tests.integration.http.conftest import Account

TWICE = a_task()
CIRCLE = [a_task(), a_task()]
for one, other in (CIRCLE, CIRCLE[::-1]):
    one["values"]["parent_id"] = other["id"]

WRONG: list[tuple[list[Any], str]] = [
    ([a_task(title="")], "/3/values/title"),
    ([a_task(title="a\x00b")], "/3/values/title"),
    ([a_task(status="never")], "/3/values/status"),
    ([a_task(owner_id=str(uuid4()))], "/3/values/owner_id"),
    ([a_task(parent_id=str(new_id()))], "/3/values/parent_id"),
    ([a_task(time_zone="Mars/Olympus")], "/3/values/time_zone"),
    ([a_task(due_at="2030-01-01T09:00:00Z", recurrence="FREQ=NEVER")], "/3/values/recurrence"),
    ([a_task(metadata={"a": "x" * 70_000})], "/3/values/metadata"),
    ([a_task() | {"revision": 10**30}], "/3/revision"),
    ([a_task() | {"revision": 0}], "/3/revision"),
    ([a_task() | {"id": str(uuid4())}], "/3/id"),
    ([a_task() | {"owner_id": str(uuid4())}], "/3/owner_id"),
    ([a_task() | {"created_at": "yesterday"}], "/3/created_at"),
    ([a_task() | {"type": "tasks"}], "/3/type"),
    ([a_task() | {"type": "export"}], "/3/type"),
    ([TWICE, TWICE], "/4/id"),
    (CIRCLE, "/3/values/parent_id"),
    ([a_task() | {"type": "preference", "values": {"value": 1}}], "/3/values/key"),
]


@pytest.mark.parametrize(("lines", "pointer"), WRONG, ids=lambda one: str(one)[:20])
def test_a_line_that_no_create_would_take_is_named_and_nothing_is_stored(
    account: Account, lines: list[Any], pointer: str
) -> None:
    refused = bring(account, around(account, a_task(title="Good"), *lines)[1:])
    assert refused.status_code == 422
    refused = bring(account, around(account, *lines))
    assert refused.status_code == 422, refused.text
    assert refused.json["errors"][0]["pointer"] == pointer
    assert refused.json["detail"].startswith(f"Line {pointer.split('/')[1]}: ")
    assert records(export(account)) == []


def test_a_half_surrogate_or_no_json_is_refused(account: Account) -> None:
    for bad in (b'{"type": "\\ud800"}\n', b"{\n", b"\xff\xfe\n", b"[1]\n", b'"x"\n', b"1e999\n"):
        refused = bring(account, bad)
        assert refused.status_code in {400, 422}, refused.text
        assert refused.json["detail"].startswith("Line 1: ")


def test_an_archive_that_is_not_whole_is_refused(account: Account) -> None:
    lines = around(account, a_task(), a_task())
    whole = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    codes = {
        b"".join(whole.splitlines(keepends=True)[:-1]): "incomplete_export",
        b"".join(whole.splitlines(keepends=True)[:1]): "incomplete_export",
        b"": "incomplete_export",
        whole[: len(whole) - 9]: "malformed_request",
    }
    for cut, code in codes.items():
        refused = bring(account, cut)
        assert (refused.status_code >= 400, refused.json["code"]) == (True, code), cut
    fewer = [*lines[:2], *lines[3:]]
    assert bring(account, fewer).json["code"] == "incomplete_export"
    assert bring(account, [*lines, lines[2]]).json["errors"][0]["pointer"] == "/6"
    assert bring(account, [lines[0] | {"format": 2}, *lines[1:]]).status_code == 422
    assert bring(account, lines[1:]).json["errors"][0]["pointer"] == "/1/type"
    assert records(export(account)) == []
    assert bring(account, lines).status_code == 200


def test_two_that_may_not_be_equal_are_refused(account: Account) -> None:
    refused = bring(account, around(account, a_task(external_id="a"), a_task(external_id="a")))
    assert (refused.status_code, refused.json["code"]) == (409, "external_id_taken")
    assert records(export(account)) == []


def test_no_more_comes_back_than_an_account_may_have(account: Account) -> None:
    lines = [
        a_task() | {"type": "preference", "values": {"value": n, "external_id": f"garden.n{n}"}}
        for n in range(MOST + 1)
    ]
    refused = bring(account, around(account, *lines))
    assert (refused.status_code, refused.json["code"]) == (409, "too_many")
    assert bring(account, around(account, *lines[1:])).status_code == 200


def test_an_archive_may_name_what_comes_later(account: Account) -> None:
    """A long chain, youngest first, as an editor may have sorted it."""
    chain = [a_task() for _ in range(60)]
    for child, parent in pairwise(chain):
        child["values"]["parent_id"] = parent["id"]
    assert bring(account, around(account, *chain)).status_code == 200
    assert account.get(f"/v1/tasks/{chain[0]['id']}").json["parent_id"] == chain[1]["id"]


def test_a_record_for_which_another_would_have_to_be_made_is_refused(account: Account) -> None:
    rule = {"due_at": "2030-01-01T09:00:00Z", "recurrence": "FREQ=DAILY", "status": "done"}
    refused = bring(account, around(account, a_task(**rule)))
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/3/values/values")
