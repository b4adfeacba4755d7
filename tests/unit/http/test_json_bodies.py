"""JSON bodies are read strictly: what two parsers could understand differently is refused."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.unit.http.tiny import GOOD, USER, client, send_json


def test_a_plain_body_is_understood() -> None:
    answer = send_json(
        "/things", '{"name":"a","count":40.0,"tags":["x"],"when":"2030-01-31T10:00:00+01:00"}'
    )
    assert answer.status_code == 200
    got = answer.json["got"]
    assert (got["count"], got["tags"], got["when"]) == (40, ["x"], "2030-01-31T09:00:00.000000Z")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "missing_body"),
        ("{", "malformed_request"),
        ('{"name":"a"} x', "malformed_request"),
        ('{"name":"a","name":"b"}', "duplicate_key"),
        ('{"name":"a","metadata":{"x":1,"x":1}}', "duplicate_key"),
        ('{"name":"a","ratio":NaN}', "malformed_request"),
        ('{"name":"a","metadata":{"x":-Infinity}}', "malformed_request"),
        ('{"name":"\\ud800"}', "malformed_request"),
        ('{"name":"a","count":' + "9" * 5000 + "}", "too_large"),
        (b'\xef\xbb\xbf{"name":"a"}', "malformed_request"),
        (b'{"name":"\xff"}', "malformed_request"),
        (b'{"name":"\xed\xa0\x80"}', "malformed_request"),
        ('{"name":"a"}'.encode("utf-16"), "malformed_request"),
        ('{"name":' + "[" * 300 + "]" * 300 + "}", "malformed_request"),
        ("[" * 990, "malformed_request"),
    ],
)
def test_what_cannot_be_read_is_refused(body: str | bytes, code: str) -> None:
    answer = send_json("/things", body)
    assert answer.json["code"] == code
    assert answer.status_code == (413 if code == "too_large" else 400)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("[]", ""),
        ('{"name":"a","nmae":1}', "/nmae"),
        ('{"name":"a","a/b~":1}', "/a~1b~0"),
        ("{}", "/name"),
        ('{"name":null}', "/name"),
        ('{"name":" \\n"}', "/name"),
        ('{"name":"' + "x" * 513 + '"}', "/name"),
        ('{"name":"a\\u0000b"}', "/name"),
        ('{"name":"a","metadata":{"x":["\\u0000"]}}', "/metadata/x/0"),
        ('{"name":"a","metadata":{"\\u0000":1}}', "/metadata/\x00"),
        ('{"name":"a","count":"5"}', "/count"),
        ('{"name":"a","count":5.5}', "/count"),
        ('{"name":"a","count":true}', "/count"),
        ('{"name":"a","count":101}', "/count"),
        ('{"name":"a","ratio":1e400}', "/ratio"),
        ('{"name":"a","ratio":"1"}', "/ratio"),
        ('{"name":"a","when":0}', "/when"),
        ('{"name":"a","when":"2030-01-31"}', "/when"),
        ('{"name":"a","when":"2030-01-31T10:00:00"}', "/when"),
        ('{"name":"a","when":"2030-02-31T10:00:00Z"}', "/when"),
        ('{"name":"a","when":"0001-01-01T00:00:00+01:00"}', "/when"),
        ('{"name":"a","tags":["x","x"]}', "/tags"),
        ('{"name":"a","tags":["x",""]}', "/tags/1"),
        ('{"name":"a","metadata":{"x":1e400}}', "/metadata"),
        ('{"name":"a","metadata":{"x":9223372036854775808}}', "/metadata"),
        ('{"name":"a","metadata":' + '{"x":' * 17 + "1" + "}" * 17 + "}", "/metadata"),
    ],
)
def test_what_is_not_valid_is_named_by_a_pointer(body: str, pointer: str) -> None:
    answer = send_json("/things", body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert send_json("/things", r'{"name":"\\u0000"}').json["got"]["name"] == "\\u0000"


def test_a_long_list_of_mistakes_is_cut() -> None:
    body = "{" + ",".join(f'"f{n}":1' for n in range(90)) + "}"
    assert len(send_json("/things", body).json["errors"]) == 50


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/json; charset=latin-1", "application/jsonx", ""],
)
def test_another_content_type_is_refused(content_type: str) -> None:
    answer = send_json("/things", '{"name":"a"}', Content_Type=content_type)
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "APPLICATION/JSON"])
def test_the_same_content_type_may_be_spelt_differently(content_type: str) -> None:
    assert send_json("/things", '{"name":"a"}', Content_Type=content_type).status_code == 200


def test_a_compressed_body_is_refused() -> None:
    answer = send_json("/things", '{"name":"a"}', Content_Encoding="gzip")
    assert answer.status_code == 415


def test_a_missing_body_without_content_type_is_called_missing() -> None:
    answer = client().post("/things", headers=GOOD)
    assert (answer.status_code, answer.json["code"]) == (400, "missing_body")


def chunked(raw: bytes, announced: str | None = None) -> Any:
    """A body as gunicorn gives it: its stream ends by itself."""
    environ = {"wsgi.input": io.BytesIO(raw), "wsgi.input_terminated": True}
    if announced is not None:
        environ["CONTENT_LENGTH"] = announced
    headers = {**GOOD, "Content-Type": "application/json"}
    return client().post("/things", headers=headers, environ_overrides=environ)


def test_a_body_that_is_too_large_is_refused_unread_by_its_announced_length() -> None:
    answer = chunked(b"", announced="1001")
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_a_body_that_is_too_large_is_refused_also_without_an_announced_length() -> None:
    full = b'{"name":"a"' + b" " * 988 + b"}"
    assert chunked(full).status_code == 200
    assert chunked(full + b" ").status_code == 413


def test_a_body_cut_short_is_not_taken_for_a_whole_one() -> None:
    answer = chunked(b'{"name":"a"}', announced="400")
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_request")


def test_a_patch_tells_null_from_absence() -> None:
    path = f"/things/{USER}"
    both = send_json(path, '{"name":"n","note":null}', "PATCH")
    assert both.json["got"] == {"id": str(USER), "name": "n", "note": None}
    assert send_json(path, "{}", "PATCH").json["got"] == {"id": str(USER)}


def test_null_for_a_field_that_cannot_be_empty_is_refused() -> None:
    answer = send_json(f"/things/{USER}", '{"name":null}', "PATCH")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/name")


def test_a_patch_may_call_itself_a_merge_patch_and_a_create_may_not() -> None:
    merge = {"Content_Type": "application/merge-patch+json"}
    assert send_json(f"/things/{USER}", '{"name":"n"}', "PATCH", **merge).status_code == 200
    assert send_json("/things", '{"name":"n"}', **merge).status_code == 415
