"""The guide that adds a resource, followed on a copy of the project."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import PROJECT, Service
from tests.e2e.guides import blocks


@pytest.fixture
def service_with_notes(own_service: Service) -> Iterator[Service]:
    """A service whose code is the project's, with what the guide adds to it."""
    project = own_service.data.parent / "project"
    for name in ("atom_backend", "migrations"):
        shutil.copytree(PROJECT / name, project / name)
    for name in ("wsgi.py", "gunicorn.conf.py"):
        shutil.copy(PROJECT / name, project / name)
    for _, command in blocks((PROJECT / "docs" / "resources.md").read_text()):
        subprocess.run(["bash", "-e", "-c", command], cwd=project, check=True)
    service = Service(own_service.data, project).start()
    yield service
    assert service.stop() == 0


@pytest.mark.timeout(300)
def test_a_resource_that_was_declared_is_stored_changed_listed_and_found(
    service_with_notes: Service,
) -> None:
    note = {"title": "Cellar", "body": "The fuse box is behind the shelf.", "tags": ["house"]}
    with service_with_notes.account() as client:
        made = client.post("/v1/notes", json=note, headers={"Prefer": "wait=60"}).json()
        assert (made["index_state"], made["body"]) == ("indexed", note["body"])
        found = client.get("/v1/search", params={"q": "where are the fuses"}).json()
        assert found["results"][0]["note"] == made
        change = {"body": "The fuse box is under the stairs."}
        changed = client.patch(f"/v1/notes/{made['id']}", json=change).json()
        assert (changed["revision"], changed["title"]) == (2, "Cellar")
        (listed,) = client.get("/v1/notes?tag=house").json()["items"]
        assert listed["body"] == change["body"]
        refused = client.post("/v1/notes", json={"body": "No title."})
        assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        exported = client.get("/v1/users/me/export").text.splitlines()
        assert json.loads(exported[2])["values"]["body"] == change["body"]
        assert "/v1/notes/batch" in client.get("/openapi.json").json()["paths"]
