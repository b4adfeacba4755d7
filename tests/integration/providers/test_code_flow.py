"""The authorization code flow, refreshing and revoking, at a real provider."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from atom_backend.domain.oauth import IssuedTokens, OAuthProvider, merged, new_verifier
from atom_backend.domain.secrets import Secret
from atom_backend.errors import GrantRefused, ProviderRefused, ProviderUnavailable
from tests.integration.providers.conftest import (
    NOON,
    SCOPES,
    Configure,
    authorize,
    described,
    grant,
)
from tests.provider.running import RunningProvider

POSTING = 'client_authentication = "client_secret_post"'


def refreshed(provider: OAuthProvider, held: IssuedTokens) -> IssuedTokens:
    assert held.refresh_token is not None
    return provider.refresh(held.refresh_token)


@pytest.mark.parametrize(
    ("client_id", "more"), [("confidential", ""), ("posting", POSTING), ("public", "")]
)
def test_a_code_is_exchanged_by_each_kind_of_client(
    client_id: str, more: str, configure: Configure, oauth_server: RunningProvider
) -> None:
    provider = configure(described(oauth_server, client_id, more)).get("tests")
    issued = grant(provider, oauth_server)
    assert oauth_server.active(issued.access_token.reveal())
    assert issued.expires_at == NOON + timedelta(seconds=600)
    assert issued.scopes == SCOPES
    assert oauth_server.active(refreshed(provider, issued).access_token.reveal())


def test_a_code_that_is_used_twice_ends_the_grant(
    provider: OAuthProvider, oauth_server: RunningProvider
) -> None:
    brought = authorize(provider, oauth_server)
    issued = brought.exchanged_at(provider)
    with pytest.raises(GrantRefused):
        brought.exchanged_at(provider)
    assert not oauth_server.active(issued.access_token.reveal())


def test_a_code_is_worth_nothing_without_its_verifier(
    provider: OAuthProvider, oauth_server: RunningProvider
) -> None:
    stolen = replace(authorize(provider, oauth_server), verifier=new_verifier())
    with pytest.raises(GrantRefused):
        stolen.exchanged_at(provider)


@pytest.mark.parametrize("issuer", ["https://another.example.org", None])
def test_a_callback_of_another_issuer_is_not_exchanged(
    issuer: str | None, provider: OAuthProvider, oauth_server: RunningProvider
) -> None:
    brought = authorize(provider, oauth_server)
    with pytest.raises(GrantRefused):
        replace(brought, issuer=issuer).exchanged_at(provider)
    assert "/token" not in oauth_server.stats()["requests"]
    assert oauth_server.active(brought.exchanged_at(provider).access_token.reveal())


def test_a_refresh_gives_new_tokens_and_an_old_refresh_token_ends_them_all(
    provider: OAuthProvider, oauth_server: RunningProvider
) -> None:
    first = grant(provider, oauth_server)
    second = refreshed(provider, first)
    third = refreshed(provider, second)
    assert len({one.refresh_token for one in (first, second, third)}) == 3
    assert oauth_server.active(third.access_token.reveal())
    with pytest.raises(GrantRefused):
        refreshed(provider, first)
    assert not oauth_server.active(third.access_token.reveal())
    with pytest.raises(GrantRefused):
        refreshed(provider, third)
    assert oauth_server.stats()["issued"] == {"authorization_code": 1, "refresh_token": 2}
    assert oauth_server.stats()["refused"] == {"invalid_grant": 2}
    assert oauth_server.stats()["revoked_grants"] == 1


def test_a_refresh_can_ask_for_less(provider: OAuthProvider, oauth_server: RunningProvider) -> None:
    held = grant(provider, oauth_server)
    assert held.refresh_token is not None
    assert provider.refresh(held.refresh_token, ["mail.send"]).scopes == ("mail.send",)


def test_a_provider_may_keep_its_refresh_token_to_itself(
    provider: OAuthProvider, oauth_server: RunningProvider
) -> None:
    held = grant(provider, oauth_server)
    oauth_server.change(rotates=False, omits_refresh_token=True)
    answer = refreshed(provider, held)
    assert answer.refresh_token is None
    assert oauth_server.active(refreshed(provider, merged(held, answer)).access_token.reveal())


@pytest.mark.parametrize("kept", ["both tokens", "the access token alone"])
def test_revoking_ends_the_grant_and_can_be_repeated(
    kept: str, provider: OAuthProvider, oauth_server: RunningProvider
) -> None:
    issued = grant(provider, oauth_server)
    held = issued if kept == "both tokens" else replace(issued, refresh_token=None)
    assert provider.revoke(held)
    assert not oauth_server.active(issued.access_token.reveal())
    if kept == "both tokens":
        with pytest.raises(GrantRefused):
            refreshed(provider, issued)
    assert provider.revoke(held)


def test_a_wrong_secret_is_the_operators_and_not_the_grants_problem(
    configure: Configure, oauth_server: RunningProvider
) -> None:
    text = described(oauth_server).replace(oauth_server.secret_of("confidential"), "wrong")
    with pytest.raises(ProviderRefused) as refusal:
        configure(text).get("tests").refresh(Secret("whatever"))
    assert refusal.value.error == "invalid_client"


@pytest.mark.parametrize("effect", ["hang", "drop", "slow", "lose"])
def test_a_provider_that_does_not_answer_ends_no_grant(
    effect: str, configure: Configure, oauth_server: RunningProvider
) -> None:
    patient = configure(described(oauth_server)).get("tests")
    held = grant(patient, oauth_server)
    provider = configure(described(oauth_server, more="timeout_seconds = 0.5")).get("tests")
    oauth_server.fail({"effect": effect, "seconds": 2.0})
    with pytest.raises(ProviderUnavailable):
        refreshed(provider, held)
    if effect in {"hang", "drop"}:
        assert refreshed(patient, held).refresh_token is not None
    assert provider.deadline == 1.5


def test_a_provider_that_is_down_says_when_it_can_be_asked_again(
    provider: OAuthProvider, oauth_server: RunningProvider
) -> None:
    held = grant(provider, oauth_server)
    oauth_server.fail({"effect": "answer", "status": 503, "headers": {"Retry-After": "7"}})
    with pytest.raises(ProviderUnavailable) as outage:
        refreshed(provider, held)
    assert outage.value.retry_after == 7
    assert oauth_server.active(refreshed(provider, held).access_token.reveal())
