"""Access tokens: who is believed, until when, and everything that must not be believed."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.errors import ConfigurationError, Unauthenticated
from atom_backend.vault.access_tokens import SHORTEST_KEY, SignedAccessTokens

KEY = bytes(range(SHORTEST_KEY))
LIFETIME = timedelta(minutes=15)
PRINCIPAL = Principal(UUID(int=1), UUID(int=2), Role.USER)


class FrozenClock:
    """Stands still until it is moved; ``start`` is far from the machine's own time."""

    def __init__(self, start: datetime) -> None:
        self.time = start

    def now(self) -> datetime:
        return self.time


@pytest.fixture(params=[1999, 2200], ids=["long ago", "far in the future"])
def clock(request: pytest.FixtureRequest) -> FrozenClock:
    return FrozenClock(datetime(request.param, 1, 1, 12, 0, 0, 600_000, tzinfo=UTC))


@pytest.fixture
def tokens(clock: FrozenClock) -> SignedAccessTokens:
    return SignedAccessTokens(KEY, clock, lifetime=LIFETIME)


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed(claims: dict[str, Any], *, key: bytes = KEY, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm)


def signed_as_it_is(claims: dict[str, Any]) -> str:
    """Signed without the checks that the library makes of what it signs."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), KEY, algorithm="HS256")


def refusal(tokens: SignedAccessTokens, token: str) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as raised:
        tokens.read(token)
    return raised.value


@pytest.mark.parametrize("role", list(Role))
def test_a_token_says_who_its_bearer_is(tokens: SignedAccessTokens, role: Role) -> None:
    principal = Principal(UUID(int=1), UUID(int=2), role)
    assert tokens.read(tokens.issue(principal)) == principal


def test_another_process_with_the_same_key_believes_a_token(
    tokens: SignedAccessTokens, clock: FrozenClock
) -> None:
    other = SignedAccessTokens(KEY, clock, lifetime=timedelta(hours=1))
    assert other.read(tokens.issue(PRINCIPAL)) == PRINCIPAL


def test_a_token_is_believed_until_its_lifetime_is_over_and_no_longer(
    tokens: SignedAccessTokens, clock: FrozenClock
) -> None:
    token = tokens.issue(PRINCIPAL)
    clock.time += LIFETIME - timedelta(seconds=1)
    assert tokens.read(token) == PRINCIPAL
    clock.time += timedelta(seconds=1)
    assert refusal(tokens, token).code == "token_expired"
    clock.time += timedelta(days=365)
    assert refusal(tokens, token).code == "token_expired"


def test_a_token_expires_at_its_second_and_not_after_it(
    tokens: SignedAccessTokens, clock: FrozenClock
) -> None:
    token = tokens.issue(PRINCIPAL)
    clock.time = datetime.fromtimestamp(claims_of(token)["exp"], UTC)
    assert refusal(tokens, token).code == "token_expired"
    clock.time -= timedelta(microseconds=1)
    assert tokens.read(token) == PRINCIPAL


def test_the_lifetime_is_told_in_seconds(tokens: SignedAccessTokens) -> None:
    claims = claims_of(tokens.issue(PRINCIPAL))
    assert tokens.lifetime == claims["exp"] - claims["iat"] == 900


@pytest.mark.parametrize("expired", [False, True])
def test_a_token_signed_with_another_key_is_not_valid_and_never_merely_expired(
    tokens: SignedAccessTokens, clock: FrozenClock, expired: bool
) -> None:
    token = SignedAccessTokens(KEY[::-1], clock, lifetime=LIFETIME).issue(PRINCIPAL)
    clock.time += LIFETIME * expired
    assert refusal(tokens, token).code == "invalid_token"


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_no_other_algorithm_is_accepted_even_with_the_right_key(
    clock: FrozenClock, algorithm: str
) -> None:
    # A key that is long enough for each, so that only the algorithm can be the reason.
    key = KEY * 2
    tokens = SignedAccessTokens(key, clock, lifetime=LIFETIME)
    claims = claims_of(tokens.issue(PRINCIPAL))
    assert tokens.read(signed(claims, key=key)) == PRINCIPAL
    assert refusal(tokens, signed(claims, key=key, algorithm=algorithm)).code == "invalid_token"


@pytest.mark.parametrize("name", ["none", "None", "NONE", "", "RS256", None])
@pytest.mark.parametrize("keep_signature", [False, True])
def test_the_algorithm_is_never_read_from_the_token(
    tokens: SignedAccessTokens, name: str | None, keep_signature: bool
) -> None:
    _, payload, signature = tokens.issue(PRINCIPAL).split(".")
    header = encoded(json.dumps({"alg": name, "typ": "JWT"}).encode())
    token = f"{header}.{payload}.{signature if keep_signature else ''}"
    assert refusal(tokens, token).code == "invalid_token"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("aud", "another-service"),
        ("aud", ["another-service"]),
        ("iss", "another-issuer"),
        ("sub", "not-a-uuid"),
        ("sub", 7),
        ("sid", "None"),
        ("sid", None),
        ("sid", 7),
        ("role", "owner"),
        ("role", ["admin"]),
        ("exp", "soon"),
        ("exp", None),
        ("exp", float("inf")),
        ("exp", float("nan")),
    ],
)
def test_a_token_for_something_else_is_not_valid_although_we_signed_it(
    tokens: SignedAccessTokens, claim: str, value: object
) -> None:
    claims = claims_of(tokens.issue(PRINCIPAL))
    assert tokens.read(signed(claims)) == PRINCIPAL
    assert refusal(tokens, signed_as_it_is({**claims, claim: value})).code == "invalid_token"


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "role", "iat", "exp"])
def test_no_claim_may_be_missing(tokens: SignedAccessTokens, claim: str) -> None:
    claims = claims_of(tokens.issue(PRINCIPAL))
    del claims[claim]
    assert refusal(tokens, signed(claims)).code == "invalid_token"


@pytest.mark.parametrize(
    "change", [{"role": "admin"}, {"sub": str(UUID(int=9))}, {"exp": 99_999_999_999}]
)
def test_a_changed_claim_breaks_the_signature(
    tokens: SignedAccessTokens, change: dict[str, Any]
) -> None:
    header, payload, signature = tokens.issue(PRINCIPAL).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = encoded(json.dumps({**claims, **change}).encode())
    assert refusal(tokens, f"{header}.{forged}.{signature}").code == "invalid_token"


def test_no_letter_of_a_token_can_be_replaced(tokens: SignedAccessTokens) -> None:
    token = tokens.issue(PRINCIPAL)
    # The last letter carries only four bits, so that some others decode to the same signature.
    for place in range(len(token) - 1):
        other = "B" if token[place] == "A" else "A"
        tampered = token[:place] + other + token[place + 1 :]
        assert refusal(tokens, tampered).code == "invalid_token"


def test_a_token_that_is_cut_off_is_not_valid(tokens: SignedAccessTokens) -> None:
    token = tokens.issue(PRINCIPAL)
    for length in range(0, len(token), 3):
        assert refusal(tokens, token[:length]).code == "invalid_token"


@given(st.text(max_size=60))
@example("\ud800")
def test_anything_may_be_sent_as_a_token_and_is_refused_politely(sent: str) -> None:
    tokens = SignedAccessTokens(KEY, FrozenClock(datetime.now(UTC)), lifetime=LIFETIME)
    assert refusal(tokens, sent).code == "invalid_token"
    header = encoded(sent.encode("utf-8", "surrogatepass"))
    assert refusal(tokens, f"{header}.e30.AAAA").code == "invalid_token"


def test_a_header_nested_too_deeply_is_refused_politely(tokens: SignedAccessTokens) -> None:
    nested = encoded(b'{"alg":' + b"[" * 5_000)
    assert refusal(tokens, f"{nested}.e30.AAAA").code == "invalid_token"


def test_a_key_that_is_too_short_is_an_error_at_start(clock: FrozenClock) -> None:
    short = KEY[:-1]
    with pytest.raises(ConfigurationError) as raised:
        SignedAccessTokens(short, clock, lifetime=LIFETIME)
    assert "32 bytes" in str(raised.value)
    assert repr(short) not in str(raised.value)


def test_there_is_no_token_without_a_session(tokens: SignedAccessTokens) -> None:
    with pytest.raises(ValueError, match="session"):
        tokens.issue(Principal(UUID(int=1), None, Role.ADMIN))


def test_the_key_is_never_printed(clock: FrozenClock) -> None:
    key = b"a-very-recognisable-signing-key!"
    tokens = SignedAccessTokens(key, clock, lifetime=LIFETIME)
    for printed in (repr(tokens), str(tokens), f"{[tokens]}"):
        assert "recognisable" not in printed


def test_a_refusal_repeats_neither_the_token_nor_the_librarys_words(
    tokens: SignedAccessTokens,
) -> None:
    token = tokens.issue(PRINCIPAL)[:-9]
    error = refusal(tokens, token)
    assert error.message == "The access token is not valid."
    assert error.__cause__ is None
    assert error.__suppress_context__
