"""Query strings and path parameters are read strictly."""

from __future__ import annotations

import pytest

from tests.unit.http.tiny import GOOD, USER, client


def test_parameters_are_understood() -> None:
    answer = client().get(
        "/things?limit=5&tag=a&tag=b%20c&since=2030-01-31T10:00:00Z&deep=true&least=0.5",
        headers=GOOD,
    )
    assert answer.json["got"] == {
        "limit": 5,
        "tag": ["a", "b c"],
        "since": "2030-01-31T10:00:00.000000Z",
        "deep": True,
        "least": 0.5,
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limt=5", "unknown_parameter"),
        ("limit=5&x=", "unknown_parameter"),
        ("limit=5&limit=5", "repeated_parameter"),
        ("tag=%FF", "malformed_request"),
        ("&".join(["tag=a"] * 201), "malformed_request"),
    ],
)
def test_what_cannot_be_understood_is_refused(query: str, code: str) -> None:
    answer = client().get(f"/things?{query}", headers=GOOD)
    assert (answer.status_code, answer.json["code"]) == (400, code)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=", "/limit"),
        ("limit=21", "/limit"),
        ("limit=1_0", "/limit"),
        ("limit=%2010", "/limit"),
        ("limit=%2B5", "/limit"),
        ("limit=5.0", "/limit"),
        ("limit=" + "9" * 5000, "/limit"),
        ("deep=1", "/deep"),
        ("deep=yes", "/deep"),
        ("least=nan", "/least"),
        ("least=1e999", "/least"),
        ("since=0", "/since"),
        ("since=2030-01-31", "/since"),
        ("tag=a%00b", "/tag/0"),
        ("tag=", "/tag/0"),
    ],
)
def test_a_value_that_is_not_valid_is_named(query: str, pointer: str) -> None:
    answer = client().get(f"/things?{query}", headers=GOOD)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")
    assert answer.json["errors"][0]["pointer"] == pointer


def test_a_route_without_parameters_refuses_all() -> None:
    assert client().get("/open?x=1").json["code"] == "unknown_parameter"


@pytest.mark.parametrize(
    "spelling",
    ["x", str(USER).replace("-", ""), f"{{{USER}}}", f"urn:uuid:{USER}", f"{USER} ", f"{USER}\n"],
)
def test_a_malformed_identifier_names_nothing(spelling: str) -> None:
    environ = {"PATH_INFO": f"/things/{spelling}"}
    answer = client().get("/", headers=GOOD, environ_overrides=environ)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_a_word_beside_identifiers_knows_only_its_own_methods() -> None:
    answer = client().patch("/things/special", headers=GOOD)
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert "PATCH" not in answer.headers["Allow"]


def test_an_identifier_may_be_in_capitals() -> None:
    assert client().get(f"/things/{str(USER).upper()}", headers=GOOD).json["got"] == str(USER)


@pytest.mark.parametrize("name", ["parts", "a/b", "/a", "a//b", "a/", "ä ö", "by-name/x"])
def test_a_name_in_the_path_may_hold_anything(name: str) -> None:
    environ = {"PATH_INFO": f"/things/by-name/{name}".encode().decode("latin-1")}
    answer = client().get("/", headers=GOOD, environ_overrides=environ)
    assert answer.json["got"] == name


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"/things/by-name/\xff", 400),
        (b"/things/by-name/a\x00b", 422),
        (b"/things/by-name/" + b"x" * 513, 422),
        (b"/things/by-name/", 404),
        (b"/things/", 404),
        (b"/things//parts", 404),
    ],
)
def test_a_path_that_cannot_be_read_is_refused(path: bytes, status: int) -> None:
    environ = {"PATH_INFO": path.decode("latin-1")}
    answer = client().get("/", headers=GOOD, environ_overrides=environ)
    assert answer.status_code == status
