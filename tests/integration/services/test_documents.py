"""Documents: written once, replaced in order, and announced to the index only when they change."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from uuid import UUID

import pytest
from sqlalchemy import event

from atom_backend.coordinator.relay import Relay
from atom_backend.domain.index_state import IndexState
from atom_backend.domain.owner_work import StoredResponse
from atom_backend.domain.preconditions import IfMatch
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.resources.rules import Record, Values
from atom_backend.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    VectorStoreUnavailable,
)
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.chunks import IndexedChunks
from atom_backend.services.idempotency import Receipt
from atom_backend.services.records import Put
from atom_backend.services.waiting import Waiting
from tests.conftest import RunSql
from tests.deterministic import refuse_poison
from tests.integration.coordinator.stage import Stage
from tests.making import Documents, a_document, a_draft, a_user

PATIENCE = 20.0


def receipt(key: str = "one", fingerprint: bytes = bytes(32)) -> Receipt[Record]:
    def render(document: Record) -> StoredResponse:
        return StoredResponse(fingerprint, 201, {}, document.id.bytes)

    return Receipt(key, fingerprint, render)


def created(outcome: Record | StoredResponse) -> Record:
    assert isinstance(outcome, Record)
    return outcome


def kept(outcome: Record | StoredResponse) -> StoredResponse:
    assert isinstance(outcome, StoredResponse)
    return outcome


def count(sql: RunSql) -> int:
    return int(sql("select count(*) from documents")[0][0])


def test_a_repeated_request_gets_the_first_answer_and_creates_nothing(stage: Stage) -> None:
    first = created(stage.documents.create(stage.owner, a_draft(), receipt()))
    again = kept(stage.documents.create(stage.owner, a_draft(), receipt()))
    assert UUID(bytes=again.body) == first.id
    assert count(stage.sql) == 1


def test_a_key_belongs_to_one_request_of_one_owner(stage: Stage) -> None:
    stage.documents.create(stage.owner, a_draft(), receipt())
    with pytest.raises(InvalidInput) as refused:
        stage.documents.create(stage.owner, a_draft("Another."), receipt(fingerprint=b"x" * 32))
    assert refused.value.code == "idempotency_key_reused"
    created(stage.documents.create(a_user(stage.transactions), a_draft(), receipt()))
    assert count(stage.sql) == 2


def test_a_request_that_failed_leaves_its_key_free(stage: Stage) -> None:
    taken = a_document(stage.transactions, stage.owner, external_id="taken")
    with pytest.raises(Conflict) as conflict:
        stage.documents.create(stage.owner, a_draft(external_id="taken"), receipt())
    assert conflict.value.existing_id == str(taken.id)
    created(stage.documents.create(stage.owner, a_draft(external_id="free"), receipt()))


def test_of_simultaneous_requests_with_one_key_one_creates(stage: Stage) -> None:
    def create(_: int) -> Record | StoredResponse | Conflict:
        try:
            return stage.documents.create(stage.owner, a_draft(), receipt())
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(create, range(4)))
    assert sum(isinstance(outcome, Record) for outcome in outcomes) == 1
    conflicts = {outcome.code for outcome in outcomes if isinstance(outcome, Conflict)}
    assert conflicts <= {"idempotency_in_progress"}
    assert count(stage.sql) == 1


def wait_for_a_blocked_statement(sql: RunSql) -> None:
    """Until somebody in this database waits for a lock."""
    blocked = """select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'"""
    until = time.monotonic() + 20
    while not sql(blocked):
        assert time.monotonic() < until, "nobody waits"


def test_a_put_that_meets_another_replaces_what_that_created(stage: Stage) -> None:
    """Both looked when there was nothing; the other one commits first."""
    with ThreadPoolExecutor(1) as pool:
        with stage.transactions.owner(stage.owner) as work:
            first = work.records(DOCUMENTS).add(UUID(int=1), a_draft("First.", external_id="name"))
            put = pool.submit(stage.documents.put, stage.owner, "name", a_draft("Second."))
            wait_for_a_blocked_statement(stage.sql)
        stored = put.result(20)
    assert (stored.outcome, stored.record.id) == ("replaced", first.id)
    assert stage.documents.whole(stage.owner, first.id).values["text"] == "Second."
    assert count(stage.sql) == 1


def test_simultaneous_puts_of_one_name_create_one_document(stage: Stage) -> None:
    def put(number: int) -> Put:
        return stage.documents.put(stage.owner, "name", a_draft(f"Text {number}."))

    with ThreadPoolExecutor(4) as pool:
        stored = list(pool.map(put, range(4)))
    assert sorted(one.outcome for one in stored) == ["new", "replaced", "replaced", "replaced"]
    assert sorted(one.record.revision for one in stored) == [1, 2, 3, 4]
    stage.converge()
    stage.assert_in_step()


