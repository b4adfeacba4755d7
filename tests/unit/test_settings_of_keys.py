"""The settings of the token vault's keys: read together, and every problem said at once."""

from __future__ import annotations

import pytest

from atom_backend.domain.master_keys import generate_key, read_key
from atom_backend.errors import ConfigurationError
from atom_backend.settings import Settings

CHARACTERS = "kX9#vT2qLm7!wRz4Bn8$hJc5Yd3%pGs6"
ONE, OTHER = generate_key(), generate_key()
SINGLE, SEVERAL = "ATOM_OAUTH_ENCRYPTION_KEY", "ATOM_OAUTH_ENCRYPTION_KEYS"


def problems(**environment: str) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_environment(environment)
    return list(raised.value.problems)


@pytest.mark.parametrize(
    ("environment", "keys"),
    [
        ({}, []),
        ({SINGLE: ""}, []),
        ({SINGLE: ONE}, [ONE]),
        ({SEVERAL: ONE}, [ONE]),
        ({SEVERAL: f" {ONE} ,{OTHER}"}, [ONE, OTHER]),
        ({SEVERAL: f"{OTHER},{ONE}"}, [OTHER, ONE]),
    ],
)
def test_the_keys_are_read_in_their_order(environment: dict[str, str], keys: list[str]) -> None:
    assert Settings.from_environment(environment).vault_keys == tuple(map(read_key, keys))


def test_everything_that_is_wrong_with_keys_is_said_at_once_with_all_else() -> None:
    weak = "0123456789abcdef" * 2
    found = problems(**{SEVERAL: f"{ONE},short,{weak},{ONE},", "ATOM_PORT": "x"})
    assert len(found) == 2
    said = next(one for one in found if one.startswith(f"{SEVERAL}: "))
    for part in ("key 2 is neither", "key 3 is too easily", "key 4 stands there twice", "key 5 is"):
        assert part in said
    assert "keys generate" in said
    assert ONE not in said
    assert weak not in said


def test_one_key_and_several_exclude_each_other() -> None:
    (found,) = problems(**{SINGLE: ONE, SEVERAL: f"{ONE},{OTHER}"})
    assert found.startswith(f"{SINGLE}: leave it out")


@pytest.mark.parametrize("name", [SINGLE, SEVERAL])
def test_the_key_that_signs_does_not_encrypt_too(name: str) -> None:
    (found,) = problems(**{name: CHARACTERS, "ATOM_SIGNING_KEY": CHARACTERS})
    assert found.startswith("ATOM_SIGNING_KEY: use another key")


def test_settings_do_not_show_keys() -> None:
    assert CHARACTERS not in repr(Settings.from_environment({SINGLE: CHARACTERS}))
