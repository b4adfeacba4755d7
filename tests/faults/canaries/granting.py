"""OAuth grants with canaries for tokens, at a provider that answers errors with what it was sent.

Invariant: no token that the provider gave out or was shown is unknown to the nest.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx

from tests.faults.canaries.nest import Nest

FRONT_END = "https://client.example.org/callback"
_OLD = """
    update oauth_grants
    set issued_at = now() - interval '1 hour', failed_at = null, expires_at = now()
"""


class TalkativeProvider(ThreadingHTTPServer):
    """``answer``: status and body of its next answers; errors also repeat the request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self.answer: tuple[int, dict[str, Any]] = (500, {})
        self.sent: dict[str, str] = {}

    def describe(self, file: Path) -> None:
        """Write the operator's file about this provider."""
        address = f"http://127.0.0.1:{self.server_address[1]}"
        file.write_text(
            "[talkative]\n"
            'client_id = "canary"\n'
            'client_secret_environment = "CANARY_CLIENT_SECRET"\n'
            f'authorization_endpoint = "{address}/authorize"\n'
            f'token_endpoint = "{address}/token"\n'
            f'revocation_endpoint = "{address}/revoke"\n',
            encoding="utf-8",
        )


class _Endpoint(BaseHTTPRequestHandler):
    server: TalkativeProvider

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        text = self.rfile.read(length).decode()
        self.server.sent = dict(parse_qsl(text))
        status, body = self.server.answer
        if status >= 400:
            body = body | {"error_description": f"{text} {self.headers.get('Authorization')}"}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def talkative_provider() -> Iterator[TalkativeProvider]:
    with TalkativeProvider() as provider:
        thread = threading.Thread(target=provider.serve_forever)
        thread.start()
        yield provider
        provider.shutdown()
        thread.join()


def grant_everything(nest: Nest, http: httpx.Client, provider: TalkativeProvider) -> None:
    """Tokens from elsewhere, an authorization, a refresh, and every way to fail at each."""
    _from_elsewhere(nest, http)
    grant = _authorized(nest, http, provider)
    _refreshed(nest, http, provider, f"/v1/oauth/grants/{grant}/token")
    provider.answer = (503, {})
    ended = nest.told(http.delete(f"/v1/oauth/grants/{grant}"))
    assert ended.status_code == 200, ended.text


def _from_elsewhere(nest: Nest, http: httpx.Client) -> None:
    address = "/v1/oauth/grants/elsewhere"
    tokens = {
        "access_token": nest.plant("stored access token"),
        "refresh_token": nest.plant("stored refresh token"),
    }
    for wrong in (
        {**tokens, "expires_in": "soon"},
        {**tokens, "access_token": tokens["access_token"] * 10_000},
        {**tokens, "refresh_token": [tokens["refresh_token"]]},
        {**tokens, "access_token": tokens["access_token"] + "\x00"},
        {**tokens, "token": tokens["access_token"]},
    ):
        assert nest.told(http.put(address, json=wrong)).status_code in {400, 413, 422}
    stored = nest.told(http.put(address, json={**tokens, "expires_in": 3600}))
    assert stored.status_code == 201, stored.text
    used = http.post(f"/v1/oauth/grants/{stored.json()['id']}/token")
    assert used.json()["access_token"] == tokens["access_token"]


def _authorized(nest: Nest, http: httpx.Client, provider: TalkativeProvider) -> str:
    """The grant's identifier, after a provider that fails and one that does not."""
    for attempt, (status, body) in {
        "failed": (500, {}),
        "refused": (400, {"error": "invalid_grant"}),
        "granted": (200, _tokens(nest, "exchanged")),
    }.items():
        begun = http.post("/v1/oauth/talkative/authorize", json={"redirect_uri": FRONT_END})
        assert begun.status_code == 200, begun.text
        state = nest.canaries[f"state ({attempt})"] = begun.json()["state"]
        brought = {"state": state, "code": nest.plant(f"code ({attempt})")}
        forged = {**brought, "state": f"x{state}"}
        assert nest.told(http.post("/v1/oauth/talkative/callback", json=forged)).status_code >= 400
        provider.answer = (status, body)
        answer = nest.told(http.post("/v1/oauth/talkative/callback", json=brought))
        nest.canaries[f"verifier ({attempt})"] = provider.sent["code_verifier"]
        assert provider.sent["code"] == brought["code"]
        assert (answer.status_code == 201) == (attempt == "granted"), answer.text
        again = nest.told(http.post("/v1/oauth/talkative/callback", json=brought))
        assert again.status_code >= 400
    return str(answer.json()["id"])


def _refreshed(nest: Nest, http: httpx.Client, provider: TalkativeProvider, address: str) -> None:
    for status, body in (
        (503, {}),
        (400, {"error": "invalid_client"}),
        (200, {"unexpected": nest.plant("token in a strange answer")}),
    ):
        nest.site.sql(_OLD)
        provider.answer = (status, body)
        assert nest.told(http.post(address)).status_code in {502, 503}
    nest.site.sql(_OLD)
    provider.answer = (200, _tokens(nest, "refreshed"))
    assert http.post(address).status_code == 200
    nest.site.sql(_OLD)
    provider.answer = (400, {"error": "invalid_grant"})
    assert nest.told(http.post(address)).status_code == 409


def _tokens(nest: Nest, how: str) -> dict[str, Any]:
    return {
        "access_token": nest.plant(f"{how} access token"),
        "refresh_token": nest.plant(f"{how} refresh token"),
        "token_type": "Bearer",
        "expires_in": 3600,
    }
