"""The search for canaries finds them however a program wrote them, and wherever they stand."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from tests.promises.secrets import leaks

SECRET = "tök/+en \"of\\ 'a' coal&mine?~"

SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "json": lambda text: json.dumps(text).encode(),
    "json in json": lambda text: json.dumps(json.dumps(text)).encode(),
    "address": lambda text: quote(text, safe="").encode(),
    "form": lambda text: quote_plus(text).encode(),
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "capital hexadecimal": lambda text: text.encode().hex().upper().encode(),
    "utf-16": lambda text: text.encode("utf-16-le"),
    "utf-16 the other way": lambda text: text.encode("utf-16-be"),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_found_in_every_spelling_between_other_words(spelling: str) -> None:
    written = SPELLINGS[spelling]
    content = b"\xff\x00 before " + written(SECRET) + b" behind"
    assert leaks({"token": SECRET}, [("the log", content)]) == ["I7: token stands in the log"]
    assert (
        leaks({"token": SECRET}, [("the log", b"before " + written("another, longer secret"))])
        == []
    )


@pytest.mark.parametrize("spelling", ["base64", "base64url"])
def test_a_secret_is_found_in_the_base64_of_anything_that_holds_it(spelling: str) -> None:
    chance = random.Random(5)
    for before in range(7):
        for behind in range(7):
            around = [
                chance.randbytes(before).hex()[:before],
                chance.randbytes(behind).hex()[:behind],
            ]
            content = SPELLINGS[spelling](around[0] + SECRET + around[1])
            assert leaks({"token": SECRET}, [("it", content)]), around


def test_each_secret_is_named_once_a_place_and_never_quoted() -> None:
    twice = f"{SECRET} and {SECRET.encode().hex()}".encode()
    found = leaks({"one": SECRET, "two": "something else entirely"}, [("a", twice), ("b", twice)])
    assert found == ["I7: one stands in a", "I7: one stands in b"]
    assert SECRET not in "".join(found)


def test_an_empty_secret_is_no_secret() -> None:
    assert leaks({"nothing": ""}, [("the log", b"anything")]) == []
