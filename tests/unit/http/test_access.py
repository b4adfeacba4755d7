"""Who may ask."""

from __future__ import annotations

import pytest
from flask import Response

from atom_backend.domain.permissions import Scope
from atom_backend.http.contract import Call, PublicCall, Routes
from tests.unit.http.tiny import GOOD, USER, client


def test_a_route_is_closed_unless_it_is_declared_public() -> None:
    assert client().get("/open").status_code == 200
    answer = client().get("/things")
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="atom"'


@pytest.mark.parametrize(
    "sent",
    ["Bearer bad-token", "Bearer", "Bearer  ", "Basic Z29vZA==", "good-token", "Bearer a b", ""],
)
def test_anything_but_a_valid_bearer_token_is_refused(sent: str) -> None:
    answer = client().get("/things", headers={"Authorization": sent})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="atom", error="invalid_token"'


def test_the_scheme_is_read_without_regard_to_case() -> None:
    answer = client().get("/things", headers={"Authorization": "bearer good-token"})
    assert answer.status_code == 200


def test_a_token_in_the_address_is_not_accepted() -> None:
    assert client().get("/things?access_token=good-token").status_code == 401


def test_a_stranger_learns_nothing_about_the_input() -> None:
    for path in ("/things?nonsense=1", "/things/by-name/a%00", f"/things/{USER}"):
        assert client().get(path).status_code == 401
    assert client().post("/things", data=b"{", content_type="text/plain").status_code == 401


@pytest.mark.parametrize("path", ["/closed", "/closed?nonsense=1", "/closed?limit=a"])
def test_a_caller_without_the_scope_is_told_which_and_learns_nothing_else(path: str) -> None:
    answer = client().post(path, headers=GOOD, data=b"{", content_type="text/plain")
    assert (answer.status_code, answer.json["code"]) == (403, "insufficient_scope")
    assert answer.json["scope"] == "admin:write"
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="atom", error="insufficient_scope", scope="admin:write"'
    )


def test_a_route_that_says_nothing_about_permission_is_not_built() -> None:
    careless = Routes("careless", "Routes that forgot something.")

    def closed(call: Call[None, None]) -> Response:
        return Response()

    def opened(call: PublicCall[None, None]) -> Response:
        return Response()

    for handler, needs in ((closed, None), (opened, Scope.SEARCH)):
        with pytest.raises(TypeError, match="GET /careless must be public or say what scope"):
            careless.add("GET", "/careless", needs=needs)(handler)
    with pytest.raises(TypeError, match="GET /made must be public"):
        careless.made("made", "About.", "GET /made", handler=closed)
    assert careless.declared == []
