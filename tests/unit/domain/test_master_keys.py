"""Keys as operators give them: what is one, and what is too easily guessed."""

from __future__ import annotations

import base64
import secrets

import pytest

from atom_backend.domain.master_keys import generate_key, read_key

RANDOM = bytes.fromhex("9f3c5a07d1e8426bb07f13c2586e9ad4e1704bf6a92d83c56f0e1b7d34c8a259")
CHARACTERS = "kX9#vT2qLm7!wRz4Bn8$hJc5Yd3%pGs6"


@pytest.mark.parametrize(
    ("text", "material"),
    [
        (CHARACTERS, CHARACTERS.encode()),
        (base64.b64encode(RANDOM).decode(), RANDOM),
        (base64.urlsafe_b64encode(RANDOM).decode(), RANDOM),
        (base64.urlsafe_b64encode(RANDOM).decode().rstrip("="), RANDOM),
        (RANDOM[:16].hex(), RANDOM[:16].hex().encode()),
    ],
    ids=["characters", "base64", "url-safe", "without padding", "hexadecimal digits"],
)
def test_a_key_is_32_characters_or_the_base64_of_32_bytes(text: str, material: bytes) -> None:
    assert read_key(text).material == material


@pytest.mark.parametrize(
    "text",
    ["", "short", CHARACTERS[:-1], CHARACTERS + "x", RANDOM.hex(), "é" * 32, "é" * 16,
     "\ud800" * 32, base64.b64encode(RANDOM[:31]).decode(),
     base64.b64encode(RANDOM + b"x").decode(), "=" * 44],
)  # fmt: skip
def test_anything_else_is_no_key_and_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="neither 32 characters of ASCII nor the base64") as raised:
        read_key(text)
    assert not text or text not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    ["a" * 32, "ab" * 16, "0123456789abcdef" * 2, "0123456789abcdefghijklmnopqrstuv",
     "zyxwvutsrqponmlkjihgfedcba987654", "1234567890123456789012345678901X",
     "change-me-change-me-please-9f3c5", "My_Super_Secret_OAuth_Key_2026!!",
     "please-Replace-this-x7Kq2-9vLm4!", "qwertyuiopasdfghjklzxcvbnm123456",
     "aaaaaaaabbbbbbbbccccccccddddddd1", base64.b64encode(bytes(32)).decode(),
     base64.b64encode(bytes(range(32))).decode(), base64.b64encode(RANDOM[:8] * 4).decode(),
     base64.b64encode(b"this is the encryption key, x7Kq").decode()],
)  # fmt: skip
def test_a_key_that_is_easily_guessed_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="too easily guessed") as raised:
        read_key(text)
    assert text not in str(raised.value)


def test_random_keys_are_never_taken_for_weak() -> None:
    for _ in range(2_000):
        read_key(generate_key())
        read_key(secrets.token_hex(16))
