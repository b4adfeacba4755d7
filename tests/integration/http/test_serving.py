"""The web process itself: what never reaches the application is refused like everything else."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email import message_from_string
from email.message import Message
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from gunicorn.http.errors import NoMoreData

from atom_backend.http import patient_socket
from atom_backend.http.patient_socket import PatientSocket

ROOT = Path(__file__).resolve().parents[3]
GOOD = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
SECRET = "opaque-secret"

Asks = Callable[[bytes], tuple[int, Message, Any]]


@pytest.fixture(scope="module")
def ask() -> Iterator[Asks]:
    """Send bytes to gunicorn as it is configured, over an application without stores."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        descriptor = listener.fileno()
        arguments = ["--config", "gunicorn.conf.py", "--bind", f"fd://{descriptor}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *arguments, "tests.unit.http.tiny:site()"],
            cwd=ROOT,
            pass_fds=[descriptor],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield lambda words: answer_to(words, listener.getsockname())
        finally:
            process.terminate()
            process.wait(30)


def answer_to(words: bytes, where: tuple[str, int]) -> tuple[int, Message, Any]:
    with socket.create_connection(where, timeout=60) as connection:
        connection.sendall(words)
        connection.shutdown(socket.SHUT_WR)
        said = b""
        while block := connection.recv(1 << 16):
            said += block
    head, _, body = said.decode().partition("\r\n\r\n")
    first, _, rest = head.partition("\r\n")
    assert SECRET not in said.decode()
    return int(first.split(" ")[1]), message_from_string(rest), json.loads(body) if body else None


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (f"GET /{SECRET} HTTP/9.9\r\n\r\n", 400, "malformed_request"),
        (f"{SECRET} / HTTP/1.1\r\n\r\n", 400, "malformed_request"),
        (f"GET / HTTP/1.1\r\nHost: x\r\nBearer {SECRET}\r\n\r\n", 400, "malformed_request"),
        (f"GET / HTTP/1.1\r\nHost: x\r\nA: {SECRET}\x00\r\n\r\n", 400, "malformed_request"),
        ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "malformed_request"),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, None),
        (
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            None,
        ),
        (f"GET /{'x' * 9000} HTTP/1.1\r\n\r\n", 414, "address_too_long"),
        (f"GET / HTTP/1.1\r\nA: {'x' * 9000}\r\n\r\n", 431, "headers_too_large"),
        (f"GET / HTTP/1.1\r\nTransfer-Encoding: {SECRET}\r\n\r\n", 501, None),
        (f"GET / HTTP/1.1\r\nHost: x\r\nExpect: {SECRET}\r\n\r\n", 417, "expectation_failed"),
    ],
)
def test_what_is_no_http_is_a_problem_that_repeats_nothing(
    ask: Asks, words: str, status: int, code: str | None
) -> None:
    found, headers, body = ask(words.encode("latin-1"))
    assert found == body["status"] == status
    assert code is None or body["code"] == code
    assert body.keys() == {"type", "title", "status", "detail", "code", "request_id"}
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["X-Request-Id"] == body["request_id"]
    assert headers["Connection"] == "close"
    for name in ("X-Content-Type-Options", "Content-Security-Policy", "Cache-Control"):
        assert headers[name]


def test_answers_do_not_say_what_version_of_what_made_them(ask: Asks) -> None:
    status, headers, _ = ask(GOOD)
    assert (status, headers["Server"]) == (200, "gunicorn")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", "x"])
def test_a_body_that_would_have_to_be_unpacked_is_refused_before_it_is_read(
    ask: Asks, encoding: str
) -> None:
    head = (
        "POST /things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good-token\r\n"
        f"Content-Type: application/json\r\nContent-Encoding: {encoding}\r\n"
        "Connection: close\r\nContent-Length: 3\r\n\r\n{}\n"
    )
    assert ask(head.encode())[0] == 415


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/things", "application/json"), ("/things", "multipart/form-data; boundary=B")],
)
def test_a_body_of_unknown_length_is_read_up_to_the_limit_and_no_further(
    ask: Asks, path: str, content_type: str
) -> None:
    chunk = b"1000\r\n" + b" " * 0x1000 + b"\r\n"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good-token\r\n"
        f"Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    status, _, body = ask(head.encode() + chunk * 5 + b"0\r\n\r\n")
    assert (status, body["code"]) == (413, "too_large")


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PatientSocket, socket.socket]]:
    """Both ends of one on which every read takes 20 seconds."""
    monkeypatch.setattr(time, "monotonic", count(0, 20).__next__)
    ours, theirs = socket.socketpair()
    with theirs, PatientSocket(fileno=ours.detach()) as patient:
        yield patient, theirs


def test_who_trickles_is_given_up_until_the_next_request(
    connection: tuple[PatientSocket, socket.socket],
) -> None:
    patient, theirs = connection
    theirs.sendall(b"x" * 30)
    for _ in range(2):
        assert [patient.recv(10) for _ in range(2)] == [b"x" * 10] * 2
        with pytest.raises(NoMoreData):
            patient.recv(10)
        theirs.sendall(b"x" * 10)
        patient.expect_request()
    assert patient.gettimeout() is None


def test_who_sends_at_a_modest_speed_is_waited_for(
    connection: tuple[PatientSocket, socket.socket],
) -> None:
    patient, theirs = connection
    for _ in range(20):
        theirs.sendall(b"x" * 20_480)
        assert len(patient.recv(20_480, socket.MSG_WAITALL)) == 20_480


def test_silence_is_the_end_of_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_socket, "PATIENCE", 0.01)
    ours, theirs = socket.socketpair()
    with theirs, PatientSocket(fileno=ours.detach()) as patient:
        with pytest.raises(NoMoreData):
            patient.recv(1)
        patient.expect_request()
        patient.settimeout(0.001)
        with pytest.raises(TimeoutError):
            patient.recv(1)
        assert patient.gettimeout() == 0.001
