"""Conditional requests, preferences and idempotency keys."""

from __future__ import annotations

import pytest

from tests.unit.http.tiny import GOOD, USER, client, send_json


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        ('"3"', 200),
        ('"1", "3"', 200),
        (' "1" ,, "3" ', 200),
        ("*", 200),
        ('"2"', 412),
        ('W/"3"', 412),
        ('"03"', 412),
        ('"something-else"', 412),
        ("3", 400),
        ('"3', 400),
        ('"3" "4"', 400),
        ('"3", *', 400),
        ("", 400),
    ],
)
def test_if_match_names_the_revisions_that_may_be_replaced(if_match: str, status: int) -> None:
    answer = send_json(f"/things/{USER}", "{}", "PATCH", If_Match=if_match)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("if_none_match", "status"),
    [('"3"', 304), ('W/"3"', 304), ('"2", "3"', 304), ("*", 304), ('"2"', 200), ("3", 400)],
)
def test_if_none_match_spares_the_body(if_none_match: str, status: int) -> None:
    headers = {**GOOD, "If-None-Match": if_none_match}
    answer = client().get(f"/things/{USER}", headers=headers)
    assert answer.status_code == status
    if status == 304:
        assert (answer.data, answer.headers["ETag"]) == (b"", '"3"')


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, wait=5", 5),
        ('WAIT = "5"; x=1', 5),
        ("wait=0", 0),
        ("wait=100000", 60),
        ("wait=2, wait=9", 2),
        ("wait=-1", None),
        ("wait=soon", None),
        ("return=minimal", None),
        ("", None),
    ],
)
def test_a_preference_is_honoured_within_bounds_or_ignored(
    prefer: str, seconds: int | None
) -> None:
    answer = send_json("/things", '{"name":"a"}', Prefer=prefer)
    assert answer.json["got"]["wait"] == seconds


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ('"abc"', "abc"),
        ("abc", "abc"),
        ('"a \\"b\\" \\\\"', 'a "b" \\'),
        ("x" * 255, "x" * 255),
    ],
)
def test_an_idempotency_key_is_a_quoted_string_or_a_bare_token(sent: str, key: str) -> None:
    answer = send_json("/things", '{"name":"a"}', Idempotency_Key=sent)
    assert answer.json["got"]["key"] == key


@pytest.mark.parametrize("sent", ["", '""', '"abc', "a b", "a,b", "ä", "x" * 256, '"a";p=1'])
def test_a_malformed_idempotency_key_is_refused(sent: str) -> None:
    answer = send_json("/things", '{"name":"a"}', Idempotency_Key=sent)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_idempotency_key")


def test_a_header_that_the_route_does_not_declare_changes_nothing() -> None:
    answer = client().get(f"/things/{USER}", headers={**GOOD, "If-Match": "nonsense"})
    assert answer.status_code == 200