def test_a_write_that_expects_another_revision_changes_nothing(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner, external_id="name")
    stale, current = IfMatch(frozenset({7})), IfMatch(frozenset({7, 1}))
    change = {"tags": ("new",)}
    documents, owner = stage.documents, stage.owner
    with pytest.raises(PreconditionFailed):
        documents.change(owner, document.id, change, stale)
    with pytest.raises(PreconditionFailed):
        documents.put(owner, "name", a_draft("New."), stale)
    with pytest.raises(PreconditionFailed):
        documents.remove(owner, document.id, stale)
    with pytest.raises(PreconditionFailed):
        documents.put(owner, "absent", a_draft("New."), IfMatch(None))
    assert documents.get(owner, document.id) == document
    assert count(stage.sql) == 1
    assert documents.change(owner, document.id, change, current).revision == 2
    assert documents.put(owner, "name", a_draft("New."), IfMatch(None)).record.revision == 3
    documents.remove(owner, document.id, IfMatch(frozenset({3})))
    assert count(stage.sql) == 0


def test_what_did_not_change_is_not_announced(stage: Stage) -> None:
    draft = a_draft(tags=("sea",), metadata={"depth": 3})
    document = stage.documents.put(stage.owner, "name", draft).record
    stage.converge()
    entry = stage.entry(document.id)
    stored = stage.documents.put(stage.owner, "name", draft)
    assert (stored.outcome, stored.record.revision) == ("unchanged", 1)
    same = {"title": draft["title"], "text": draft["text"], "metadata": {"depth": 3}}
    assert stage.documents.change(stage.owner, document.id, same).revision == 1
    retagged = stage.documents.put(stage.owner, "name", draft | {"tags": ("land",)})
    assert (retagged.outcome, retagged.record.revision) == ("replaced", 2)
    assert retagged.record.index_state is IndexState.INDEXED
    assert stage.entry(document.id) == entry
    stage.assert_in_step()


@pytest.mark.parametrize("change", [{"text": "New."}, {"title": "New"}])
def test_what_changed_is_announced_in_the_same_transaction(stage: Stage, change: Values) -> None:
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    changed = stage.documents.change(stage.owner, document.id, change)
    assert (changed.revision, changed.content_revision) == (2, 2)
    assert changed.index_state is IndexState.PENDING
    assert stage.entry(document.id).revision == 2
    stage.converge()
    stage.assert_in_step()


def test_a_change_of_metadata_is_merged_into_what_is_there(stage: Stage) -> None:
    metadata = {"kept": 1, "gone": 2, "deep": {"kept": [1], "gone": True}}
    document = a_document(stage.transactions, stage.owner, metadata=metadata)
    patch = {"metadata": {"gone": None, "new": "x", "deep": {"gone": None}}}
    changed = stage.documents.change(stage.owner, document.id, patch)
    assert changed.values["metadata"] == {"kept": 1, "new": "x", "deep": {"kept": [1]}}


def waiting_for(stage: Stage, relay: Relay) -> Documents:
    """While it pauses, the worker works."""

    def pause(_: float) -> None:
        stage.converge(relay)

    return Documents(stage.transactions, Waiting(pause=pause))


def test_waiting_ends_when_the_document_is_indexed(stage: Stage) -> None:
    waiting = waiting_for(stage, stage.relay())
    document = a_document(stage.transactions, stage.owner)
    indexed = waiting.wait_until_indexed(stage.owner, document, 60)
    assert (indexed.index_state, indexed.chunk_count) == (IndexState.INDEXED, 1)


def test_waiting_ends_when_the_document_is_parked(stage: Stage) -> None:
    waiting = waiting_for(stage, stage.relay(refuse_poison))
    document = a_document(stage.transactions, stage.owner, "Some poison.")
    parked = waiting.wait_until_indexed(stage.owner, document, 60)
    assert parked.index_state is IndexState.PARKED
    assert parked.index_reason


def test_waiting_ends_when_its_time_is_up(stage: Stage) -> None:
    passed: list[float] = []
    short = Waiting(pause=passed.append, monotonic=lambda: sum(passed))
    waiting = Documents(stage.transactions, short)
    document = a_document(stage.transactions, stage.owner)
    assert waiting.wait_until_indexed(stage.owner, document, 3) == document
    assert sum(passed) == pytest.approx(3)


def test_waiting_that_fails_does_not_deny_the_write(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner)
    engine = create_engine("postgresql://nobody@127.0.0.1:1/none")
    waiting = Documents(PostgresTransactions(engine))
    assert waiting.wait_until_indexed(stage.owner, document, 60) == document
    engine.dispose()


