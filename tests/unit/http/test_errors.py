"""Every failure is a problem with a stable code, and nothing internal leaks."""

from __future__ import annotations

import inspect
import logging

import pytest

from atom_backend import errors
from atom_backend.http.errors import status_of
from tests.unit.http.tiny import GOOD, client

EXPECTED = {
    "RequestError": 400,
    "MalformedRequest": 400,
    "Unauthenticated": 401,
    "Forbidden": 403,
    "InsufficientScope": 403,
    "NotFound": 404,
    "Conflict": 409,
    "GrantRefused": 409,
    "PreconditionFailed": 412,
    "TooLarge": 413,
    "UnsupportedMedia": 415,
    "InvalidInput": 422,
    "TooManyRequests": 429,
    "DependencyError": 503,
    "DatabaseUnavailable": 503,
    "FilterUnavailable": 503,
    "VectorStoreUnavailable": 503,
    "EmbedderUnavailable": 503,
    "ProviderUnavailable": 503,
    "ProviderRefused": 502,
    "VaultUnavailable": 503,
    "StoredDataError": 500,
    "VectorStoreCorrupt": 500,
    "RefusedVector": 500,
    "ConfigurationError": 500,
    "AtomError": 500,
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_error_has_its_status(name: str) -> None:
    answer = client().get(f"/fail/{name}")
    assert (answer.status_code, answer.json["status"]) == (EXPECTED[name], EXPECTED[name])
    assert answer.content_type == "application/problem+json"
    assert {"type", "title", "status", "detail", "code", "request_id"} <= answer.json.keys()
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


def test_no_error_class_is_without_an_expectation() -> None:
    classes = inspect.getmembers(errors, inspect.isclass)
    known = {name for name, kind in classes if issubclass(kind, errors.AtomError)}
    assert known == set(EXPECTED)


def test_a_code_can_have_a_status_of_its_own() -> None:
    assert status_of(errors.Conflict(code="idempotency_key_reused")) == 422


@pytest.mark.parametrize(
    "name", ["unexpected", *(name for name, status in EXPECTED.items() if status >= 500)]
)
def test_the_words_of_an_internal_error_stay_in_the_log(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client().get(f"/fail/{name}")
    assert answer.status_code >= 500
    assert "secret words" not in answer.text
    assert "secret words" in caplog.text


def test_only_our_own_failures_are_logged_as_errors(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("NotFound", "InvalidInput", "DatabaseUnavailable"):
        client().get(f"/fail/{name}")
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
    client().get("/fail/VectorStoreCorrupt")
    assert [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_a_conflict_names_what_is_in_the_way() -> None:
    answer = client().get("/fail/conflict")
    assert (answer.json["code"], answer.json["existing_id"]) == ("name_taken", "abc")


def test_what_is_down_says_when_to_try_again() -> None:
    answer = client().get("/fail/DatabaseUnavailable")
    assert answer.headers["Retry-After"].isdigit()
    assert answer.json["detail"] == "PostgreSQL does not answer."


@pytest.mark.parametrize(("known", "said"), [(None, "5"), (7.2, "8"), (0.01, "1"), (0.0, "1")])
def test_the_time_to_try_again_is_that_of_the_error_where_it_knows_one(
    known: float | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retry(message: str) -> errors.DependencyError:
        return errors.DependencyError(message, retry_after=known)

    monkeypatch.setattr(errors, "retry", retry, raising=False)
    assert client().get("/fail/retry").headers["Retry-After"] == said


def test_an_unknown_address_is_a_problem_too() -> None:
    answer = client().get("/nowhere", headers=GOOD)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "TRACE", "BREW"])
def test_another_method_is_told_which_are_known(method: str) -> None:
    answer = client().open("/things", method=method)
    assert (answer.status_code, answer.get_json()["code"]) == (405, "method_not_allowed")
    assert {"GET", "HEAD", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_head_answers_like_get_without_a_body() -> None:
    answer = client().head("/open")
    assert (answer.status_code, answer.data) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_an_accept_header_without_json_gets_json_all_the_same() -> None:
    assert client().get("/open", headers={"Accept": "text/csv"}).status_code == 200
