"""A request fails, or its process is killed, at every effect that it has in PostgreSQL.

What was not acknowledged has taken place as a whole or not at all; what was acknowledged is there;
and a client that sends the same again ends with what it wanted, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from signal import SIGKILL

import httpx
import pytest
from flask import Flask

from atom_backend.errors import DatabaseUnavailable
from tests.faults.effects.judging import assert_announced, assert_made_good
from tests.faults.effects.processes import Place, Processes, Strike, Web, killed
from tests.faults.effects.program import application, serve
from tests.faults.effects.requests import BEFORE, LOADED, REQUESTS, Request, load
from tests.faults.effects.users import User
from tests.integration.coordinator.stage import Stage
from tests.watching import Announce, FailingAt, Moment

Case = tuple[Request, Moment]

CASES = [
    pytest.param((request, (when, effect)), id=f"{request.name} {when} {effect}")
    for request in REQUESTS
    for effect in request.effects
    for when in ("within", "after")
    if when == "within" or effect == request.effects[-1]
]


class Tripwire:
    """Announced to, it fails as the present test wants it, or not at all."""

    def __init__(self) -> None:
        self.announce: Announce = lambda _: None

    def __call__(self, moment: Moment) -> None:
        self.announce(moment)


@pytest.fixture(scope="module")
def tripwire() -> Tripwire:
    return Tripwire()


@pytest.fixture(scope="module")
def app(place: Place, tripwire: Tripwire) -> Iterator[Flask]:
    """A web application that no test kills."""
    with application(place, tripwire) as app:
        yield app


@pytest.fixture
def client(app: Flask, tripwire: Tripwire, writer: User) -> Iterator[httpx.Client]:
    """Of the writer, to the application that lives on."""
    with httpx.Client(
        transport=httpx.WSGITransport(app),
        base_url="http://atom",
        headers={"Authorization": f"Bearer {writer.token}"},
    ) as client:
        yield client
    tripwire.announce = lambda _: None


@pytest.fixture
def writer(stage: Stage, user: User) -> User:
    """Has two documents, both indexed."""
    user.load(BEFORE)
    stage.converge()
    return user


def assert_all_or_nothing(stage: Stage, user: User, case: Case) -> None:
    """Nothing before the commit, everything after it."""
    request, moment = case
    user.texts = dict(request.after if moment[0] == "after" else BEFORE)
    user.assert_kept()
    assert_announced(stage)


def assert_sent_again(stage: Stage, user: User, request: Request, client: httpx.Client) -> None:
    done = user.texts == request.after
    answer = request.send(client, user)
    assert answer.status_code == request.answers[done]
    replayed = request.answers[done] == 201 and done
    assert (answer.headers.get("Idempotency-Replayed") == "true") == replayed
    user.texts = dict(request.after)
    assert_announced(stage)
    stage.converge()
    assert_made_good(stage, user)


@pytest.mark.parametrize("case", CASES)
def test_what_a_killed_web_process_did_not_answer_is_whole_or_absent(
    stage: Stage, writer: User, client: httpx.Client, processes: Processes, case: Case
) -> None:
    request, moment = case
    web = Web(processes, serve, Strike(moment, SIGKILL))
    with web.client(writer.token) as dying, pytest.raises(httpx.TransportError):
        request.send(dying, writer)
    assert killed(web.process)
    assert_all_or_nothing(stage, writer, case)
    assert_sent_again(stage, writer, request, client)


@pytest.mark.parametrize("case", CASES)
def test_what_an_outage_left_without_an_answer_is_whole_or_absent(
    stage: Stage, writer: User, client: httpx.Client, tripwire: Tripwire, case: Case
) -> None:
    request, moment = case
    tripwire.announce = FailingAt(moment, DatabaseUnavailable())
    answer = request.send(client, writer)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert_all_or_nothing(stage, writer, case)
    assert_sent_again(stage, writer, request, client)


@pytest.mark.parametrize("when", ["within", "after"])
def test_a_batch_that_was_cut_off_is_sent_again(
    stage: Stage, user: User, processes: Processes, when: str
) -> None:
    web = Web(processes, serve, Strike((when, "add"), SIGKILL))
    with web.client(user.token) as client, pytest.raises(httpx.TransportError):
        load(client, user)
    assert killed(web.process)
    user.texts = {"x": LOADED["x"]} if when == "after" else {}
    user.assert_kept()
    assert_announced(stage)
    with Web(processes, serve).client(user.token) as client:
        assert load(client, user).text.count('"status":20') == 3
    user.texts = dict(LOADED)
    stage.converge()
    assert_made_good(stage, user)


def test_what_was_acknowledged_is_there_although_the_process_is_killed(
    stage: Stage, users: Callable[[], User], processes: Processes
) -> None:
    web = Web(processes, serve)
    writers = [users() for _ in REQUESTS]
    for writer, request in zip(writers, REQUESTS, strict=True):
        writer.load(BEFORE)
        with web.client(writer.token) as client:
            assert request.send(client, writer).status_code == request.answers[0]
        writer.texts = dict(request.after)
    web.process.kill()
    assert killed(web.process)
    assert_announced(stage)
    stage.converge()
    assert_made_good(stage, *writers)
