"""What somebody does in the first hour: register, store, find, change, delete."""

from __future__ import annotations

import httpx

from tests.e2e.conftest import Service

TEA = {"title": "Tea", "text": "Green tea wants water of 80 degrees. Black tea wants it boiling."}


def test_a_document_is_stored_indexed_found_and_after_its_deletion_not_found(
    client: httpx.Client,
) -> None:
    created = client.post("/v1/documents", json=TEA, headers={"Prefer": "wait=60"})
    assert created.status_code == httpx.codes.CREATED
    document = created.json()
    assert document["index_state"] == "indexed"
    assert document["chunk_count"] == 1
    assert created.headers["Location"].endswith(f"/v1/documents/{document['id']}")

    found = client.get("/v1/search", params={"q": "how hot should the water be?"}).json()
    assert [one["item_id"] for one in found["results"]] == [document["id"]]
    assert found["legs"] == ["vector", "text"]
    assert found["degraded"] == []
    chunk = found["results"][0]["chunk"]
    assert chunk["text"] == TEA["text"][chunk["start"] : chunk["end"]]

    deleted = client.delete(f"/v1/documents/{document['id']}")
    assert deleted.status_code == httpx.codes.NO_CONTENT
    assert client.get(f"/v1/documents/{document['id']}").status_code == httpx.codes.NOT_FOUND
    for mode in ("hybrid", "vector", "text"):
        answer = client.post("/v1/search", json={"query": "green tea", "mode": mode}).json()
        assert answer["results"] == []


def test_what_one_user_stores_no_other_finds(service: Service, client: httpx.Client) -> None:
    client.post("/v1/documents", json=TEA, headers={"Prefer": "wait=60"})
    with service.account() as stranger:
        answer = stranger.get("/v1/search", params={"q": "green tea"}).json()
    assert answer["results"] == []
    assert answer["degraded"] == []


def test_a_changed_text_is_found_by_its_new_words_and_a_new_tag_embeds_nothing(
    client: httpx.Client,
) -> None:
    document = client.post("/v1/documents", json=TEA, headers={"Prefer": "wait=60"}).json()
    path = f"/v1/documents/{document['id']}"
    tagged = client.patch(path, json={"tags": ["kitchen"]}).json()
    assert tagged["revision"] == document["revision"] + 1
    assert tagged["index_state"] == "indexed"

    text = "The violin has four strings."
    changed = client.patch(path, json={"text": text}, headers={"Prefer": "wait=60"}).json()
    assert changed["index_state"] == "indexed"
    answer = client.post(
        "/v1/search", json={"query": "string instruments", "filter": {"tags": ["kitchen"]}}
    ).json()
    assert answer["results"][0]["chunk"]["text"] == text
    assert answer["results"][0]["stale"] is False


def test_the_same_external_identifier_is_the_same_document(client: httpx.Client) -> None:
    path = "/v1/documents/by-external-id/notes%2Ftea.txt"
    first = client.put(path, json=TEA)
    again = client.put(path, json=TEA)
    other = client.put(path, json={**TEA, "text": "Coffee."})
    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 200]
    assert first.json()["id"] == again.json()["id"] == other.json()["id"]
    assert again.json()["revision"] == first.json()["revision"]
    taken = client.post("/v1/documents", json={**TEA, "external_id": "notes/tea.txt"})
    assert taken.status_code == httpx.codes.CONFLICT
    assert taken.json()["existing_id"] == first.json()["id"]


def test_health_is_told_part_by_part(service: Service) -> None:
    health = httpx.get(f"{service.url}/healthz").json()
    assert health["status"] == "healthy"
    assert health["database"] == {"postgresql": "healthy", "lancedb": "healthy"}
    assert health["checks"]["lancedb"]["milliseconds"] > 0
