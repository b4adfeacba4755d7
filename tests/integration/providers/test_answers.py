"""What becomes of each answer that a token endpoint may give, sensible or not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from atom_backend.domain.oauth import IssuedTokens, OAuthProvider
from atom_backend.domain.secrets import Secret
from atom_backend.errors import GrantRefused, ProviderRefused, ProviderUnavailable
from atom_backend.providers.client import MOST_BYTES
from tests.integration.providers.conftest import NOON, Configure
from tests.integration.providers.scripted import ScriptedServer, said

CANARY = "canary-7c1f"
REFRESH = Secret(f"refresh-{CANARY}")
GOOD = {"access_token": f"access-{CANARY}", "token_type": "Bearer"}
ERROR = f'{{"error": "%s", "error_description": "{CANARY}"}}'


@pytest.fixture
def provider(configure: Configure, scripted: ScriptedServer) -> OAuthProvider:
    return configure(
        f"""
        [tests]
        authorization_endpoint = "{scripted.url}/authorize"
        token_endpoint = "{scripted.url}/token"
        client_id = "us"
        client_secret = "secret-{CANARY}"
        timeout_seconds = 0.5
        """
    ).get("tests")


@pytest.fixture
def issued(provider: OAuthProvider, scripted: ScriptedServer) -> Callable[[Any], IssuedTokens]:
    def from_answer(body: Any) -> IssuedTokens:
        scripted.play(said(body))
        return provider.refresh(REFRESH)

    return from_answer


TRANSIENT = {
    "nothing": said(b""),
    "a page": said("<html>Sign in</html>"),
    "half a document": said('{"access_token": "a'),
    "no UTF-8": said(b'{"access_token": "\xff"}'),
    "a list": said([GOOD]),
    "text": said('"token"'),
    "a depth without end": said("[" * 100_000),
    "a number without end": said('{"expires_in": ' + "9" * 5_000 + "}"),
    "no access token": said({"token_type": "bearer"}),
    "an access token that is a number": said({**GOOD, "access_token": 1}),
    "an empty access token": said({**GOOD, "access_token": ""}),
    "an access token with a NUL": said({**GOOD, "access_token": "a\0b"}),
    "an access token with a lone surrogate": said({**GOOD, "access_token": "\ud800"}),
    "an access token beyond any size": said({**GOOD, "access_token": "a" * 40_000}),
    "a token of another type": said({**GOOD, "token_type": "DPoP"}),
    "a type that is none": said({**GOOD, "token_type": ["bearer"]}),
    "an answer beyond any size": said({**GOOD, "padding": "a" * MOST_BYTES}),
    "an answer that was packed": said(gzip.compress(json.dumps(GOOD).encode()), 200),
    "a redirect": said("", 302, Location="/elsewhere"),
    "a redirect that keeps the body": said("", 307, Location="/elsewhere"),
    "a failure": said(ERROR % "invalid_grant", 500),
    "an outage": said("", 503, Retry_After="12"),
    "too many requests": said(ERROR % "invalid_request", 429, Retry_After="12"),
    "a passing failure": said(ERROR % "temporarily_unavailable", 400),
}


@pytest.mark.parametrize("answer", TRANSIENT.values(), ids=TRANSIENT)
def test_what_cannot_be_understood_says_nothing_about_the_grant(
    answer: Any, provider: OAuthProvider, scripted: ScriptedServer
) -> None:
    scripted.play(answer, said(GOOD))
    with pytest.raises(ProviderUnavailable) as failure:
        provider.refresh(REFRESH)
    assert CANARY not in failure.value.message
    assert len(scripted.asked) == 1
    assert provider.refresh(REFRESH).access_token == Secret(GOOD["access_token"])


@pytest.mark.parametrize(
    ("said_so", "waits"),
    [
        ("12", 12.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
        ("9" * 400, 3600.0),
        ("-1", None),
        ("soon", None),
    ],
)
def test_when_to_ask_again_is_what_was_said_within_reason(
    said_so: str, waits: float | None, provider: OAuthProvider, scripted: ScriptedServer
) -> None:
    scripted.play(said("", 429, Retry_After=said_so))
    with pytest.raises(ProviderUnavailable) as failure:
        provider.refresh(REFRESH)
    assert failure.value.retry_after == waits


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize("code", ["invalid_grant", "interaction_required"])
def test_a_grant_that_ended_has_ended_whatever_the_status(
    code: str, status: int, provider: OAuthProvider, scripted: ScriptedServer
) -> None:
    scripted.play(said(ERROR % code, status))
    with pytest.raises(GrantRefused) as refusal:
        provider.refresh(REFRESH)
    assert CANARY not in refusal.value.message


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (ERROR % "invalid_client", 401, "invalid_client"),
        (ERROR % "invalid_scope", 400, "invalid_scope"),
        (ERROR % "unsupported_grant_type", 200, "unsupported_grant_type"),
        ('{"error": {"code": 7}}', 400, "unknown"),
        (f'{{"error": "no! {CANARY}"}}', 400, "unknown"),
        ('{"ok": false}', 200, "unknown"),
        ("<html>Not found</html>", 404, "http_404"),
        ("", 403, "http_403"),
    ],
)
def test_any_other_refusal_keeps_its_code_and_loses_its_words(
    body: str, status: int, code: str, provider: OAuthProvider, scripted: ScriptedServer
) -> None:
    scripted.play(said(body, status))
    with pytest.raises(ProviderRefused) as refusal:
        provider.refresh(REFRESH)
    assert refusal.value.error == code
    assert CANARY not in refusal.value.message


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        (3600, 3600),
        ("3600", 3600),
        (59.5, 59.5),
        (10**30, 315_360_000),
        (float("inf"), 315_360_000),
        (0, 0),
        (-1, 0),
        ("-1", 0),
        ("soon", 0),
        (float("nan"), 0),
        (True, 0),
        ([], 0),
    ],
)
def test_a_lifetime_is_some_seconds_and_nonsense_is_over_at_once(
    lifetime: Any, seconds: float, issued: Callable[[Any], IssuedTokens]
) -> None:
    answer = issued({**GOOD, "expires_in": lifetime})
    assert answer.expires_at == NOON + timedelta(seconds=seconds)
    assert answer.access_token.reveal() == GOOD["access_token"]


@pytest.mark.parametrize("said_so", [{}, {"expires_in": None}])
def test_a_lifetime_that_is_not_said_is_not_known(
    said_so: dict[str, Any], issued: Callable[[Any], IssuedTokens]
) -> None:
    assert issued({**GOOD, **said_so}).expires_at is None


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        ("read write", ("read", "write")),
        ("read,write", ("read", "write")),
        ("read, write read", ("read", "write")),
        (["read", 1, "a b", "write"], ("read", "write")),
        ("", ()),
        ("read\0 wr\ud800ite ok", ("ok",)),
        (None, None),
        (7, None),
    ],
)
def test_scopes_come_in_every_form(
    scope: Any, scopes: tuple[str, ...] | None, issued: Callable[[Any], IssuedTokens]
) -> None:
    assert issued({**GOOD, "scope": scope}).scopes == scopes


@pytest.mark.parametrize("refresh_token", [None, 7, "", "a\0b", "\ud800"])
def test_a_refresh_token_that_is_none_counts_as_omitted(
    refresh_token: Any, issued: Callable[[Any], IssuedTokens]
) -> None:
    assert issued({**GOOD, "refresh_token": refresh_token}).refresh_token is None


def test_a_type_that_is_not_said_is_bearer(issued: Callable[[Any], IssuedTokens]) -> None:
    assert issued({"access_token": "token"}).access_token.reveal() == "token"
