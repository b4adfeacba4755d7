"""Secrets are planted, everything goes wrong with them, and nothing that is written shows one (I7).

What a client stores on purpose is found by the same search: so it can find.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from tests.faults.canaries.granting import TalkativeProvider, grant_everything
from tests.faults.canaries.nest import Nest
from tests.faults.canaries.provoking import Request, broken_http, misplaced, wrong_credentials
from tests.faults.degradation.outages import without_lancedb, without_postgresql
from tests.faults.deployment import eventually
from tests.promises.secrets import leaks

PATIENCE = 30.0


@pytest.mark.timeout(400)
def test_no_secret_is_found_in_anything_that_the_service_writes(
    nest: Nest, provider: TalkativeProvider
) -> None:
    with httpx.Client(base_url=nest.site.deployment.url, timeout=PATIENCE) as http:
        live(nest, http)
        grant_everything(nest, http, provider)
        secrets = list(nest.canaries.values())
        provoke(nest, http, misplaced(secrets))
        provoke(nest, http, wrong_credentials(secrets[-4:]))
        answers = broken_http(nest.site.deployment.url, secrets)
        assert len(answers) > len(secrets)
        nest.bodies += answers
        with without_postgresql(nest.site):
            provoke(nest, http, misplaced(secrets[:1]), may_fail=True)
            provoke(nest, http, wrong_credentials(secrets[-2:]), may_fail=True)
        with without_lancedb(nest.site):
            provoke(nest, http, misplaced(secrets[-1:]), may_fail=True)
        nest.site.deployment.wait_until_healthy()
        title = a_document(nest, http)
    nest.site.wait_until_in_step()
    places = list(nest.places())
    found = leaks(nest.canaries, places)
    assert not found, "\n".join(found)
    assert where_it_is(title, places) == {"table", "cluster", "LanceDB", "lancedb"}


def live(nest: Nest, http: httpx.Client) -> None:
    """What a user does with secrets, when all goes well and when not."""
    password = nest.plant("password")
    credentials = {"email": "canary@example.org", "password": password}
    arrived = keep(nest, http.post("/v1/auth/register", json=credentials), "first")
    assert http.post("/v1/auth/register", json=credentials).status_code >= 400
    keep(nest, http.post("/v1/auth/login", json=credentials), "second")
    refreshed = {"refresh_token": arrived["refresh_token"]}
    keep(nest, http.post("/v1/auth/refresh", json=refreshed), "third")
    # Used for the second time, it ends its session.
    assert nest.heard(http.post("/v1/auth/refresh", json=refreshed)).status_code == 401
    wrong = {**credentials, "password": nest.plant("mistyped password")}
    assert nest.heard(http.post("/v1/auth/login", json=wrong)).status_code == 401
    tokens = keep(nest, http.post("/v1/auth/login", json=credentials), "fourth")
    http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    made = http.post("/v1/api-keys", json={"name": "canary", "scopes": ["records:read"]})
    assert made.status_code == 201, made.text
    key = nest.canaries["API key"] = made.json()["key"]
    as_program = {"Authorization": f"Bearer {key}"}
    assert http.get("/v1/tasks", headers=as_program).status_code == 200
    refused = nest.heard(http.get("/v1/users/me", headers=as_program))
    assert refused.status_code == 403


def keep(nest: Nest, answer: httpx.Response, which: str) -> dict[str, Any]:
    """The answer that gives out tokens, which are canaries from now on."""
    assert answer.status_code in {200, 201}, answer.text
    given: dict[str, Any] = answer.json()
    nest.canaries[f"{which} access token"] = given["access_token"]
    nest.canaries[f"{which} refresh token"] = given["refresh_token"]
    return given


def provoke(
    nest: Nest, http: httpx.Client, requests: Iterable[Request], *, may_fail: bool = False
) -> None:
    """Send them all; none is a success that could have stored something, or a 500."""
    for method, path, given in requests:
        answer = nest.heard(http.request(method, path, **given))
        stored = answer.status_code < 400 and method != "GET"
        assert not stored, (method, path[:60], given, answer.text)
        assert answer.status_code < 500 or (may_fail and answer.status_code == 503), path[:60]


def a_document(nest: Nest, http: httpx.Client) -> str:
    """One with a title that may be seen, and its title."""
    title = Nest(nest.folder).plant("no secret")
    body = {"title": title, "text": f"The word is {title}."}
    answer = eventually(lambda: made(http.post("/v1/documents", json=body)), nest.site.story)
    assert answer.json()["title"] == title
    return title


def made(answer: httpx.Response) -> httpx.Response | None:
    return answer if answer.status_code == 201 else None


def where_it_is(word: str, places: Iterable[tuple[str, bytes]]) -> set[str]:
    """The kinds of places where it was found."""
    found = (one.partition(" stands in ")[2] for one in leaks({"the word": word}, places))
    kinds = ("table", "cluster", "LanceDB", "lancedb")
    return {next((kind for kind in kinds if kind in place), place) for place in found}
