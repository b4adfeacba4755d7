"""API keys as texts, and what they may be given."""

from __future__ import annotations

import hashlib
import re
from uuid import UUID

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.api_keys import masked, new_key, read_key, require_grantable
from atom_backend.domain.permissions import ABOUT, NEVER_BY_KEY, SCOPES, Role, Scope
from atom_backend.domain.principals import KeyUse, Principal
from atom_backend.errors import InvalidInput, Unauthenticated

LARGEST = UUID(int=2**128 - 1)


@pytest.mark.parametrize("key_id", [UUID(int=0), LARGEST, new_id()])
def test_a_key_says_which_it_is_and_proves_it_by_its_random_part(key_id: UUID) -> None:
    secret, digest = new_key(key_id)
    assert re.fullmatch(r"atom_[0-9A-Za-z]{71}", secret.reveal())
    assert read_key(secret.reveal()) == (key_id, digest)
    assert len(digest) == hashlib.sha256().digest_size
    again, other = new_key(key_id)
    assert (again, other) != (secret, digest), "each has a random part of its own"
    assert secret.reveal().startswith(masked(key_id).removesuffix("…"))
    assert len(masked(key_id)) == len("atom_") + 22 + 1, "the random part stays hidden"


def test_any_single_mistake_in_copying_a_key_is_noticed() -> None:
    good = new_key(new_id())[0].reveal()
    wrong = [
        good[:place] + letter + good[place + 1 :]
        for place in range(len("atom_"), len(good))
        for letter in "0Zz-"
        if letter != good[place]
    ]
    swapped = good[:10] + good[11] + good[10] + good[12:]
    for text in (*wrong, good[:-1], good + "0", "atom_", "atom_" + "0" * 71, swapped):
        if text != good:
            with pytest.raises(Unauthenticated) as refusal:
                read_key(text)
            assert refusal.value.code == "damaged_api_key"


@pytest.mark.parametrize("role", Role)
def test_a_key_gets_what_its_account_may_give_away_and_nothing_else(role: Role) -> None:
    for scope in Scope:
        if scope in SCOPES[role] and scope is not Scope.ACCOUNT_MANAGE:
            assert require_grantable([scope, scope], role) == {scope}
        else:
            with pytest.raises(InvalidInput) as refusal:
                require_grantable([Scope.SEARCH, scope], role)
            (problem,) = refusal.value.problems
            assert problem.pointer == "/scopes/1"
            assert scope in problem.detail


def test_a_key_never_has_more_than_its_account_and_never_what_no_key_may() -> None:
    everything = KeyUse(new_id(), frozenset(Scope))
    for role in Role:
        principal = Principal(new_id(), None, role, everything)
        assert principal.scopes == SCOPES[role] - NEVER_BY_KEY
        little = Principal(new_id(), None, role, KeyUse(new_id(), frozenset({Scope.ADMIN_READ})))
        assert little.scopes == SCOPES[role] & {Scope.ADMIN_READ}


def test_only_administrators_have_scopes_of_administration() -> None:
    special = {scope for scope in Scope if scope.startswith("admin:")} | {Scope.GRANTS_TOKEN_ANY}
    assert special & SCOPES[Role.USER] == set()
    assert special & SCOPES[Role.SERVICE] == {Scope.GRANTS_TOKEN_ANY}
    assert special & SCOPES[Role.ADMIN] == {Scope.ADMIN_READ, Scope.ADMIN_WRITE}
    assert ABOUT.keys() == set(Scope)
