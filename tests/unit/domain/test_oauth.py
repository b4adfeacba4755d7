"""What is kept of a grant when its provider answers, and the challenge that binds a code."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from atom_backend.domain.oauth import (
    SCOPE_TOKEN,
    IssuedTokens,
    challenge_of,
    merged,
    new_verifier,
)
from atom_backend.domain.secrets import Secret

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HELD = IssuedTokens(Secret("old access"), Secret("old refresh"), NOON, ("read", "write"))
ANSWER = IssuedTokens(Secret("new access"), Secret("new refresh"), NOON, ("read",))


def test_an_answer_that_says_everything_replaces_everything() -> None:
    assert merged(HELD, ANSWER) == ANSWER


def test_what_an_answer_leaves_out_stays_what_it_was() -> None:
    without_refresh_token = replace(ANSWER, refresh_token=None)
    kept = replace(ANSWER, refresh_token=HELD.refresh_token)
    assert merged(HELD, without_refresh_token) == kept
    without_scopes = replace(ANSWER, scopes=None)
    assert merged(HELD, without_scopes) == replace(ANSWER, scopes=HELD.scopes)


def test_an_expiry_is_that_of_the_new_access_token_or_unknown() -> None:
    assert merged(HELD, replace(ANSWER, expires_at=None)).expires_at is None


def test_scopes_that_were_all_taken_away_are_not_kept() -> None:
    assert merged(HELD, replace(ANSWER, scopes=())).scopes == ()


def test_the_challenge_is_that_of_the_example_in_rfc_7636() -> None:
    verifier = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_verifiers_are_what_rfc_7636_asks_for_and_never_the_same() -> None:
    verifiers = {new_verifier().reveal() for _ in range(50)}
    assert len(verifiers) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", one) for one in verifiers)


@pytest.mark.parametrize(
    ("scope", "good"),
    [("https://example.org/auth/mail.readonly", True), ("a b", False), ('a"', False), ("", False)],
)
def test_a_scope_is_a_token_of_rfc_6749(scope: str, good: bool) -> None:
    assert bool(re.fullmatch(SCOPE_TOKEN, scope)) is good
