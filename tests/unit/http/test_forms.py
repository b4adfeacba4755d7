"""Multipart forms: a file with fields, read as strictly as JSON."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.unit.http.tiny import GOOD, client


def send(**fields: Any) -> Any:
    return client().post("/things", data=fields, headers=GOOD, content_type="multipart/form-data")


def file(content: bytes = b"hello") -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), "a.txt"


def raw(body: bytes, boundary: str = "B") -> Any:
    content_type = (
        f"multipart/form-data; boundary={boundary}" if boundary else "multipart/form-data"
    )
    return client().post("/things", data=body, headers=GOOD, content_type=content_type)


def part(name: str, content: bytes, more: str = "") -> bytes:
    head = f'--B\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


FILE = part("file", b"hello", '; filename="a.txt"')


def test_a_file_comes_with_fields() -> None:
    answer = send(file=file(), name="n", tags=["a, b", "c"], metadata='{"x": [1]}')
    assert answer.json["got"] == {
        "name": "n",
        "tags": ["a", "b", "c"],
        "metadata": {"x": [1]},
        "size": 5,
        "file": "a.txt",
    }


def test_a_file_alone_is_enough() -> None:
    assert raw(FILE + b"--B--\r\n").json["got"]["size"] == 5


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": "n"}, "/file"),
        ({"file": "text, not a file"}, "/file"),
        ({"file": file(), "nmae": "n"}, "/nmae"),
        ({"file": file(), "other": file()}, "/other"),
        ({"file": file(), "name": " "}, "/name"),
        ({"file": file(), "name": "a\x00b"}, "/name"),
        ({"file": file(), "tags": "a, a"}, "/tags"),
        ({"file": file(), "metadata": "no json"}, "/metadata"),
        ({"file": file(), "metadata": "[1]"}, "/metadata"),
        ({"file": file(), "metadata": '{"x":1,"x":2}'}, "/metadata"),
        ({"file": file(), "metadata": '{"x":"\\ud800"}'}, "/metadata"),
        ({"file": file(), "metadata": '{"x":"\\u0000"}'}, "/metadata"),
    ],
)
def test_a_field_that_is_not_valid_is_named(fields: dict[str, Any], pointer: str) -> None:
    fresh = {name: file() if isinstance(one, tuple) else one for name, one in fields.items()}
    answer = send(**fresh)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)


def test_a_field_that_is_not_utf8_is_refused_instead_of_repaired() -> None:
    answer = raw(FILE + part("name", b"\xff") + b"--B--\r\n")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/name")


@pytest.mark.parametrize("name", ["name", "file"])
def test_a_single_field_given_twice_is_refused(name: str) -> None:
    twice = part("name", b"n") * 2 if name == "name" else FILE
    answer = raw(FILE + twice + b"--B--\r\n")
    assert (answer.status_code, answer.json["code"]) == (400, "repeated_parameter")


@pytest.mark.parametrize(
    ("body", "boundary"),
    [(FILE, "B"), (b"nonsense", "B"), (FILE[:-12], "B"), (FILE + b"--B--\r\n", "")],
)
def test_a_form_that_breaks_off_is_refused(body: bytes, boundary: str) -> None:
    answer = raw(body, boundary)
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_request")


def test_a_file_that_is_too_large_is_refused() -> None:
    answer = send(file=file(b"x" * 16_000))
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_a_form_of_very_many_parts_is_refused() -> None:
    assert raw(FILE + part("tags", b"") * 199 + b"--B--\r\n").status_code == 200
    assert raw(FILE + part("tags", b"") * 200 + b"--B--\r\n").status_code == 413
