"""Every procedure of docs/recovery.md, followed on a service that was really damaged.

Before a procedure the documents are found and both stores are in step; then the damage is done,
the procedure is followed as it is written, and in the end everything is found again, nothing is
degraded, and ``check`` says that both stores are in step.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx
import lancedb
import psutil
import pytest

from atom_backend.domain.master_keys import generate_key
from atom_backend.relational.embedded import start_embedded
from atom_backend.relational.provision import service_urls
from tests.conftest import run_sql
from tests.e2e.conftest import PROJECT, Service, eventually
from tests.e2e.guides import Block, blocks, follow

GUIDE = (PROJECT / "docs" / "recovery.md").read_text()
TOPICS = ("rain", "bread", "chess", "glass", "wool", "stars", "rivers", "clocks")


@dataclass(frozen=True, slots=True)
class Damaged:
    """A running service, and a user who stored a document on every topic."""

    service: Service
    user: httpx.Client

    @property
    def lance(self) -> Path:
        return self.service.data / "lancedb_data"

    def table(self, name: str) -> Path:
        """The folder of the tables in use; a rebuild gives them new names."""
        return max(self.lance.glob(f"{name}*.lance"), key=lambda path: path.stat().st_mtime)

    def store(self) -> None:
        for topic in TOPICS:
            body = {"title": f"About {topic}", "text": f"This text is about {topic}. " * 20}
            written = self.user.put(f"/v1/documents/by-external-id/{topic}", json=body)
            assert written.is_success, written.text

    def whole(self) -> bool:
        """Every document is found by meaning and by word, and nothing is missing."""
        return all(self._finds(topic) for topic in TOPICS)

    def in_step(self) -> bool:
        return self.service.run("check").returncode == 0

    def _finds(self, topic: str) -> bool:
        answer = self.user.post("/v1/search", json={"query": topic, "limit": 1})
        if not answer.is_success or answer.json()["degraded"]:
            return False
        return [hit["title"] for hit in answer.json()["results"]] == [f"About {topic}"]


Damage = Callable[[Damaged], AbstractContextManager[None]]


@contextmanager
def postgresql_stands_still(damaged: Damaged) -> Iterator[None]:
    """Nobody can say whether a server that hangs is down; the service must not wait to know."""
    [pidfile] = (damaged.service.data / "postgres").rglob("postmaster.pid")
    first = psutil.Process(int(pidfile.read_text().split()[0]))
    family = [first, *first.children(recursive=True)]
    for process in family:
        process.send_signal(signal.SIGSTOP)
    _await_health(damaged, "postgresql", "unhealthy")
    yield
    for process in family:
        process.send_signal(signal.SIGCONT)


@contextmanager
def the_folder_is_away(damaged: Damaged) -> Iterator[None]:
    aside = damaged.lance.with_name("elsewhere")
    damaged.lance.rename(aside)
    _await_health(damaged, "lancedb", "unhealthy")
    yield
    if damaged.lance.exists():
        shutil.rmtree(damaged.lance)
    aside.rename(damaged.lance)


def the_folder_is_deleted(damaged: Damaged) -> AbstractContextManager[None]:
    shutil.rmtree(damaged.lance)
    _await_health(damaged, "lancedb", "unhealthy")
    return nullcontext()


def a_file_is_overwritten(damaged: Damaged) -> AbstractContextManager[None]:
    """The middle of the largest data file, where vectors lie."""
    file = max(damaged.table("document_chunks").rglob("*.lance"), key=lambda f: f.stat().st_size)
    with file.open("r+b") as data:
        data.seek(file.stat().st_size // 2)
        data.write(os.urandom(64))
    return nullcontext()


def a_table_is_dropped(damaged: Damaged) -> AbstractContextManager[None]:
    shutil.rmtree(damaged.table("processed_documents"))
    _await_health(damaged, "lancedb", "unhealthy")
    return nullcontext()


def rows_are_lost_and_foreign_ones_added(damaged: Damaged) -> AbstractContextManager[None]:
    table = lancedb.connect(damaged.lance).open_table(damaged.table("document_chunks").stem)
    rows = table.to_arrow()
    stranger = rows.slice(0, 1).to_pylist()[0] | {"document_id": os.urandom(16)}
    table.add([stranger])
    table.delete(f"document_id = X'{rows['document_id'][0].as_py().hex()}'")
    return nullcontext()


def lancedb_is_of_yesterday(damaged: Damaged) -> AbstractContextManager[None]:
    """A copy of the folder is put back after more was written."""
    yesterday = damaged.lance.with_name("yesterday")
    shutil.copytree(damaged.lance, yesterday)
    body = {"title": f"About {TOPICS[0]}", "text": f"A new text about {TOPICS[0]}."}
    newer = damaged.user.put(
        f"/v1/documents/by-external-id/{TOPICS[0]}", json=body, headers={"Prefer": "wait=60"}
    )
    assert newer.json()["index_state"] == "indexed"
    shutil.rmtree(damaged.lance)
    yesterday.rename(damaged.lance)
    return nullcontext()


def everything_is_parked(damaged: Damaged) -> AbstractContextManager[None]:
    parking = "update index_entries set state = 'parked', reason = 'a fault that is mended by now'"
    with closing(start_embedded(damaged.service.data / "postgres")) as server:
        run_sql(service_urls(server).owner, parking)
    return nullcontext()


@contextmanager
def the_key_is_another(damaged: Damaged) -> Iterator[None]:
    """As after a restart with a lost file: what runs goes on with the key that it has read."""
    kept = damaged.service.data / "vault.key"
    key = kept.read_text()
    kept.write_text(generate_key())
    try:
        yield
    finally:
        kept.write_text(key)


DAMAGES: dict[str, Damage] = {
    "PostgreSQL is down": postgresql_stands_still,
    "The key of the OAuth tokens is wrong or lost": the_key_is_another,
    "LanceDB's folder is missing": the_folder_is_away,
    "LanceDB's folder is lost": the_folder_is_deleted,
    "A file of LanceDB is damaged": a_file_is_overwritten,
    "A table of LanceDB was dropped": a_table_is_dropped,
    "The stores are out of step": rows_are_lost_and_foreign_ones_added,
    "A store was restored from a backup": lancedb_is_of_yesterday,
    "Items are parked": everything_is_parked,
}


def procedures() -> dict[str, list[Block]]:
    """The blocks of every section, by its title."""
    _, *sections = re.split(r"^## ", GUIDE, flags=re.MULTILINE)
    return {text.partition("\n")[0]: blocks(text) for text in sections}


@pytest.fixture(scope="module")
def damaged() -> Iterator[Damaged]:
    """One service for all procedures: each leaves it as it found it."""
    with tempfile.TemporaryDirectory(prefix="atom-recovery-") as made:
        Path(made).chmod(0o755)
        service = Service(Path(made) / "data").start()
        with service.account() as user:
            yield Damaged(service, user)
        assert service.stop() == 0


def test_every_procedure_is_followed() -> None:
    assert procedures().keys() == DAMAGES.keys()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("title", procedures())
def test_a_procedure_mends_what_it_is_for(title: str, damaged: Damaged, tmp_path: Path) -> None:
    damaged.store()
    eventually(damaged.whole)
    eventually(damaged.in_step)
    [url, *_] = blocks(GUIDE)
    with DAMAGES[title](damaged):
        follow([url, *procedures()[title]], damaged.service, tmp_path, title)
    eventually(damaged.whole)
    eventually(damaged.in_step)


def _await_health(damaged: Damaged, store: str, status: str) -> None:
    def turned() -> bool:
        answer = httpx.get(f"{damaged.service.url}/healthz", timeout=30).json()
        return bool(answer["database"][store] == status)

    eventually(turned)
