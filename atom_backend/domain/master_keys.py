"""The keys that an operator gives to the vault, read and judged.

Invariant: a ``MasterKey`` is 32 bytes in which no pattern was seen; whatever is wrong with a key is
said without showing any of it.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

KEY_BYTES = 32
_FEWEST_DISTINCT = 8
_LONGEST_PERIOD = KEY_BYTES // 2
_MOST_STEPS = 20
"""Of the 31 steps from one byte to the next, those that go on counting or repeating; 32 random
hexadecimal digits have 6 on average."""
_PLACEHOLDERS = (
    "changeme", "changethis", "default", "dummykey", "encryption", "example", "insecure", "master",
    "password", "placeholder", "qwerty", "replace", "sample", "secret", "testkey", "yourkey",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key of the keyring; everything else is derived from it (``vault/keyring.py``)."""

    material: bytes = field(repr=False)


def generate_key() -> str:
    """A fresh random key, as a setting takes it: 32 bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def read_key(text: str) -> MasterKey:
    """32 characters of ASCII, or the base64 (RFC 4648, section 4 or 5) of 32 bytes.

    Raises ValueError with what is wrong: a clause that goes on after "the key".
    """
    plain = len(text) == KEY_BYTES and text.isascii()
    material = text.encode() if plain else _decoded(text)
    weakness = _weakness(material)
    if weakness:
        raise ValueError(f"is too easily guessed: {weakness}")
    return MasterKey(material)


def read_keys(texts: Sequence[str]) -> tuple[MasterKey, ...]:
    """Each as ``read_key``, none twice. Raises ValueError with every problem of every key."""
    keys: list[MasterKey] = []
    problems = []
    for number, text in enumerate(texts, start=1):
        named = "the key" if len(texts) == 1 else f"key {number}"
        try:
            key = read_key(text.strip())
        except ValueError as error:
            problems.append(f"{named} {error}")
            continue
        if key in keys:
            problems.append(f"{named} stands there twice")
        keys.append(key)
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(keys)


def _decoded(text: str) -> bytes:
    try:
        ordinary = text.strip().translate(str.maketrans("-_", "+/")).rstrip("=")
        padded = ordinary + "=" * (-len(ordinary) % 4)
        material = base64.b64decode(padded.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        material = b""
    if len(material) != KEY_BYTES:
        raise ValueError("is neither 32 characters of ASCII nor the base64 of 32 bytes")
    return material


def _weakness(key: bytes) -> str | None:
    if len(set(key)) < _FEWEST_DISTINCT:
        return f"it has fewer than {_FEWEST_DISTINCT} different characters"
    if any(_repeats(key, period) for period in range(1, _LONGEST_PERIOD + 1)):
        return "it repeats itself"
    steps = [after - before for before, after in pairwise(key)]
    if sum(step in (-1, 0, 1) for step in steps) > _MOST_STEPS:
        return "it counts up or down"
    letters = re.sub(r"[^a-z]", "", key.decode("latin-1").lower())
    if any(word in letters for word in _PLACEHOLDERS):
        return "it holds a word that stands in examples"
    return None


def _repeats(key: bytes, period: int) -> bool:
    return all(byte == key[index % period] for index, byte in enumerate(key))
