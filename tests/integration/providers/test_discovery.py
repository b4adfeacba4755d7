"""Endpoints that an issuer publishes: what counts, how long, and what happens while it is away."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from atom_backend.domain.oauth import OAuthProvider, new_verifier
from atom_backend.domain.secrets import Secret
from atom_backend.errors import ProviderUnavailable
from atom_backend.providers.client import Answer, HttpClient, Question
from atom_backend.providers.discovery import Discovery
from atom_backend.providers.registration import Registration
from tests.integration.providers.conftest import CALLBACK, Configure
from tests.integration.providers.scripted import ScriptedServer, said

OPENID, RFC_8414 = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
REFRESH = Secret("a refresh token")
TOKENS = said({"access_token": "an access token"})


def document(url: str, **more: Any) -> dict[str, Any]:
    published = {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
    }
    return {name: value for name, value in {**published, **more}.items() if value is not None}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def table(issuer: str, more: str = "") -> str:
    return f'[tests]\nissuer = "{issuer}"\nclient_id = "us"\nclient_secret = "s"\n{more}\n'


def address(provider: OAuthProvider) -> str:
    return provider.authorization_url(
        state="s", verifier=new_verifier(), redirect_uri=CALLBACK, scopes=[]
    )


@pytest.fixture
def provider(configure: Configure, scripted: ScriptedServer) -> OAuthProvider:
    return configure(table(scripted.url)).get("tests")


def test_nothing_is_asked_before_it_is_needed_and_then_once(
    provider: OAuthProvider, scripted: ScriptedServer
) -> None:
    assert provider.description.name == "tests"
    assert scripted.asked == []
    scripted.play(said(document(scripted.url)), TOKENS, TOKENS)
    assert address(provider).startswith(f"{scripted.url}/authorize?")
    provider.refresh(REFRESH)
    provider.refresh(REFRESH)
    assert [one.path for one in scripted.asked] == [OPENID, "/token", "/token"]


@pytest.mark.parametrize("path", ["", "/tenant", "/tenant/"])
def test_a_server_without_openid_is_found_by_rfc_8414(
    path: str, configure: Configure, scripted: ScriptedServer
) -> None:
    issuer = scripted.url + path
    endpoints = {"token_endpoint": f"{scripted.url}/elsewhere"}
    scripted.play(said("", 404), said(document(issuer, **endpoints)), TOKENS)
    configure(table(issuer)).get("tests").refresh(REFRESH)
    plain = path.rstrip("/")
    assert [one.path for one in scripted.asked] == [plain + OPENID, RFC_8414 + plain, "/elsewhere"]


BAD: dict[str, Callable[[str], Any]] = {
    "another issuer": lambda url: document(url, issuer=f"{url}/another"),
    "the issuer with another end": lambda url: document(url, issuer=f"{url}/"),
    "no issuer": lambda url: document(url, issuer=None),
    "no token endpoint": lambda url: document(url, token_endpoint=None),
    "an endpoint that is no address": lambda url: document(url, token_endpoint=7),
    "an endpoint without TLS": lambda url: document(url, token_endpoint="http://example.org/"),
    "an endpoint in a file": lambda url: document(url, token_endpoint="file:///etc/passwd"),
    "a list": lambda url: [document(url)],
    "a page": lambda _: "<html></html>",
}


@pytest.mark.parametrize("published", BAD.values(), ids=BAD)
def test_a_document_that_cannot_be_trusted_is_not_used(
    published: Callable[[str], Any], provider: OAuthProvider, scripted: ScriptedServer
) -> None:
    scripted.play(said(published(scripted.url)))
    with pytest.raises(ProviderUnavailable):
        provider.refresh(REFRESH)
    assert [one.path for one in scripted.asked] == [OPENID]


@pytest.mark.parametrize("here", ["http://127.0.0.1:8080/", "https://localhost/", "http://[::1]/"])
def test_nobody_far_away_sends_us_to_this_machine(here: str) -> None:
    issuer = "https://id.example.org"
    registration = Registration(title="t", client_id="us", issuer=issuer)
    published = Answer(200, _json(document(issuer, token_endpoint=here)))
    with pytest.raises(ProviderUnavailable):
        Discovery(registration, lambda _: published).endpoints()


@pytest.mark.parametrize(
    ("supported", "in_header"),
    [
        (["client_secret_post"], False),
        (["client_secret_post", "client_secret_basic"], True),
        (None, True),
        ("client_secret_post", True),
    ],
)
def test_a_client_authenticates_itself_as_the_document_asks(
    supported: Any, in_header: bool, provider: OAuthProvider, scripted: ScriptedServer
) -> None:
    more = {"token_endpoint_auth_methods_supported": supported}
    scripted.play(said(document(scripted.url, **more)), TOKENS)
    provider.refresh(REFRESH)
    asked = scripted.asked[-1]
    assert ("Authorization" in asked.headers, "client_secret" in asked.form) == (
        in_header,
        not in_header,
    )


def test_what_is_configured_goes_before_what_is_published(
    configure: Configure, scripted: ScriptedServer
) -> None:
    more = f'token_endpoint = "{scripted.url}/ours"\nclient_authentication = "client_secret_post"'
    scripted.play(said(document(scripted.url)), TOKENS)
    configure(table(scripted.url, more)).get("tests").refresh(REFRESH)
    assert scripted.asked[-1].path == "/ours"
    assert scripted.asked[-1].form["client_secret"] == "s"


class Issuer:
    """An issuer beside a clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.away = False
        self.times = 0
        url = "https://id.example.org"
        registration = Registration(title="t", client_id="us", issuer=url)
        self._answer = Answer(200, _json(document(url)))
        self.discovery = Discovery(registration, self._ask, now=lambda: self.seconds)

    def _ask(self, _: str) -> Answer:
        self.times += 1
        if self.away:
            raise ProviderUnavailable("away")
        return self._answer


def test_a_document_is_read_again_after_an_hour_and_kept_while_the_issuer_is_away() -> None:
    issuer = Issuer()
    for issuer.seconds in (0, 1, 3599):
        found = issuer.discovery.endpoints()
    assert issuer.times == 1
    issuer.away = True
    for issuer.seconds in (3600, 3601, 3606):
        assert issuer.discovery.endpoints() == found
    assert issuer.times == 3


def test_an_issuer_that_is_away_is_asked_again_some_seconds_later_by_one_caller() -> None:
    issuer = Issuer()
    issuer.away = True
    for issuer.seconds in (0, 1, 4.9):
        with pytest.raises(ProviderUnavailable, match="away"):
            issuer.discovery.endpoints()
    assert issuer.times == 1
    issuer.seconds, issuer.away = 5, False
    issuer.discovery.endpoints()


def test_callers_at_once_share_one_document(
    provider: OAuthProvider, scripted: ScriptedServer
) -> None:
    scripted.play(said(document(scripted.url)))
    callers = [threading.Thread(target=address, args=(provider,)) for _ in range(12)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert [one.path for one in scripted.asked] == [OPENID]


def test_a_closed_client_can_be_asked_again(scripted: ScriptedServer) -> None:
    client = HttpClient()
    for _ in range(2):
        scripted.play(said("x"))
        assert client.ask(Question("GET", scripted.url), 5).body == b"x"
        client.close()
