"""The real service as a process, and a small client of its REST API.

It is started as ``scripts/server`` starts it, with a data folder of its own and default settings.
Invariant: whatever happens to the benchmark, the service is told to stop.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from benchmarks.retrieval_sets import SetDocument

PROJECT = Path(__file__).resolve().parent.parent
LINES_AT_ONCE = 500
"""Documents in one request; the client reads the answer only when it has sent everything."""

_OUR_PREFIXES = ("ATOM_", "DB_", "LANCEDB_", "DATABASE_")
_MODELS_DIR = "ATOM_MODELS_DIR"
_READY_WITHIN = 180.0
_STOPPED_WITHIN = 60.0
_LOOK_EVERY = 0.2


def models_folder() -> Path:
    """Where the service keeps exported models, and finds them again at the next start."""
    return Path(os.environ.get(_MODELS_DIR) or PROJECT / ".atom" / "models")


@dataclass(frozen=True, slots=True)
class Account:
    """A registered user."""

    id: UUID
    access_token: str


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    url: str
    data_folder: Path

    def register(self) -> Account:
        """A new account with nothing in it."""
        body = {"email": f"{uuid.uuid4().hex}@example.org", "password": uuid.uuid4().hex}
        answer = httpx.post(f"{self.url}/v1/auth/register", json=body, timeout=60)
        value = _read(answer)
        return Account(UUID(value["user"]["id"]), value["access_token"])

    def client(self, account: Account) -> Client:
        return Client(self.url, account)


class Client:
    """One connection of one account. Raises RuntimeError for every answer that is an error.

    Searches, which are timed, go over the plainest client there is: httpx alone adds a millisecond.
    """

    def __init__(self, url: str, account: Account) -> None:
        headers = {"Authorization": f"Bearer {account.access_token}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=120)
        self._plain = HTTPConnection(urlsplit(url).netloc, timeout=120)
        self._headers = headers | {"Content-Type": "application/json"}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self._plain.close()

    def load(self, documents: Sequence[SetDocument]) -> dict[str, str]:
        """Store all documents in bulk; the name of each by the identifier it was given."""
        names: dict[str, str] = {}
        waiting = iter(documents)
        while some := list(islice(waiting, LINES_AT_ONCE)):
            lines = "".join(json.dumps(_line(document)) + "\n" for document in some)
            answer = self._http.post(
                "/v1/documents/batch",
                content=lines,
                headers={"Content-Type": "application/x-ndjson"},
            )
            for document, line in zip(some, _lines(answer), strict=True):
                if "document" not in line:
                    raise RuntimeError(f"{document.name} was refused: {line}")
                names[line["document"]["id"]] = document.name
        return names

    def wait_until_indexed(self) -> None:
        """Return when no document is pending. Raises RuntimeError where one was parked."""
        while self._any("pending"):
            time.sleep(_LOOK_EVERY)
        if self._any("parked"):
            raise RuntimeError("some documents were parked: see the service's log")

    def chunks(self, document_id: str) -> list[str]:
        """The texts of a document's chunks, in order."""
        value = _read(self._http.get(f"/v1/documents/{document_id}/chunks"))
        return [chunk["text"] for chunk in value["chunks"]]

    def search(self, query: str, mode: str, limit: int = 10) -> list[str]:
        """The identifiers of the found documents, best first. A degraded answer is an error."""
        body = {"query": query, "mode": mode, "limit": limit}
        self._plain.request("POST", "/v1/search", json.dumps(body), self._headers)
        answer = self._plain.getresponse()
        value = json.loads(answer.read())
        if answer.status != 200:
            raise RuntimeError(f"/v1/search: {answer.status} {value}")
        if value["degraded"]:
            raise RuntimeError(f"the answer lacks {value['degraded']}")
        return [result["item_id"] for result in value["results"]]

    def _any(self, state: str) -> bool:
        parameters = {"index_state": state, "limit": "1"}
        return bool(_read(self._http.get("/v1/documents", params=parameters))["items"])


@contextmanager
def running_service(folder: Path) -> Iterator[Service]:
    """The service with all its data in ``folder``, ready; stopped when the context ends.

    Its log goes to ``service.log`` there. Raises RuntimeError when it does not become ready.
    """
    port = free_port()
    command = [sys.executable, "-m", "atom_backend", "serve"]
    command += ["--port", str(port), "--data-dir", str(folder / "data")]
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=_environment(), stdout=log, stderr=subprocess.STDOUT
        )
    try:
        service = Service(f"http://127.0.0.1:{port}", folder / "data")
        await_ready(service.url, process, folder / "service.log")
        yield service
    finally:
        stop(process)


def _line(document: SetDocument) -> dict[str, Any]:
    return {"title": document.title, "text": document.text, "external_id": document.name}


def _read(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise RuntimeError(f"{answer.request.url}: {answer.status_code} {answer.text[:500]}")
    return answer.json()


def _lines(answer: httpx.Response) -> list[dict[str, Any]]:
    if not answer.is_success:
        raise RuntimeError(f"{answer.request.url}: {answer.status_code} {answer.text[:500]}")
    return [json.loads(line) for line in answer.text.splitlines()]


def _environment() -> dict[str, str]:
    """This process's, without any setting of the service: a benchmark measures the defaults.

    The access token lives a day, so that a long run need not refresh it.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name == _MODELS_DIR or not name.startswith(_OUR_PREFIXES)
    }
    return {**inherited, "ATOM_ACCESS_TOKEN_SECONDS": "86400"}


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def await_ready(url: str, process: subprocess.Popen[bytes], log: Path | None = None) -> None:
    """Return when ``/readyz`` is answered. Raises RuntimeError, with the end of the log."""
    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(_LOOK_EVERY)
    said = log.read_text()[-2000:] if log else ""
    raise RuntimeError(f"{url} did not become ready:\n{said}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and see to it."""
    process.terminate()
    try:
        process.wait(_STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
