"""The service as an operator runs it in production: a web process and a worker of their own.

Both are real (``gunicorn wsgi:app``, ``python -m atom_backend worker``), with the real model, and
reach the stores at the addresses that they are given. Invariant: whatever a test did, ``stop``
leaves no process behind.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

PROJECT = Path(__file__).resolve().parents[2]
_PASSWORD = "correct horse battery"
_PATIENCE = 60.0


class Program:
    """One process of ours, and what it said."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.said: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=dict(environment),
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """Ask it to end, and see to it; its exit status."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(_PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._listener.join(_PATIENCE)

    def errors(self) -> list[str]:
        return [line for line in self.said if re.search(r"\b(ERROR|CRITICAL)\b", line)]

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self.said.append(line)


class Deployment:
    """A web process and a worker on the same stores. ``settings`` are variables of both."""

    def __init__(self, *, web_database: str, worker_database: str, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = {**os.environ, **settings}
        self._databases = {"web": web_database, "worker": worker_database}
        self._accounts: list[Account] = []
        self.web = self.start_web()
        self.worker = self.start_worker()

    def start_web(self) -> Program:
        listening = ["--config", "gunicorn.conf.py", "--bind", f"127.0.0.1:{self.port}"]
        self.web = self._program("web", "gunicorn", *listening, "wsgi:app")
        return self.web

    def start_worker(self, *options: str) -> Program:
        self.worker = self._program("worker", "atom_backend", "worker", *options)
        return self.worker

    def wait_until_healthy(self) -> None:
        eventually(lambda: self.health().get("status") == "healthy", self.story)

    def health(self) -> dict[str, Any]:
        """What ``/healthz`` says; nothing while nobody listens."""
        try:
            answer: dict[str, Any] = httpx.get(f"{self.url}/healthz", timeout=_PATIENCE).json()
        except httpx.TransportError:
            return {}
        return answer

    def account(self) -> Account:
        """A new user, logged in."""
        self._accounts.append(Account(self.url))
        return self._accounts[-1]

    def stop(self) -> None:
        """End both, and complain about an error that one of them logged."""
        for account in self._accounts:
            account.close()
        codes = {program.name: program.stop() for program in (self.worker, self.web)}
        assert codes == {"worker": 0, "web": 0}, self.story()
        errors = [*self.worker.errors(), *self.web.errors()]
        assert not errors, self.story()

    def story(self) -> str:
        """The last that both said, for a test that fails."""
        return "".join(
            f"{program.name}: {line}"
            for program in (self.web, self.worker)
            for line in program.said[-30:]
        )

    def _program(self, name: str, *arguments: str) -> Program:
        environment = {**self._settings, "DATABASE_URL": self._databases[name]}
        return Program(name, arguments, environment)


class Account:
    """A user of a deployment, logged in."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=_PATIENCE)
        given = {"email": f"{uuid.uuid4().hex}@example.org", "password": _PASSWORD}
        answer = self._http.post("/v1/auth/register", json=given)
        assert answer.status_code == 201, answer.text
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def close(self) -> None:
        self._http.close()

    def post(self, text: str, *, key: str | None = None, wait: int = 0) -> httpx.Response:
        """Store a document; ``key`` is an idempotency key, ``wait`` seconds for its indexing."""
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        headers |= {"Idempotency-Key": f'"{key}"'} if key else {}
        body = {"title": "Note", "text": text}
        return self._http.post("/v1/documents", json=body, headers=headers)

    def write(self, text: str) -> str:
        """The same, for writes that must succeed; the document's identifier."""
        answer = self.post(text)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def patch(self, document: str, text: str) -> httpx.Response:
        return self._http.patch(f"/v1/documents/{document}", json={"text": text})

    def delete(self, document: str) -> httpx.Response:
        return self._http.delete(f"/v1/documents/{document}")

    def get(self, document: str) -> httpx.Response:
        return self._http.get(f"/v1/documents/{document}")

    def text(self, document: str) -> str:
        return str(self._http.get(f"/v1/documents/{document}/text").json()["text"])

    def listed(self) -> set[str]:
        items = self._http.get("/v1/documents", params={"limit": "200"}).json()["items"]
        return {one["id"] for one in items}

    def search(self, query: str, **parameters: str) -> httpx.Response:
        return self._http.get("/v1/search", params={"q": query, **parameters})

    def find(self, query: str, **parameters: str) -> dict[str, Any]:
        """The answer of a search that must succeed."""
        answer = self.search(query, **parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(
    happened: Callable[[], T | None], complaint: Callable[[], str] = str, seconds: float = _PATIENCE
) -> T:
    """The first truthy answer within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := happened():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"it did not happen within {seconds} s\n{complaint()}")
