"""The provider that other tests talk to: it lets a browser in and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from urllib.parse import urlencode

import httpx
import psutil
import pytest

from atom_backend.domain.oauth import challenge_of, new_verifier
from tests.provider.running import RunningProvider

CALLBACK = "http://127.0.0.1:1/callback"
STARTS_ONE_AND_WAITS = """
import sys
from tests.provider.running import RunningProvider
with RunningProvider() as running:
    print(running._process.pid, flush=True)
    sys.stdin.read()
"""


def address(provider: RunningProvider, **parameters: str) -> str:
    asked = {
        "client_id": "public",
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "mail.read",
        **parameters,
    }
    return f"{provider.issuer}/auth?{urlencode(asked)}"


def test_a_browser_comes_back_with_a_code_or_with_a_refusal(oauth_server: RunningProvider) -> None:
    verifier = new_verifier()
    challenge = {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
    brought = oauth_server.visit(address(oauth_server, state="of mine", **challenge))
    assert brought.keys() == {"code", "state", "iss"}
    assert (brought["state"], brought["iss"]) == ("of mine", oauth_server.issuer)
    oauth_server.change(denies=True)
    assert oauth_server.visit(address(oauth_server, **challenge))["error"] == "access_denied"


def test_nobody_gets_a_code_without_a_challenge(oauth_server: RunningProvider) -> None:
    assert oauth_server.visit(address(oauth_server))["error"] == "invalid_request"


def test_it_misbehaves_as_often_as_it_is_told_to(oauth_server: RunningProvider) -> None:
    oauth_server.fail({"effect": "answer", "status": 503}, {"effect": "drop"})
    url = f"{oauth_server.issuer}/token"
    assert httpx.post(url, trust_env=False).status_code == 503
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(url, trust_env=False)
    assert httpx.post(url, trust_env=False).status_code == 400
    assert oauth_server.stats()["requests"]["/token"] == 3


def test_it_ends_with_its_tests_also_when_those_are_killed() -> None:
    command = [sys.executable, "-c", STARTS_ONE_AND_WAITS]
    tests = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    with tests:
        assert tests.stdout
        provider = psutil.Process(int(tests.stdout.readline()))
        assert provider.is_running()
        tests.send_signal(signal.SIGKILL)
    assert psutil.wait_procs([provider], timeout=20)[1] == []
