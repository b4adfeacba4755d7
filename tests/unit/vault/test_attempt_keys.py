"""What attempts are counted under tells nothing of what was tried."""

from __future__ import annotations

from atom_backend.vault.attempt_keys import KeyedAttempts

KEYS = KeyedAttempts(b"a signing key of 32 bytes or more")


def test_every_list_of_parts_has_a_key_of_its_own_and_keeps_it() -> None:
    parts = [("login", "a"), ("login", "b"), ("account", "a"), ("login", "a", ""), ("login", "a,b")]
    parts += [("login", "a", "b"), ('login","a', ""), ("login", "\x00"), ("login", "\ud800")]
    keys = [KEYS.key(*one) for one in parts]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {32}
    assert keys == [KEYS.key(*one) for one in parts]


def test_another_signing_key_gives_other_keys() -> None:
    assert KeyedAttempts(b"another key").key("login", "a") != KEYS.key("login", "a")
