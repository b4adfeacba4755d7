"""Whatever a caller writes into any field, in every mode and outage, no foreign row comes out (I4).

Three owners have real projections, made by the worker. One of them asks with texts that mean
something to LanceDB's filters, to a full-text query or to SQL. The others' records hold words that
nobody asks with, so that any answer that was made of their rows shows one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import jwt
import pytest

from tests.faults.degradation.caller import MODES, Caller
from tests.faults.degradation.outages import without_lancedb, without_postgresql
from tests.faults.deployment import eventually
from tests.faults.environment.site import SETTINGS, Site
from tests.injections import injections

SECRET = "zqxsecret"
"""How every word begins that only records of the victims have."""

SHARED = "harbour lantern"
"""What every record is about, so that nothing but its owner keeps it out of an answer."""

OUTAGES = ["none", "lancedb", "postgresql"]
_HONEST = {"postgresql_unavailable", "lancedb_unavailable", "filter_unavailable"}
_LONGEST_HEADER = 4_000

Request = tuple[str, str, dict[str, Any]]
"""Method, path, and what httpx is given beside them."""


@dataclass(frozen=True)
class Scene:
    """``attacker`` and what it owns, and the identifiers that it must never be told."""

    attacker: Caller
    own: str
    texts: list[str]
    hidden: frozenset[str]

    def ask(self, request: Request) -> httpx.Response:
        method, path, given = request
        return self.attacker.http.request(method, path, **given)

    def leaks(self, answer: httpx.Response) -> bool:
        return SECRET in answer.text or any(name in answer.text for name in self.hidden)


@pytest.fixture
def scene(site: Site, caller: Caller, stranger: Caller) -> Iterator[Scene]:
    own = caller.write(f"The {SHARED} is lit by me.", tags=["mine"])
    with Caller(site.deployment.url) as victim:
        # This one's identifiers stand in the texts, so that an answer may repeat them.
        bait = _a_secret(victim, "bait")
        hidden = [_a_secret(victim, "second"), _a_secret(stranger, "third")]
        owners = [victim, stranger]
        site.wait_until_in_step()
        owner = UUID(victim.tokens["user"]["id"])
        yield Scene(
            attacker=caller,
            own=own,
            texts=injections(owner, UUID(bait)),
            hidden=frozenset([*hidden, stranger.tokens["user"]["id"]]),
        )
        # Nothing that was asked has removed or changed a row of theirs.
        site.wait_until_in_step()
        for other in owners:
            found = eventually(partial(_undegraded, other), site.story)
            assert len(found["results"]) == (2 if other is victim else 1)


def _undegraded(owner: Caller) -> dict[str, Any] | None:
    """Once everything has noticed that the stores are back."""
    found = owner.find(query=SHARED, limit=50)
    return None if found["degraded"] else found


def _a_secret(owner: Caller, word: str) -> str:
    marked = f"{SECRET}{word}"
    return owner.write(
        f"The {SHARED} of {marked} is mine.",
        title=f"Letter {marked}",
        tags=[marked],
        source=marked,
        metadata={marked: marked},
        external_id=marked,
    )


@pytest.fixture(params=OUTAGES)
def outage(request: pytest.FixtureRequest, site: Site) -> AbstractContextManager[None]:
    outages: dict[str, Callable[[], AbstractContextManager[None]]] = {
        "none": nullcontext,
        "lancedb": lambda: without_lancedb(site),
        "postgresql": lambda: without_postgresql(site),
    }
    return outages[request.param]()


def answered_well(answer: httpx.Response, *, degraded: bool) -> bool:
    """Not by a 5xx, but for the one that says which store is missing."""
    if answer.status_code < 500:
        return True
    return degraded and answer.status_code == 503 and answer.json()["code"] in _HONEST


def test_no_question_in_any_mode_finds_a_foreign_row(
    scene: Scene, outage: AbstractContextManager[None], request: pytest.FixtureRequest
) -> None:
    missing = request.node.callspec.params["outage"]
    expected = [] if missing == "none" else [missing]
    with outage:
        for mode in MODES:
            for text in scene.texts:
                # Words that all records hold, so that only the owner can keep the others out.
                for query in (text, f"{SHARED} {text}"):
                    answer = scene.attacker.http.post(
                        "/v1/search", **_json({"query": query, "mode": mode, "limit": 50})
                    )
                    assert not scene.leaks(answer), (mode, query[:80])
                    if answer.status_code == 200:
                        found = answer.json()
                        assert found["degraded"] == expected, (mode, query[:80])
                        assert {one["item_id"] for one in found["results"]} <= {scene.own}
                    else:
                        assert answer.status_code in {400, 413, 422}, (mode, query[:80])
            # The same words without anything behind them do find what is the caller's own.
            plain = scene.attacker.find(query=SHARED, mode=mode, limit=50)
            assert [one["item_id"] for one in plain["results"]] == [scene.own]


def test_no_value_of_any_field_brings_out_a_foreign_row(
    scene: Scene, outage: AbstractContextManager[None], request: pytest.FixtureRequest
) -> None:
    degraded = request.node.callspec.params["outage"] != "none"
    with outage:
        # No filter is built in another way in an outage, so that a part of the texts is enough.
        texts = scene.texts[::4] if degraded else scene.texts
        for text, mode in zip(texts, cycle(MODES), strict=False):
            further = () if degraded else _reading(scene, text)
            for asked in (*_searching(scene, text, mode), *further):
                answer = scene.ask(asked)
                where = (*asked[:2], text[:80], answer.status_code)
                assert not scene.leaks(answer), where
                assert answered_well(answer, degraded=degraded), (where, answer.text)


def test_no_name_in_a_signed_token_becomes_part_of_a_filter(
    scene: Scene, outage: AbstractContextManager[None]
) -> None:
    claims = jwt.decode(scene.attacker.tokens["access_token"], options={"verify_signature": False})
    with outage:
        for text in scene.texts:
            if not text.isprintable() or len(text) > _LONGEST_HEADER:
                continue
            forged = {**claims, "sub": text}
            token = jwt.encode(forged, SETTINGS["ATOM_SIGNING_KEY"], algorithm="HS256")
            answer = scene.attacker.http.get(
                "/v1/search",
                params={"q": SHARED},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_what_is_stored_is_a_text_and_nothing_else(site: Site, scene: Scene) -> None:
    """Also to the worker, which filters by what it has read when it replaces and deletes."""
    stored = [
        made.json()["id"]
        for text in scene.texts
        if (made := scene.ask(_storing(text))).status_code == 201
    ]
    assert len(stored) > len(scene.texts) / 2
    site.wait_until_in_step()
    found = scene.attacker.find(query=SHARED, limit=100)
    assert {one["item_id"] for one in found["results"]} <= {scene.own, *stored}
    for name in stored:
        similar = scene.attacker.http.get(f"/v1/items/{name}/similar", params={"limit": 50})
        assert similar.status_code == 200
        assert not scene.leaks(similar)
        changed = scene.attacker.http.patch(f"/v1/documents/{name}", json={"text": "Plain now."})
        assert changed.status_code == 200
    site.wait_until_in_step()
    for name in stored:
        assert scene.attacker.http.delete(f"/v1/documents/{name}").status_code == 204


def _searching(scene: Scene, text: str, mode: str) -> Iterator[Request]:
    """The text as every field of a search: in its body, its address and its headers."""
    question = {"query": SHARED, "limit": 50, "mode": mode}
    for conditions in (
        {"tags": [text]},
        {"source": text},
        {"metadata": {text: 1}},
        {"metadata": {"a": text}},
        {"metadata": {"a": {text: [text]}}},
        {"created_after": text},
        {"happens_before": text},
        {text: text},
    ):
        yield "POST", "/v1/search", _json({**question, "filter": conditions})
    for name in ("kinds", "facets"):
        yield "POST", "/v1/search", _json({**question, name: [text]})
        yield "POST", "/v1/search", _json({**question, name: ["document", text]})
    for name in ("mode", "cursor", "limit", "min_score", "chunks", text):
        yield "POST", "/v1/search", _json({**question, name: text})
    short = _in_an_address(text)
    for name in ("q", "mode", "kinds", "tag", "source", "created_after", "cursor", "facets"):
        first = "" if name == "q" else f"q={quote(SHARED)}&"
        yield "GET", f"/v1/search?{first}{name}={short}", {}
    for name in ("kinds", "tag", "source", "min_score", "happens_after"):
        yield "GET", f"/v1/items/{scene.own}/similar?{name}={short}", {}
    yield "GET", f"/v1/items/{scene.own}{short}/similar", {}
    if _fits_a_header(text):
        for header in ("Idempotency-Key", "X-Request-Id", "If-None-Match", "Prefer"):
            asked = _json(question)
            yield "POST", "/v1/search", {**asked, "headers": {**asked["headers"], header: text}}


def _reading(scene: Scene, text: str) -> Iterator[Request]:
    """The text in every other place of a request that leads to records and their projections."""
    short = _in_an_address(text)
    for name in ("tag", "source", "cursor", "sort", "index_state", "updated_since", "limit"):
        yield "GET", f"/v1/documents?{name}={short}", {}
    for path in ("documents/{}", "documents/{}/text", "documents/{}/chunks", "items/{}/similar"):
        yield "GET", f"/v1/{path.format(short)}", {}
        yield "GET", f"/v1/{path.format(scene.own + short)}", {}
    yield "GET", f"/v1/documents/by-external-id/{short}", {}
    yield "GET", f"/v1/tasks?text={short}", {}


def _in_an_address(text: str) -> str:
    named = quote(text, safe="", errors="surrogatepass")
    return named[:_LONGEST_HEADER].rpartition("%")[0] if len(named) > _LONGEST_HEADER else named


def _fits_a_header(text: str) -> bool:
    whole = text.isascii() and text.isprintable() and text == text.strip()
    return whole and len(text) < _LONGEST_HEADER


def _storing(text: str) -> Request:
    short = text[:200]
    body = {
        "title": short,
        "text": f"{text[:500]} {SHARED}",
        "source": short,
        "tags": [text[:60]],
        "metadata": {short: text[:500]},
        "external_id": short,
    }
    asked = _json(body)
    if _fits_a_header(text):
        asked["headers"]["Idempotency-Key"] = json.dumps(short)
    return "POST", "/v1/documents", asked


def _json(body: Any) -> dict[str, Any]:
    """Escaped by hand, for httpx refuses to send what is not Unicode."""
    headers = {"Content-Type": "application/json"}
    return {"content": json.dumps(body).encode("ascii"), "headers": headers}
