"""Facets of a search: what it chooses from, whatever it ranks, and never a guess."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from atom_backend.domain.facets import Counts, Facet
from atom_backend.domain.items import Kind
from atom_backend.domain.resources.events import EVENTS
from atom_backend.domain.resources.memories import MEMORIES
from atom_backend.domain.resources.messages import MESSAGES
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.resources.tasks import TASKS
from atom_backend.domain.search import Degraded, SearchAnswer, SearchFilter, SearchMode
from atom_backend.errors import EmbedderUnavailable, FilterUnavailable
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.records import RecordService
from tests.deterministic import BagOfWords
from tests.integration.coordinator.stage import Stage
from tests.integration.services.searching import MODES, ask, fill, found
from tests.making import a_document, a_user

EVERY_FACET = frozenset(Facet)
NOW = datetime(2031, 5, 14, 9, tzinfo=UTC)
LAST_WEEK = SearchFilter(
    happens_after=NOW - timedelta(days=7), happens_before=NOW + timedelta(microseconds=1)
)


@pytest.fixture
def nowhere() -> Iterator[PostgresTransactions]:
    """A PostgreSQL that refuses every connection."""
    engine = create_engine("postgresql://nobody@127.0.0.1:1/none")
    yield PostgresTransactions(engine)
    engine.dispose()


def said(answer: SearchAnswer) -> dict[str, dict[str, int]]:
    counts = answer.counts or {}
    return {
        facet: {one.value: one.count for one in shown.values} for facet, shown in counts.items()
    }


def created(stage: Stage, resource: Resource, **values: Any) -> Record:
    record = RecordService(stage.transactions).create(stage.owner, resource, values)
    assert isinstance(record, Record)
    return record


@pytest.fixture
def several(stage: Stage) -> Stage:
    """A task and two documents of one's own, one of them deleted, and a stranger's."""
    _, gone = fill(stage, ["tides and moon", "moon"], tags=("sea",))
    stage.documents.remove(stage.owner, gone)
    fill(stage, ["moon"], a_user(stage.transactions), tags=("sea", "foreign"))
    created(stage, TASKS, title="Photograph it", due_at=NOW, tags=("sea", "night"))
    return stage


@pytest.mark.parametrize("mode", MODES)
def test_all_that_exists_is_counted_at_once_whatever_the_question_and_the_page(
    several: Stage, mode: SearchMode
) -> None:
    pages: list[tuple[str, dict[str, Any]]] = [
        ("moon", {}),
        ("nowhere", {}),
        ("moon", {"limit": 1, "offset": 1}),
    ]
    for query, page in pages:
        answer = ask(several, query, mode=mode, facets=EVERY_FACET, **page)
        counts = said(answer)
        assert counts["kind"] == {"document": 1, "task": 1}
        assert counts["tag"] == {"sea": 2, "night": 1}
        assert counts["month"].pop("2031-05") == 1
        assert list(counts["month"].values()) == [1]


def test_a_number_is_how_many_there_are_to_choose_from_with_its_value(several: Stage) -> None:
    several.converge()
    counts = said(ask(several, "moon", facets=EVERY_FACET))
    for tag, number in counts["tag"].items():
        chosen = ask(several, "moon", filter=SearchFilter(tags=(tag,)), facets=EVERY_FACET)
        assert sum(said(chosen)["kind"].values()) == number == len(found(chosen))
    for kind, number in counts["kind"].items():
        chosen = ask(several, "moon", kinds=frozenset({Kind(kind)}), facets=EVERY_FACET)
        assert said(chosen)["kind"] == {kind: number}
        assert len(found(chosen)) == number


def test_nothing_is_counted_that_was_not_asked_for(several: Stage) -> None:
    assert ask(several, "moon").counts is None
    assert said(ask(several, "moon", facets=frozenset({Facet.KIND}))).keys() == {"kind"}


def test_without_lancedb_and_without_the_model_counts_are_the_same(several: Stage) -> None:
    def fail(_: object) -> None:
        raise EmbedderUnavailable

    sea: dict[str, Any] = {"filter": SearchFilter(tags=("sea",)), "facets": EVERY_FACET}
    usual: Counts | None = ask(several, "moon", **sea).counts
    assert usual
    assert ask(several, "moon", embedder=BagOfWords(fail), **sea).counts == usual
    several.lance.rename(several.lance.with_name("hidden"))
    answer = ask(several, "moon", **sea)
    assert (answer.degraded, answer.counts) == ((Degraded.LANCEDB,), usual)


def test_without_postgresql_there_are_no_counts_and_it_is_said_why(
    several: Stage, nowhere: PostgresTransactions
) -> None:
    answer = ask(several, "moon", transactions=nowhere, facets=EVERY_FACET)
    assert (answer.counts, answer.degraded) == (None, (Degraded.POSTGRESQL,))
    assert answer.results
    sea = SearchFilter(tags=("sea",))
    with pytest.raises(FilterUnavailable):
        ask(several, "moon", transactions=nowhere, filter=sea, facets=EVERY_FACET)


@pytest.mark.parametrize("healthy", [True, False])
def test_what_was_talked_about_last_week_is_found_in_every_kind(
    stage: Stage, *, healthy: bool
) -> None:
    week = LAST_WEEK.happens_after
    assert week is not None
    instant, days, hour = timedelta(microseconds=1), timedelta(days=1), timedelta(hours=1)
    mail = {"kind": "email", "subject": "Plans", "body": "Shall we see the harbour?"}
    walk = {"title": "Harbour walk", "time_zone": "UTC"}
    wanted = {
        created(stage, MESSAGES, **mail, sent_at=week).id,
        created(stage, MESSAGES, kind="chat", body="The harbour, then.", sent_at=NOW).id,
        created(stage, EVENTS, **walk, starts_at=NOW - days, ends_at=NOW - days + hour).id,
        created(stage, TASKS, title="Ask about the harbour", due_at=NOW).id,
        created(stage, MEMORIES, text="Likes the harbour.", valid_from=NOW - 3 * days).id,
    }
    created(stage, MESSAGES, **mail, sent_at=week - instant)
    created(stage, MESSAGES, **mail)
    created(stage, EVENTS, **walk, starts_at=NOW + hour, ends_at=NOW + 2 * hour)
    created(stage, TASKS, title="Harbour, too late", due_at=NOW + instant)
    created(stage, MEMORIES, text="Knew the harbour long ago.")
    a_document(stage.transactions, stage.owner, "The harbour has no time of its own.")
    elsewhere = created(stage, TASKS, title="Something else that week", due_at=NOW)
    stage.converge()
    if not healthy:
        stage.lance.rename(stage.lance.with_name("hidden"))
    answer = ask(stage, "harbour", filter=LAST_WEEK, facets=EVERY_FACET)
    assert answer.degraded == (() if healthy else (Degraded.LANCEDB,))
    assert {*found(answer)} == (wanted | {elsewhere.id} if healthy else wanted)
    assert {*found(answer)[:5]} == wanted
    assert len({result.kind for result in answer.results}) == 4
    assert said(answer) == {
        "kind": {"message": 2, "task": 2, "event": 1, "memory": 1},
        "tag": {},
        "month": {"2031-05": 6},
    }
    messages = ask(stage, "harbour", filter=LAST_WEEK, kinds=frozenset({Kind.MESSAGE}))
    assert {result.kind for result in messages.results} == {Kind.MESSAGE}
    assert len(messages.results) == 2
