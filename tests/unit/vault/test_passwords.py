"""Passwords, with as little memory as Argon2id allows, so that the tests are quick."""

from __future__ import annotations

from threading import Thread

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from atom_backend.errors import StoredDataError
from atom_backend.vault.passwords import Argon2idPasswords

PASSWORDS = Argon2idPasswords(memory_kib=32, iterations=1)
TYPED = st.text(max_size=40)


@given(TYPED, TYPED)
@example("\ud800", "?")
@settings(max_examples=50)
def test_a_hash_verifies_the_password_that_it_was_made_of_and_no_other(
    password: str, other: str
) -> None:
    hashed = PASSWORDS.hash(password)
    assert PASSWORDS.verify(password, hashed)
    assert PASSWORDS.verify(other, hashed) == (other == password)


def test_a_very_long_password_counts_to_its_last_letter() -> None:
    hashed = PASSWORDS.hash("a" * 5_000)
    assert PASSWORDS.verify("a" * 5_000, hashed)
    assert not PASSWORDS.verify("a" * 4_999 + "b", hashed)


def test_the_same_password_is_hashed_differently_every_time() -> None:
    assert len({PASSWORDS.hash("correct horse") for _ in range(10)}) == 10


def test_a_hash_names_its_algorithm_and_cost_and_not_the_password() -> None:
    hashed = PASSWORDS.hash("correct-horse")
    assert hashed.startswith("$argon2id$v=19$m=32,t=1,p=4$")
    assert "correct" not in hashed


def test_without_parameters_the_cost_is_what_rfc_9106_recommends() -> None:
    assert Argon2idPasswords().hash("x").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_hash_made_at_another_cost_is_still_verified() -> None:
    older = Argon2idPasswords(memory_kib=64, iterations=2).hash("correct horse")
    assert PASSWORDS.verify("correct horse", older)
    assert not PASSWORDS.verify("wrong horse", older)


@pytest.mark.parametrize("place", range(0, 85, 7))
def test_a_damaged_hash_verifies_nothing(place: int) -> None:
    hashed = PASSWORDS.hash("correct horse")
    assert place < len(hashed)
    for damaged in (hashed[:place], hashed[:place] + "!" + hashed[place + 1 :]):
        assert not PASSWORDS.verify("correct horse", damaged)


@pytest.mark.parametrize("hashed", ["", "correct horse", "$2b$12$abcdefghijklmnopqrstuv"])
def test_what_is_no_argon2id_hash_verifies_nothing(hashed: str) -> None:
    assert not PASSWORDS.verify("correct horse", hashed)
    assert not PASSWORDS.verify(hashed, hashed)


def test_a_hash_with_impossible_parameters_is_an_error_of_stored_data() -> None:
    impossible = PASSWORDS.hash("correct horse").replace("m=32", "m=1")
    with pytest.raises(StoredDataError) as raised:
        PASSWORDS.verify("correct horse", impossible)
    assert "$argon2id" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_many_logins_at_once_neither_fail_nor_wait_for_ever() -> None:
    hashed = PASSWORDS.hash("correct horse")
    answers: list[bool] = []

    def log_in_often() -> None:
        for _ in range(50):
            PASSWORDS.hash("another")
            answers.append(PASSWORDS.verify("correct horse", hashed))

    threads = [Thread(target=log_in_often, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [True] * 200
