"""The processes: stopped cleanly, killed at will, started again."""

from __future__ import annotations

import json
import socket
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import lancedb
import psutil
import pytest

from tests.e2e.conftest import PASSWORD, Service, eventually

DOCUMENTS = 150


def test_stopping_leaves_no_process_behind(own_service: Service) -> None:
    own_service.start()
    family = psutil.Process(own_service.pid).children(recursive=True)
    assert own_service.stop() == 0
    eventually(lambda: not any(_lives(process) for process in family))
    eventually(lambda: not _processes_on(own_service.data))


def test_a_killed_supervisor_takes_everything_along_and_blocks_no_next_start(
    own_service: Service,
) -> None:
    own_service.start()
    with own_service.account("kept@example.org") as client:
        client.post("/v1/documents", json={"title": "Kept", "text": "This was acknowledged."})
    own_service.kill()
    eventually(lambda: not _processes_on(own_service.data))
    own_service.start()
    login = {"email": "kept@example.org", "password": PASSWORD}
    tokens = httpx.post(f"{own_service.url}/v1/auth/login", json=login, timeout=30).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    kept = httpx.get(f"{own_service.url}/v1/documents", headers=headers, timeout=30).json()
    assert [one["title"] for one in kept["items"]] == ["Kept"]


@pytest.mark.parametrize("name", ["gunicorn", "worker"])
def test_a_killed_child_is_started_again(own_service: Service, name: str) -> None:
    own_service.start()
    killed = own_service.child(name)
    killed.kill()
    eventually(lambda: own_service.child(name).pid != killed.pid)
    with own_service.account_when_up() as client:
        answer = client.post(
            "/v1/documents",
            json={"title": "After", "text": "Written after the crash."},
            headers={"Prefer": "wait=60"},
        )
    assert answer.json()["index_state"] == "indexed"


def test_a_worker_killed_in_the_middle_of_an_import_loses_and_doubles_nothing(
    own_service: Service, tmp_path: Path
) -> None:
    own_service.start()
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(json.dumps(_document(n)) for n in range(DOCUMENTS)))
    with own_service.account("import@example.org") as client:
        imported = own_service.run("import", str(corpus), "--user", "import@example.org")
        assert imported.returncode == 0, imported.stderr
        for share in (0.1, 0.4, 0.7):
            eventually(partial(_have_passed, client, DOCUMENTS * share))
            own_service.child("worker").kill()
        eventually(lambda: _indexed(client) == DOCUMENTS)
        items = _all(client)
    expected = Counter({one["id"]: one["chunk_count"] for one in items})
    assert own_service.stop() == 0
    database = lancedb.connect(str(own_service.data / "lancedb_data"))
    chunks = database.open_table("document_chunks").to_arrow().to_pydict()
    assert len(set(chunks["chunk_id"])) == len(chunks["chunk_id"])
    assert Counter(_uuid(value) for value in chunks["document_id"]) == expected
    processed = database.open_table("processed_documents").to_arrow().to_pydict()
    assert sorted(_uuid(value) for value in processed["document_id"]) == sorted(expected)


def test_a_taken_port_is_said_before_anything_is_started(own_service: Service) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = own_service.run("serve", "--port", str(port))
    assert answer.returncode != 0
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use" in answer.stderr
    assert "--port" in answer.stderr
    assert not own_service.data.exists()


def _document(number: int) -> dict[str, str]:
    sentences = [f"Report {number}, line {line}: the river rose {line} cm." for line in range(60)]
    return {"_id": f"r{number}", "title": f"Report {number}", "text": " ".join(sentences)}


def _have_passed(client: httpx.Client, count: float) -> bool:
    return _indexed(client) > count


def _indexed(client: httpx.Client) -> int:
    return sum(one["index_state"] == "indexed" for one in _all(client))


def _all(client: httpx.Client) -> list[dict[str, Any]]:
    items, query = [], {"limit": "200"}
    while True:
        page = client.get("/v1/documents", params=query).json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        query["cursor"] = page["next_cursor"]


def _uuid(value: bytes) -> str:
    return str(UUID(bytes=value))


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _processes_on(data: Path) -> list[psutil.Process]:
    """Processes that were started for this data folder and still live."""
    found = []
    for process in psutil.process_iter():
        try:
            belongs = process.environ().get("ATOM_DATA_DIR") == str(data)
            belongs = belongs or any(str(data) in word for word in process.cmdline())
            if belongs and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found