@pytest.mark.parametrize(
    ("meanwhile", "state"),
    [
        ({"tags": ("others",)}, IndexState.INDEXED),
        ({"text": "Somebody else's."}, IndexState.PENDING),
        (None, IndexState.PENDING),
    ],
    ids=["tagged", "rewritten", "deleted"],
)
def test_who_waits_is_answered_with_the_own_write_whatever_others_do(
    stage: Stage, meanwhile: Values | None, state: IndexState
) -> None:
    document = a_document(stage.transactions, stage.owner)

    def pause(_: float) -> None:
        if meanwhile is None:
            stage.documents.remove(stage.owner, document.id)
        else:
            stage.documents.change(stage.owner, document.id, meanwhile)
        stage.converge()

    waiting = Documents(stage.transactions, Waiting(pause=pause))
    answer = waiting.wait_until_indexed(stage.owner, document, 60)
    assert (answer.revision, answer.values["tags"], answer.index_state) == (1, (), state)


def test_who_comes_when_enough_wait_is_answered_at_once(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner)
    together = Barrier(3)
    released = Event()

    def pause(_: float) -> None:
        if not released.is_set():
            together.wait(PATIENCE)
            assert released.wait(PATIENCE)
            stage.converge()

    two = Waiting(most=2, pause=pause)
    waiting = Documents(stage.transactions, two)
    with ThreadPoolExecutor(2) as pool:
        held = [
            pool.submit(waiting.wait_until_indexed, stage.owner, document, 60) for _ in range(2)
        ]
        together.wait(PATIENCE)
        assert waiting.wait_until_indexed(stage.owner, document, 60) == document
        released.set()
        states = {one.result(PATIENCE).index_state for one in held}
    assert states == {IndexState.INDEXED}
    assert waiting.wait_until_indexed(stage.owner, document, 60).index_state is IndexState.INDEXED


def test_the_chunks_of_a_document_are_those_of_the_vector_store(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner, "One.\n\nTwo.")
    indexed = IndexedChunks(stage.transactions, stage.vectors)
    assert indexed.of(stage.owner, DOCUMENTS, document.id) == (0, [])
    stage.converge()
    revision, chunks = indexed.of(stage.owner, DOCUMENTS, document.id)
    assert (revision, [chunk.text for chunk in chunks]) == (1, ["One.", "Two."])
    stage.lance.rename(stage.lance.with_name("hidden"))
    with pytest.raises(VectorStoreUnavailable):
        indexed.of(stage.owner, DOCUMENTS, document.id)


def test_a_text_is_that_of_its_revision_although_it_is_rewritten_meanwhile(
    stage: Stage, database_url: str
) -> None:
    document = a_document(stage.transactions, stage.owner, "First.")
    engine = create_engine(database_url)
    rewritten: list[str] = []

    @event.listens_for(engine, "after_cursor_execute")
    def rewrite(_: object, __: object, statement: str, *___: object) -> None:
        if "FROM items" in statement and not rewritten:
            rewritten.append(statement)
            change = {"text": "Second."}
            stage.documents.change(stage.owner, document.id, change)

    reading = Documents(PostgresTransactions(engine))
    seen = reading.whole(stage.owner, document.id)
    engine.dispose()
    assert rewritten
    assert (seen.revision, seen.values["text"]) == (1, "First.")


def test_a_document_of_somebody_else_is_not_there(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner, external_id="name")
    stranger = a_user(stage.transactions)
    for attempt in (
        lambda: stage.documents.get(stranger, document.id),
        lambda: stage.documents.named(stranger, "name"),
        lambda: stage.documents.whole(stranger, document.id),
        lambda: IndexedChunks(stage.transactions, stage.vectors).of(
            stranger, DOCUMENTS, document.id
        ),
        lambda: stage.documents.change(stranger, document.id, {"title": "Mine"}),
        lambda: stage.documents.remove(stranger, document.id),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert stage.documents.put(stranger, "name", a_draft()).outcome == "new"
    assert stage.documents.get(stage.owner, document.id) == document


def test_writes_do_not_wait_for_the_vector_store(stage: Stage) -> None:
    hidden = stage.lance.rename(stage.lance.with_name("hidden"))
    document = created(stage.documents.create(stage.owner, a_draft()))
    stage.documents.change(stage.owner, document.id, {"text": "Changed."})
    gone = created(stage.documents.create(stage.owner, a_draft()))
    stage.documents.remove(stage.owner, gone.id)
    hidden.rename(stage.lance)
    stage.converge()
    stage.assert_in_step()
