"""Makes events over HTTP, and lists them."""

from __future__ import annotations

from typing import Any

from tests.integration.http.conftest import Account

BERLIN = {"time_zone": "Europe/Berlin"}
MARCH = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}


def an_event(account: Account, title: str, start: str, end: str, **fields: Any) -> Any:
    given = {"title": title, "starts_at": start, "ends_at": end} | fields
    answer = account.post("/v1/events", json=given)
    assert answer.status_code == 201, answer.text
    return answer.json


def page(account: Account, **query: Any) -> Any:
    answer = account.get("/v1/events", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json
