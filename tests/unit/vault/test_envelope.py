"""Sealed secrets: they open at their place, under their key, unchanged, and in no other way."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.domain.master_keys import MasterKey, generate_key, read_key
from atom_backend.domain.secrets import Place, Secret
from atom_backend.errors import InvalidInput, StoredDataError, VaultUnavailable
from atom_backend.vault.keyring import Keyring
from atom_backend.vault.sealer import EnvelopeSealer

OLD, NEW = (MasterKey(bytes(range(start, start + 32))) for start in (0, 100))
PLACE = Place("oauth_grants", UUID(int=1), "access_token", UUID(int=2))
TOKEN = Secret("ya29.a0-token")
SEALED_ONCE = bytes.fromhex(
    "01fd01cb6e4eadd5182c68cf4c12b56f8e5e46915ebe277abbcf1b68b24a6933ab3e76c8190397b87718cf77"
    "8eecae7d6389b92be095b250b1201d360363428b207a9645ae48bdbbbfbaa7883af79e82aa3e920aa3bae3ac"
    "51bbe329b999296937ad"
)


def vault(*keys: MasterKey) -> EnvelopeSealer:
    return EnvelopeSealer(Keyring(keys))


@given(st.text())
def test_what_is_sealed_opens_at_its_place(text: str) -> None:
    sealed = vault(OLD).seal(Secret(text), PLACE)
    assert vault(OLD).open(sealed, PLACE) == Secret(text)


def test_nothing_of_a_secret_is_seen_in_what_is_sealed_and_no_two_are_alike() -> None:
    one, other = (vault(OLD).seal(TOKEN, PLACE) for _ in range(2))
    assert TOKEN.reveal().encode() not in one
    assert one[9:] != other[9:]
    assert one[-20:] != other[-20:]


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(PLACE, table="oauth_flows"),
        replace(PLACE, row_id=UUID(int=3)),
        replace(PLACE, column="refresh_token"),
        replace(PLACE, owner_id=UUID(int=3)),
        replace(PLACE, row_id=PLACE.owner_id, owner_id=PLACE.row_id),
    ],
    ids=["table", "row", "column", "owner", "row and owner swapped"],
)
def test_what_was_moved_elsewhere_does_not_open(elsewhere: Place) -> None:
    sealed = vault(OLD).seal(TOKEN, PLACE)
    for attempt in (vault(OLD).open, vault(NEW, OLD).rewrap):
        with pytest.raises(StoredDataError):
            attempt(sealed, elsewhere)


def test_places_whose_names_run_into_each_other_are_told_apart() -> None:
    one = Place("table", UUID(bytes=b"row" * 5 + b"!"), "column", UUID(int=2))
    other = Place("tabler", UUID(bytes=b"ow" + b"row" * 4 + b"!c"), "olumn", UUID(int=2))
    with pytest.raises(StoredDataError):
        vault(OLD).open(vault(OLD).seal(TOKEN, one), other)


def test_what_was_sealed_by_the_first_version_opens_for_ever() -> None:
    assert vault(OLD).open(SEALED_ONCE, PLACE) == TOKEN


def test_no_bit_can_be_changed() -> None:
    sealed = vault(OLD).seal(TOKEN, PLACE)
    for position in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[position // 8] ^= 1 << position % 8
        for attempt in (vault(OLD).open, vault(NEW, OLD).rewrap):
            with pytest.raises((StoredDataError, VaultUnavailable)):
                attempt(bytes(changed), PLACE)


def test_nothing_can_be_cut_off_or_added() -> None:
    sealed = vault(OLD).seal(TOKEN, PLACE)
    for changed in [*(sealed[:length] for length in range(len(sealed))), sealed + b"\0"]:
        with pytest.raises(StoredDataError):
            vault(OLD).open(changed, PLACE)


def test_the_parts_of_two_seals_of_one_place_do_not_fit_together() -> None:
    one, other = (vault(OLD).seal(TOKEN, PLACE) for _ in range(2))
    body = len(one) - len(TOKEN.reveal()) - 16
    with pytest.raises(StoredDataError):
        vault(OLD).open(one[:body] + other[body:], PLACE)


def test_the_first_key_writes_and_every_key_reads() -> None:
    before, after = vault(OLD), vault(NEW, OLD)
    sealed = before.seal(TOKEN, PLACE)
    assert after.open(sealed, PLACE) == TOKEN
    fresh = after.seal(TOKEN, PLACE)
    assert (after.key_id(sealed), after.key_id(fresh)) == (before.key_ids[0], after.key_ids[0])
    assert after.key_ids[0] != after.key_ids[1] == before.key_ids[0]


def test_a_secret_under_a_key_that_is_not_there_says_which_and_is_no_damage() -> None:
    sealed = vault(OLD).seal(TOKEN, PLACE)
    for attempt in (vault(NEW).open, vault(NEW).rewrap):
        with pytest.raises(VaultUnavailable, match=vault(OLD).key_ids[0]) as raised:
            attempt(sealed, PLACE)
        assert raised.value.code == "vault_key_wrong"


def test_rewrapping_hands_a_secret_to_the_key_that_writes_and_leaves_the_body() -> None:
    sealed = vault(OLD).seal(TOKEN, PLACE)
    rewrapped = vault(NEW, OLD).rewrap(sealed, PLACE)
    assert vault(NEW).open(rewrapped, PLACE) == TOKEN
    assert rewrapped[69:] == sealed[69:]
    assert vault(NEW, OLD).rewrap(rewrapped, PLACE) is rewrapped
    with pytest.raises(VaultUnavailable):
        vault(OLD).open(rewrapped, PLACE)


def test_a_text_without_utf_8_is_refused_and_not_told() -> None:
    with pytest.raises(InvalidInput) as raised:
        vault(OLD).seal(Secret("canary\ud800"), PLACE)
    assert "canary" not in str(raised.value)


def test_without_a_key_nothing_is_sealed_or_opened() -> None:
    sealed = vault(OLD).seal(TOKEN, PLACE)
    with pytest.raises(VaultUnavailable) as raised:
        vault().seal(TOKEN, PLACE)
    assert raised.value.code == "vault_key_missing"
    for attempt in (vault().open, vault().rewrap):
        with pytest.raises(VaultUnavailable):
            attempt(sealed, PLACE)
    assert vault().key_ids == ()
    assert vault().key_id(sealed) == vault(OLD).key_ids[0]


def test_generated_keys_are_taken_and_differ() -> None:
    one, other = (read_key(generate_key()) for _ in range(2))
    assert vault(one).key_ids != vault(other).key_ids


@pytest.mark.parametrize(
    ("plaintext", "associated", "sealed"),
    [
        ("", "", "07f5f4169bbf55a8400cd47ea6fd400f"),
        ("0100000000000000", "", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
        ("0200000000000000", "01", "1de22967237a813291213f267e3b452f02d01ae33e4ec854"),
    ],
)
def test_the_cipher_is_that_of_rfc_8452_appendix_c_2(
    plaintext: str, associated: str, sealed: str
) -> None:
    key, nonce = bytes.fromhex("01" + "00" * 31), bytes.fromhex("03" + "00" * 11)
    cipher = AESGCMSIV(key)
    given = (nonce, bytes.fromhex(plaintext), bytes.fromhex(associated))
    assert cipher.encrypt(*given).hex() == sealed
