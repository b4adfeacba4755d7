"""What starts while a store is down serves what it can, and all of it once the store is back (I6).

Nothing is restarted in between.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from atom_backend.embedding.export import ensure_exported
from atom_backend.embedding.manifest import read_manifest
from atom_backend.embedding.packaged_model import packaged_model
from atom_backend.embedding.source import source_sha256
from atom_backend.settings import Settings
from tests.faults.degradation.caller import Caller, items
from tests.faults.degradation.outages import without_lancedb, without_postgresql
from tests.faults.deployment import Account, Program, eventually, free_port
from tests.faults.environment.site import SETTINGS, Site
from tests.vaults import VAULT_KEY


@pytest.fixture
def site(shared_site: Site) -> Iterator[Site]:
    """Healthy and in step before and after; the tests start parts of it again."""
    yield shared_site
    shared_site.deployment.wait_until_healthy()
    shared_site.wait_until_in_step()


@pytest.fixture
def account(site: Site) -> Account:
    account = site.deployment.account()
    account.write("What the moon does to the tides.")
    site.wait_until_in_step()
    return account


def test_a_web_process_that_starts_without_stores_does_what_it_can_as_they_come(
    site: Site, account: Account
) -> None:
    assert site.deployment.web.stop() == 0
    with without_postgresql(site):
        with without_lancedb(site):
            web = site.deployment.start_web()
            health = eventually(site.deployment.health, site.story)
            assert health["status"] == "unhealthy"
            url = site.deployment.url
            assert httpx.get(f"{url}/livez", timeout=30).status_code == 200
            assert httpx.get(f"{url}/readyz", timeout=30).status_code == 503
            assert account.search("tides").status_code == 503
        found = eventually(lambda: found_by(account.search("moon and tides")), site.story)
        assert (found["degraded"], len(found["results"])) == (["postgresql"], 1)
        assert account.post("Not now.").status_code == 503
    with without_lancedb(site):
        eventually(lambda: account.post("Written without an index.").is_success, site.story)
        found = account.find("index")
        assert (found["degraded"], len(found["results"])) == (["lancedb"], 1)
    site.deployment.wait_until_healthy()
    eventually(lambda: account.find("tides")["degraded"] == [], site.story)
    assert site.deployment.web is web
    assert web.running


@pytest.mark.parametrize(
    ("options", "complaint"), [([], "given up"), (["--prepare"], "not prepared yet")]
)
def test_a_worker_that_starts_while_both_stores_are_down_catches_up(
    site: Site, account: Account, options: list[str], complaint: str
) -> None:
    assert site.deployment.worker.stop() == 0
    account.write("Nobody has indexed this yet.")
    with without_postgresql(site), without_lancedb(site):
        worker = site.deployment.start_worker(*options)
        eventually(lambda: any(complaint in line for line in worker.said), site.story)
    site.wait_until_in_step()
    assert worker.running
    assert site.deployment.worker is worker


def test_serve_starts_without_postgresql_and_prepares_everything_once_it_is_there(
    site: Site, tmp_path: Path
) -> None:
    site.sql("create database first_start")
    url = f"http://127.0.0.1:{(port := free_port())}"
    given = {
        "DATABASE_URL": site.web_network.url(site.server.url(database="first_start")),
        "ATOM_SIGNING_KEY": "the key of an installation that has never run",
        "ATOM_OAUTH_ENCRYPTION_KEY": VAULT_KEY,
    }
    arguments = ["atom_backend", "serve", "--port", str(port), "--data-dir", str(tmp_path)]
    with without_postgresql(site), running("serve", arguments, given) as serve:
        eventually(lambda: any("not migrated yet" in line for line in serve.said), site.story)
        assert eventually(lambda: health_at(url), said_by(serve))["status"] == "unhealthy"
        site.web_network.heal()
        eventually(lambda: health_at(url).get("status") == "healthy", said_by(serve))
        with Caller(url) as caller:
            body = {"title": "Note", "text": "The first note, about tides."}
            answer = caller.http.post("/v1/documents", json=body, headers={"Prefer": "wait=25"})
        assert answer.json()["index_state"] == "indexed"


def test_a_web_process_that_starts_without_the_model_finds_words_until_the_model_is_there(
    site: Site, account: Account, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    url = f"http://127.0.0.1:{(port := free_port())}"
    given = {
        **SETTINGS,
        "DATABASE_URL": site.urls.service,
        "LANCEDB_URI": str(site.lance),
        "ATOM_MODEL_PATH": str(model),
        "ATOM_MODELS_DIR": str(exported_from(packaged_model(), tmp_path / "models")),
    }
    arguments = ["gunicorn", "--config", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
    with running("web", [*arguments, "wsgi:app"], given) as web:
        health = eventually(lambda: health_at(url), said_by(web))
        assert (health["status"], health["embedder"]) == ("degraded", "unhealthy")
        assert health["database"] == {"postgresql": "healthy", "lancedb": "healthy"}
        words_then_meaning(site, url, model)


def words_then_meaning(site: Site, url: str, model: Path) -> None:
    with Caller(url) as caller:
        new = caller.write("A lighthouse guides the ships.")
        site.wait_until_in_step()
        found = caller.find(query="lighthouse", mode="vector")
        assert (found["legs"], found["degraded"]) == (["text"], ["embedder"])
        assert items(found) == [new]
        model.symlink_to(packaged_model())
        eventually(lambda: health_at(url)["status"] == "healthy", site.story)
        found = caller.find(query="what sailors look for at night", mode="vector")
        assert (found["degraded"], items(found)) == ([], [new])


@contextmanager
def running(name: str, arguments: Sequence[str], settings: Mapping[str, str]) -> Iterator[Program]:
    """A program that ends with the test, however that ends."""
    program = Program(name, arguments, {**os.environ, **settings})
    try:
        yield program
    except BaseException:
        program.stop()
        raise
    assert (program.stop(), program.errors()) == (0, [])


def said_by(program: Program) -> Callable[[], str]:
    return lambda: "".join(program.said)


def exported_from(model: Path, folder: Path) -> Path:
    """The export of the installed model, as if it had been made from this folder."""
    original = ensure_exported(Settings.from_environment({}).models_dir)
    copy = Path(shutil.copytree(original, folder / original.name))
    replace(read_manifest(copy), source_sha256=source_sha256(model)).write(copy)
    return folder


def found_by(answer: httpx.Response) -> dict[str, Any]:
    """Nothing while it fails."""
    found: dict[str, Any] = answer.json() if answer.is_success else {}
    return found


def health_at(url: str) -> dict[str, Any]:
    """Nothing while nobody listens."""
    try:
        answer: dict[str, Any] = httpx.get(f"{url}/healthz", timeout=30).json()
    except httpx.TransportError:
        return {}
    return answer
