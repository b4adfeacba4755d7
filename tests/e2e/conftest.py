"""The installed service, started as an operator starts it, and asked over HTTP."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx
import psutil
import pytest

T = TypeVar("T")
PROJECT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
_PATIENCE = 120.0


class Service:
    """``python -m atom_backend serve`` with data and a port of its own; ``project`` is its code."""

    def __init__(self, data: Path, project: Path = PROJECT) -> None:
        self.data = data
        self.project = project
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.said: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> Service:
        """Returns when it says where it listens."""
        self.said = []
        self._process = subprocess.Popen(
            [*command("serve"), "--port", str(self.port), "--data-dir", str(self.data)],
            cwd=self.project,
            env=environment(self.data),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        eventually(lambda: any("listens on" in line for line in self.said), self._complaint)
        return self

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C does; its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(_PATIENCE)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(_PATIENCE)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command on the same data."""
        return subprocess.run(
            command(*arguments),
            env=environment(self.data),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )

    def child(self, name: str) -> psutil.Process:
        """The running process whose command line has this word."""
        return eventually(lambda: self._child(name))

    def _child(self, name: str) -> psutil.Process | None:
        for process in psutil.Process(self.pid).children():
            try:
                if name in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    def account(self, email: str | None = None) -> httpx.Client:
        """A client that is logged in to a new account."""
        body = {"email": email or f"user-{time.monotonic_ns()}@example.org", "password": PASSWORD}
        answer = httpx.post(f"{self.url}/v1/auth/register", json=body, timeout=_PATIENCE)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx.Client(base_url=self.url, timeout=_PATIENCE, headers=token)

    def account_when_up(self) -> httpx.Client:
        """The same, after a crash: waits until somebody answers again."""
        eventually(self._answers)
        return self.account()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/livez", timeout=5).is_success
        except httpx.TransportError:
            return False

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self.said.append(line)

    def _complaint(self) -> str:
        return "".join(self.said)


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """One service that many tests share, each with accounts of its own."""
    with tempfile.TemporaryDirectory(prefix="atom-e2e-") as made:
        Path(made).chmod(0o755)
        service = Service(Path(made) / "data").start()
        yield service
        assert service.stop() == 0
        errors = [line for line in service.said if re.search(r"\b(ERROR|CRITICAL)\b", line)]
        assert not errors, errors


@pytest.fixture
def own_service() -> Iterator[Service]:
    """A service that a test may kill; not started yet."""
    with tempfile.TemporaryDirectory(prefix="atom-e2e-") as made:
        Path(made).chmod(0o755)
        service = Service(Path(made) / "data")
        yield service
        if service._process is not None and service._process.poll() is None:
            service.stop()


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with service.account() as client:
        yield client


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "atom_backend", *arguments]


def environment(data: Path) -> dict[str, str]:
    return {**os.environ, "ATOM_DATA_DIR": str(data), "PYTHONPATH": str(PROJECT)}


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
