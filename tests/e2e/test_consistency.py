"""An administrator has damage to LanceDB found and mended, by the running service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import lancedb
import pytest

from tests.e2e.conftest import PASSWORD, Service, eventually
from tests.invariants import CHUNKS, active_name

BASE = "/v1/admin/consistency"
EMAIL = "repairing@example.org"


@pytest.fixture(scope="module")
def admin(service: Service) -> Iterator[httpx.Client]:
    made = service.run("admin", "create", EMAIL, "--password", PASSWORD)
    assert made.returncode == 0, made.stderr
    login = {"email": EMAIL, "password": PASSWORD}
    tokens = httpx.post(f"{service.url}/v1/auth/login", json=login, timeout=60).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    with httpx.Client(base_url=service.url, timeout=60, headers=headers) as client:
        yield client


def run(admin: httpx.Client, what: str) -> Any:
    """The run's final answer."""
    accepted = admin.post(f"{BASE}/{what}", json={})
    assert accepted.status_code == httpx.codes.ACCEPTED, accepted.text
    address = accepted.headers["Location"]

    def ended() -> Any:
        answer = admin.get(address).json()
        return answer if answer["state"] in ("done", "failed") else None

    return eventually(ended)


def lose_chunks(service: Service, document_id: str) -> None:
    """Behind the service's back, as a careless hand would."""
    lance = service.data / "lancedb_data"
    table = lancedb.connect(lance).open_table(active_name(lance, CHUNKS))
    table.delete(f"document_id = X'{UUID(document_id).hex}'")


def test_lost_chunks_are_found_by_a_check_and_searchable_again_after_a_repair(
    service: Service, client: httpx.Client, admin: httpx.Client
) -> None:
    given = {"title": "Kiln", "text": "The kiln is fired on Fridays."}
    document = client.post("/v1/documents", json=given, headers={"Prefer": "wait=60"}).json()
    assert document["index_state"] == "indexed"

    def is_found() -> bool:
        answer = client.post("/v1/search", json={"query": "kiln", "mode": "vector"}).json()
        assert answer["degraded"] == []
        return [one["item_id"] for one in answer["results"]] == [document["id"]]

    assert is_found()
    lose_chunks(service, document["id"])
    eventually(lambda: not is_found())
    check = run(admin, "check")
    assert (check["state"], check["drift"]) == ("done", {"hollow": 1})
    assert check["report"]["examples"][0]["item_id"] == document["id"]
    assert run(admin, "repair")["report"]["requeued"] == 1
    eventually(is_found)
    assert run(admin, "check")["drift"] == {}
    said = service.run("status")
    assert "UTC, in" in said.stdout, said.stderr
