"""Which passwords are accepted."""

from __future__ import annotations

import pytest

from atom_backend.domain.passwords import require_acceptable
from atom_backend.errors import InvalidInput

EMAIL = "Ada.Lovelace@example.org"


@pytest.mark.parametrize(
    "password",
    [
        "password123",
        "Password123",
        "QWERTYUIOP",
        "1234567890",
        "0987654321",
        "abcdefghijkl",
        "aaaaaaaaaa",
        "abcabcabcabc",
        "7777777777",
        "1212121212",
        "ada.lovelace@example.org",
        "ADA.LOVELACE",
        "short",
        "",
    ],
)
def test_a_password_that_is_guessed_first_is_refused_where_it_stands(password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_acceptable(password, EMAIL, pointer="/new_password")
    assert refused.value.code == "unacceptable_password"
    assert [one.pointer for one in refused.value.problems] == ["/new_password"]
    assert not password or password not in str(refused.value.problems)


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "all lower case", "12345 67890", "1357913579135", "ääääööööüüüü"],
)
def test_any_other_long_one_is_accepted_whatever_it_is_made_of(password: str) -> None:
    require_acceptable(password, EMAIL, pointer="/password")
