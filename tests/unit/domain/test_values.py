"""The small decisions of the domain: states, preconditions, secrets, health, partial changes."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from atom_backend.domain.accounts import (
    TokenPair,
    new_refresh_token,
    normalized_email,
    refresh_digest,
)
from atom_backend.domain.health import Health, Probe, Status
from atom_backend.domain.index_state import EntryState, IndexState, as_seen_by_users
from atom_backend.domain.permissions import Role
from atom_backend.domain.preconditions import IfMatch
from atom_backend.domain.principals import OwnerScope, Principal
from atom_backend.domain.search import SearchFilter
from atom_backend.errors import PreconditionFailed

UP = Probe(Status.HEALTHY, 1.0)
DOWN = Probe(Status.UNHEALTHY, 2000.0, "no answer")


def test_a_user_sees_every_state_of_an_entry_and_a_lease_as_pending() -> None:
    assert {state: as_seen_by_users(state) for state in EntryState} == {
        EntryState.DUE: IndexState.PENDING,
        EntryState.LEASED: IndexState.PENDING,
        EntryState.SETTLED: IndexState.INDEXED,
        EntryState.PARKED: IndexState.PARKED,
    }


@given(st.frozensets(st.integers(1, 9)), st.integers(1, 9))
def test_if_match_lets_a_write_replace_only_a_named_revision(
    named: frozenset[int], current: int
) -> None:
    if current in named:
        IfMatch(named).check(current)
    else:
        with pytest.raises(PreconditionFailed, match=f'"{current}"'):
            IfMatch(named).check(current)


def test_if_match_with_a_star_takes_any_revision_that_exists() -> None:
    IfMatch(None).check(7)
    with pytest.raises(PreconditionFailed):
        IfMatch(None).check(None)


def test_if_match_fails_where_there_is_nothing() -> None:
    with pytest.raises(PreconditionFailed, match="nothing"):
        IfMatch(frozenset({1})).check(None)


def test_a_refresh_token_is_new_long_and_recognisable() -> None:
    tokens = {new_refresh_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(token.startswith("atr_") and len(token) == 4 + 43 for token in tokens)


def test_a_refresh_token_is_stored_as_its_sha_256_and_nothing_else() -> None:
    token = new_refresh_token()
    assert refresh_digest(token) == hashlib.sha256(token.encode()).digest()


@given(st.text(max_size=20))
@example("\ud800")
def test_whatever_a_client_sends_as_a_refresh_token_has_a_digest(token: str) -> None:
    assert len(refresh_digest(token)) == 32


def test_a_token_pair_does_not_print_its_tokens() -> None:
    pair = TokenPair("the-access-token", "the-refresh-token", 900)
    for printed in (repr(pair), str(pair), f"{pair}", f"{[pair]}"):
        assert "the-" not in printed


@pytest.mark.parametrize("email", ["Ann@Example.org", " ann@example.ORG ", "ANN@EXAMPLE.ORG"])
def test_an_address_is_unique_without_regard_to_case(email: str) -> None:
    assert normalized_email(email) == "ann@example.org"


@pytest.mark.parametrize(
    ("postgresql", "lancedb", "embedder", "vault"), list(itertools.product([UP, DOWN], repeat=4))
)
def test_the_service_is_ready_unless_neither_store_can_serve(
    postgresql: Probe, lancedb: Probe, embedder: Probe, vault: Probe
) -> None:
    health = Health(postgresql, lancedb, embedder, vault)
    assert health.ready == (UP in (postgresql, lancedb))
    if postgresql is lancedb is embedder is vault is UP:
        assert health.status is Status.HEALTHY
    elif postgresql is lancedb is DOWN:
        assert health.status is Status.UNHEALTHY
    else:
        assert health.status is Status.DEGRADED


def test_a_part_that_is_degraded_makes_the_whole_degraded() -> None:
    assert Health(UP, Probe(Status.DEGRADED, 1.0), UP, UP).status is Status.DEGRADED


@pytest.mark.parametrize(
    "conditions",
    [
        SearchFilter(tags=("a",)),
        SearchFilter(source="mail"),
        SearchFilter(source=""),
        SearchFilter(created_after=datetime(2026, 1, 1, tzinfo=UTC)),
        SearchFilter(created_before=datetime(2026, 1, 1, tzinfo=UTC)),
        SearchFilter(metadata={"project": None}),
    ],
)
def test_a_filter_with_any_condition_is_not_empty(conditions: SearchFilter) -> None:
    assert not conditions.empty


def test_a_filter_without_a_condition_is_empty() -> None:
    assert SearchFilter().empty
    assert SearchFilter(tags=(), metadata={}).empty


@pytest.mark.parametrize("role", list(Role))
def test_every_role_is_confined_to_its_own_partition(role: Role) -> None:
    mine = UUID(int=1)
    assert Principal(mine, UUID(int=2), role).scope == OwnerScope(mine)
