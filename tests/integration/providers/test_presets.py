"""How each preset asks, told by requests that arrived: what is odd about a provider is data."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from atom_backend.domain.oauth import IssuedTokens, OAuthProvider, challenge_of
from atom_backend.domain.secrets import Secret
from atom_backend.errors import GrantRefused, ProviderRefused, ProviderUnavailable
from atom_backend.providers.provider_file import presets
from tests.integration.providers.conftest import CALLBACK, Configure
from tests.integration.providers.scripted import ScriptedServer, said

VERIFIER = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
BASIC = "Basic " + base64.b64encode(b"us:a+b%2F%25").decode()
BOTH = IssuedTokens(Secret("access"), Secret("refresh"))
TOKENS = said({"access_token": "access", "token_type": "bearer"})

Preset = Callable[[str], OAuthProvider]


@pytest.fixture
def preset(configure: Configure, scripted: ScriptedServer) -> Preset:
    """A preset, with its paths at the scripted server."""

    def made(name: str) -> OAuthProvider:
        here = {
            key: scripted.url + urlsplit(value).path
            for key, value in presets()[name].items()
            if key.endswith("_endpoint")
        }
        lines = [f'{key} = "{value}"' for key, value in here.items()]
        table = [f"[{name}]", f'preset = "{name}"', 'client_id = "us"', 'client_secret = "a b/%"']
        return configure("\n".join(table + lines)).get(name)

    return made


def query_of(provider: OAuthProvider, *scopes: str) -> dict[str, str]:
    url = provider.authorization_url(
        state="s&t", verifier=VERIFIER, redirect_uri=CALLBACK, scopes=scopes
    )
    return dict(parse_qsl(urlsplit(url).query))


def exchanged(provider: OAuthProvider) -> IssuedTokens:
    return provider.exchange(code=Secret("code"), verifier=VERIFIER, redirect_uri=CALLBACK)


STANDARD = {
    "response_type": "code",
    "client_id": "us",
    "redirect_uri": CALLBACK,
    "state": "s&t",
}
PKCE = {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256"}


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("google", {"scope": "a b", "access_type": "offline", "prompt": "consent", **PKCE}),
        ("microsoft", {"scope": "a b", **PKCE}),
        ("github", {"scope": "a b", **PKCE}),
        ("slack", {"user_scope": "a,b", **PKCE}),
        ("notion", {"scope": "a b", "owner": "user"}),
    ],
)
def test_owners_are_sent_with_what_each_provider_wants(
    name: str, more: dict[str, str], preset: Preset
) -> None:
    assert query_of(preset(name), "a", "b") == {**STANDARD, **more}


def test_an_address_keeps_the_query_that_it_has(configure: Configure) -> None:
    text = """
        [x]
        authorization_endpoint = "https://id.example.org/authorize?tenant=7&state=no"
        token_endpoint = "https://id.example.org/token"
        client_id = "us"
        client_authentication = "none"
    """
    url = (
        configure(text)
        .get("x")
        .authorization_url(state="s", verifier=VERIFIER, redirect_uri=CALLBACK, scopes=[])
    )
    assert parse_qs(urlsplit(url).query)["tenant"] == ["7"]
    assert parse_qs(urlsplit(url).query)["state"] == ["s"]
    assert "scope" not in parse_qs(urlsplit(url).query)


@pytest.mark.parametrize("name", ["google", "microsoft", "github", "slack"])
def test_a_code_is_sent_as_a_form_with_its_verifier(
    name: str, preset: Preset, scripted: ScriptedServer
) -> None:
    provider = preset(name)
    scripted.play(TOKENS)
    exchanged(provider)
    (asked,) = scripted.asked
    secret = {} if name == "slack" else {"client_id": "us", "client_secret": "a b/%"}
    assert asked.form == {
        "grant_type": "authorization_code",
        "code": "code",
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER.reveal(),
        **secret,
    }
    assert asked.headers.get("Authorization") == (BASIC if name == "slack" else None)
    assert asked.headers["Accept"] == "application/json"


def test_notion_is_asked_in_json_with_a_basic_password(
    preset: Preset, scripted: ScriptedServer
) -> None:
    scripted.play(TOKENS, said({"access_token": "access", "refresh_token": None}))
    notion = preset("notion")
    assert exchanged(notion).refresh_token is None
    assert (exchanged(notion).expires_at, scripted.asked[0].headers["Authorization"]) == (
        None,
        BASIC,
    )
    assert scripted.asked[0].json == {
        "grant_type": "authorization_code",
        "code": "code",
        "redirect_uri": CALLBACK,
    }


def test_tokens_of_github_have_comma_separated_scopes_and_no_end(
    preset: Preset, scripted: ScriptedServer
) -> None:
    body = {"access_token": "gho_1", "scope": "repo,gist", "token_type": "bearer"}
    scripted.play(said(body))
    issued = exchanged(preset("github"))
    assert (issued.scopes, issued.expires_at, issued.refresh_token) == (
        ("repo", "gist"),
        None,
        None,
    )


def test_slacks_token_of_the_user_counts_and_not_that_of_the_bot(
    preset: Preset, scripted: ScriptedServer
) -> None:
    user = {"access_token": "xoxp", "token_type": "user", "scope": "a,b", "expires_in": 43200}
    bot = {"ok": True, "access_token": "xoxb", "token_type": "bot"}
    scripted.play(said({**bot, "authed_user": user}), said({**bot, "authed_user": {"id": "U1"}}))
    slack = preset("slack")
    issued = exchanged(slack)
    assert (issued.access_token.reveal(), issued.scopes) == ("xoxp", ("a", "b"))
    assert exchanged(slack).access_token.reveal() == "xoxb"


@pytest.mark.parametrize(
    ("name", "body", "error"),
    [
        ("github", {"error": "bad_verification_code"}, GrantRefused),
        ("github", {"error": "bad_refresh_token"}, GrantRefused),
        ("github", {"error": "incorrect_client_credentials"}, ProviderRefused),
        ("slack", {"ok": False, "error": "invalid_code"}, GrantRefused),
        ("slack", {"ok": False, "error": "token_revoked"}, GrantRefused),
        ("slack", {"ok": False, "error": "bad_client_secret"}, ProviderRefused),
        ("slack", {"ok": False, "error": "ratelimited"}, ProviderUnavailable),
        ("slack", {"ok": False}, ProviderRefused),
    ],
)
def test_a_refusal_with_status_200_is_a_refusal(
    name: str, body: Any, error: type[Exception], preset: Preset, scripted: ScriptedServer
) -> None:
    scripted.play(said(body))
    with pytest.raises(error):
        preset(name).refresh(Secret("refresh"))


def test_google_revokes_by_the_refresh_token(preset: Preset, scripted: ScriptedServer) -> None:
    google = preset("google")
    scripted.play(said({}), said({"error": "invalid_token"}, 400))
    assert google.revoke(BOTH)
    assert google.revoke(IssuedTokens(Secret("access")))
    assert [one.form["token"] for one in scripted.asked] == ["refresh", "access"]
    assert [one.form["token_type_hint"] for one in scripted.asked] == [
        "refresh_token",
        "access_token",
    ]
    assert scripted.asked[0].path == "/revoke"


def test_microsoft_cannot_revoke(preset: Preset, scripted: ScriptedServer) -> None:
    assert not preset("microsoft").revoke(BOTH)
    assert scripted.asked == []


@pytest.mark.parametrize("status", [204, 404, 422])
def test_github_removes_the_grant_of_an_access_token(
    status: int, preset: Preset, scripted: ScriptedServer
) -> None:
    scripted.play(said("", status))
    assert preset("github").revoke(BOTH)
    (asked,) = scripted.asked
    assert (asked.method, asked.path) == ("DELETE", "/applications/us/grant")
    assert (asked.json, asked.headers["Authorization"]) == ({"access_token": "access"}, BASIC)


def test_slack_revokes_the_token_that_it_is_shown(preset: Preset, scripted: ScriptedServer) -> None:
    scripted.play(
        said({"ok": True, "revoked": True}), said({"ok": False, "error": "token_revoked"})
    )
    slack = preset("slack")
    assert slack.revoke(BOTH)
    assert slack.revoke(BOTH)
    assert scripted.asked[0].headers["Authorization"] == "Bearer access"
    assert scripted.asked[0].form == {}


def test_notion_revokes_in_json(preset: Preset, scripted: ScriptedServer) -> None:
    scripted.play(said({}))
    assert preset("notion").revoke(BOTH)
    assert scripted.asked[0].json == {"token": "access"}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, '{"error": "unsupported_token_type"}', False),
        (401, '{"error": "invalid_client"}', ProviderRefused),
        (404, "", ProviderRefused),
        (503, "", ProviderUnavailable),
    ],
)
def test_a_revocation_that_did_not_happen_is_not_said_to_have(
    status: int, body: str, outcome: Any, preset: Preset, scripted: ScriptedServer
) -> None:
    scripted.play(said(body, status))
    if outcome is False:
        assert not preset("google").revoke(BOTH)
    else:
        with pytest.raises(outcome):
            preset("google").revoke(BOTH)
