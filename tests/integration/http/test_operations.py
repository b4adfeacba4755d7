"""Health and metrics of the real stores."""

from __future__ import annotations

from atom_backend import __version__
from tests.integration.http.conftest import Account


def test_health_names_every_part(account: Account) -> None:
    answer = account.get("/healthz", headers={"Authorization": ""})
    assert answer.status_code == 200
    said = answer.json
    assert said["status"] == "healthy"
    assert said["version"] == __version__
    assert said["database"] == {"postgresql": "healthy", "lancedb": "healthy"}
    assert said["embedder"] == said["vault"] == "healthy"
    assert set(said["checks"]) == {"postgresql", "lancedb", "embedder", "vault"}
    assert all(one["detail"] is None for one in said["checks"].values())


def test_it_is_alive_and_ready(account: Account) -> None:
    assert account.get("/livez").json == {"status": "healthy"}
    assert account.get("/readyz").json == {"ready": True}


def test_metrics_say_how_much_waits_and_name_nobody(account: Account) -> None:
    document = account.store(title="A very secret title")
    account.get(f"/v1/documents/{document['id']}").close()
    said = account.get("/metrics")
    assert said.content_type.startswith("text/plain")
    assert "atom_index_readable 1.0" in said.text
    assert 'atom_index_depth{state="due"}' in said.text
    assert 'route="/v1/documents/{item_id}",status="200"' in said.text
    for private in (document["id"], account.registered["user"]["id"], account.email, "secret"):
        assert private not in said.text
