"""Documents are stored, changed and listed as the port promises."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from atom_backend.clock import new_id
from atom_backend.domain.index_state import Confirmation, IndexState
from atom_backend.domain.items import content_hash
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.resources.listing import INDEX_STATE, Condition, Listing, Match
from atom_backend.errors import Conflict, InvalidInput, NotFound
from atom_backend.relational.engine import create_engine
from atom_backend.relational.record_queries import by_id, by_ids, listed
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.racing import together
from tests.making import a_document, a_draft, a_user, changed


def test_a_document_reads_back_as_it_was_given(transactions: PostgresTransactions) -> None:
    owner = a_user(transactions)
    added = a_document(
        transactions,
        owner,
        "Ebbe und Flut 🌊\r\n",
        title="Gezeiten",
        source="mail",
        external_id="x-1",
        tags=("sea", "moon"),
        metadata={"deep": {"list": [1, 2.5, None, "ü"]}},
    )
    with transactions.owner(owner) as work:
        assert work.records(DOCUMENTS).get(added.id) == added
        assert work.records(DOCUMENTS).by_external_id("x-1") == added
        whole = work.records(DOCUMENTS).get(added.id, whole=True)
        assert whole.values["text"] == "Ebbe und Flut 🌊\r\n"
    assert (added.owner_id, added.revision, added.content_revision) == (owner.user_id, 1, 1)
    assert (added.values["tags"], added.values["source"]) == (("sea", "moon"), "mail")
    assert added.values["metadata"] == {"deep": {"list": [1, 2.5, None, "ü"]}}
    assert added.content_hash == content_hash("Gezeiten", "Ebbe und Flut 🌊\r\n")
    assert added.index_state is IndexState.PENDING
    assert added.created_at.utcoffset() == timedelta(0)


def test_what_is_not_there_is_not_found(transactions: PostgresTransactions) -> None:
    nowhere = new_id()
    with transactions.owner(a_user(transactions)) as work:
        documents = work.records(DOCUMENTS)
        for attempt in (documents.get, documents.remove):
            with pytest.raises(NotFound):
                attempt(nowhere)
        assert work.records(DOCUMENTS).by_external_id("nobody") is None


def test_a_change_of_tags_is_a_new_revision_but_not_new_content(
    transactions: PostgresTransactions,
) -> None:
    owner = a_user(transactions)
    before = a_document(transactions, owner, source="mail")
    with transactions.owner(owner) as work:
        after = changed(work, before.id, tags=("new",), source=None)
    assert (after.revision, after.content_revision) == (2, 1)
    assert (after.values["tags"], after.values["source"]) == (("new",), None)
    assert after.title == before.title
    assert after.content_hash == before.content_hash
    assert after.updated_at > before.updated_at


def test_a_change_of_text_makes_its_revision_the_content_revision(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    owner = a_user(transactions)
    document = a_document(transactions, owner)
    settle_everything(transactions)
    with transactions.owner(owner) as work:
        assert work.records(DOCUMENTS).get(document.id).index_state is IndexState.INDEXED
        changed(work, document.id, tags=("t",))
        after = changed(work, document.id, text="other")
        whole = work.records(DOCUMENTS).get(document.id, whole=True)
    assert whole.values["text"] == "other"
    assert (after.revision, after.content_revision) == (3, 3)
    assert after.content_hash == content_hash(document.title, "other")
    assert after.index_state is IndexState.PENDING, "the entry has not heard of it yet"


def test_a_taken_external_identifier_is_a_conflict_that_names_its_holder(
    transactions: PostgresTransactions,
) -> None:
    owner = a_user(transactions)
    first = a_document(transactions, owner, external_id="taken")
    second = a_document(transactions, owner, external_id="free")
    with transactions.owner(owner) as work:
        with pytest.raises(Conflict) as by_add:
            work.records(DOCUMENTS).add(new_id(), a_draft(external_id="taken"))
        with pytest.raises(Conflict) as by_change:
            changed(work, second.id, external_id="taken")
        assert work.records(DOCUMENTS).get(second.id) == second, "the transaction goes on"
    for refusal in (by_add.value, by_change.value):
        assert (refusal.code, refusal.existing_id) == ("external_id_taken", str(first.id))


def test_an_external_identifier_may_be_used_by_each_owner(
    transactions: PostgresTransactions,
) -> None:
    for owner in (a_user(transactions), a_user(transactions)):
        document = a_document(transactions, owner, external_id="same")
        with transactions.owner(owner) as work:
            found = work.records(DOCUMENTS).by_external_id("same")
        assert found is not None
        assert found.id == document.id


def test_of_two_concurrent_creations_of_one_external_identifier_one_wins(
    transactions: PostgresTransactions,
) -> None:
    owner = a_user(transactions)

    def create(_: int) -> Any:
        try:
            return a_document(transactions, owner, external_id="raced").id
        except Conflict as refusal:
            return refusal.existing_id

    answers = together(create, 8)
    assert len({str(answer) for answer in answers}) == 1
    with transactions.owner(owner) as work:
        assert len(work.records(DOCUMENTS).listing(Listing(limit=10))) == 1


def test_a_document_named_by_external_identifier_is_locked(
    transactions: PostgresTransactions,
) -> None:
    owner = a_user(transactions)
    document = a_document(transactions, owner, external_id="n")

    def count(_: int) -> None:
        with transactions.owner(owner) as work:
            found = work.records(DOCUMENTS).by_external_id("n", for_update=True)
            assert found is not None
            changed(work, document.id, metadata={"n": found.values["metadata"].get("n", 0) + 1})

    together(count, 8)
    with transactions.owner(owner) as work:
        assert work.records(DOCUMENTS).get(document.id).values["metadata"] == {"n": 8}


def test_a_document_got_for_update_is_locked(transactions: PostgresTransactions) -> None:
    owner = a_user(transactions)
    document = a_document(transactions, owner)

    def count(_: int) -> None:
        with transactions.owner(owner) as work:
            held = work.records(DOCUMENTS).get(document.id, for_update=True)
            changed(work, document.id, metadata={"n": held.values["metadata"].get("n", 0) + 1})

    together(count, 8)
    with transactions.owner(owner) as work:
        assert work.records(DOCUMENTS).get(document.id).values["metadata"] == {"n": 8}


def test_a_removed_document_is_gone(transactions: PostgresTransactions) -> None:
    owner = a_user(transactions)
    document = a_document(transactions, owner)
    with transactions.owner(owner) as work:
        work.records(DOCUMENTS).remove(document.id)
        with pytest.raises(NotFound):
            work.records(DOCUMENTS).get(document.id)


def test_a_listing_goes_newest_first_and_page_by_page(transactions: PostgresTransactions) -> None:
    owner = a_user(transactions)
    made = [a_document(transactions, owner).id for _ in range(5)]
    a_document(transactions, a_user(transactions))
    with transactions.owner(owner) as work:
        first = work.records(DOCUMENTS).listing(Listing(limit=2))
        second = work.records(DOCUMENTS).listing(Listing(limit=9, after=(None, first[-1].id)))
    assert [document.id for document in first + second] == made[::-1]


def test_a_listing_can_be_narrowed(transactions: PostgresTransactions, sql: RunSql) -> None:
    owner = a_user(transactions)
    indexed = a_document(transactions, owner, tags=("a", "b"))
    settle_everything(transactions)
    parked = a_document(transactions, owner, tags=("b",))
    leased = a_document(transactions, owner)
    with transactions.worker() as worker:
        leases = worker.index.lease(new_id(), limit=9, seconds=60, suspects=False, max_attempts=6)
        worker.index.park({parked.id: "too odd"}, leases[0].fence)
    sql("update items set updated_at = now() - interval '1 day' where id = :id", id=parked.id)

    def ids(field: str, test: Match, value: Any) -> list[Any]:
        with transactions.owner(owner) as work:
            listing = Listing(9, (Condition(field, test, value),))
            return [document.id for document in work.records(DOCUMENTS).listing(listing)]

    assert ids("tags", Match.HOLDS, "b") == [parked.id, indexed.id]
    for state, one in (("indexed", indexed), ("pending", leased), ("parked", parked)):
        assert ids(INDEX_STATE, Match.EQUAL, IndexState(state)) == [one.id]
    assert ids("updated_at", Match.FROM, indexed.updated_at) == [leased.id, indexed.id]
    with transactions.owner(owner) as work:
        assert work.records(DOCUMENTS).get(parked.id).index_reason == "too odd"
        assert work.records(DOCUMENTS).get(indexed.id).chunk_count == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "a\0b"},
        {"source": "\ud800"},
        {"metadata": {"key": "\0"}},
        {"metadata": {"key": "\ud800"}},
        {"metadata": {"key": float("nan")}},
        {"tags": ("\0",)},
        {"byte_size": 2**64},
    ],
    ids=["nul", "surrogate", "nul in JSON", "surrogate in JSON", "nan", "nul in a tag", "number"],
)
def test_what_postgresql_cannot_store_is_invalid_input(
    transactions: PostgresTransactions, fields: dict[str, Any]
) -> None:
    owner = a_user(transactions)
    with pytest.raises(InvalidInput), transactions.owner(owner) as work:
        work.records(DOCUMENTS).add(new_id(), a_draft(**fields))
    transactions.probe()


def settle_everything(transactions: PostgresTransactions) -> None:
    with transactions.worker() as work:
        leases = work.index.lease(new_id(), limit=99, seconds=60, suspects=False, max_attempts=6)
        done = [Confirmation(one.item_id, one.revision, "spec", 3) for one in leases]
        assert work.index.confirm(done, leases[0].fence) == {one.item_id for one in leases}


def test_a_change_sends_no_text_that_is_the_same(
    transactions: PostgresTransactions, database_url: str
) -> None:
    owner = a_user(transactions)
    document = a_document(transactions, owner, "A long text.")
    engine = create_engine(database_url)
    sent: list[Any] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith("UPDATE"):
            sent.extend(parameters.values())

    with PostgresTransactions(engine).owner(owner) as work:
        changed(work, document.id, tags=("new",))
        retitled = changed(work, document.id, title="Moon")
    engine.dispose()
    assert ["new"] in sent
    assert "Moon" in sent
    assert "A long text." not in sent
    assert retitled.content_hash == content_hash("Moon", "A long text.")


def test_lists_and_searches_read_no_text() -> None:
    for query in (listed(DOCUMENTS, Listing(9)), by_ids(DOCUMENTS), by_id(DOCUMENTS)):
        assert "items.text" not in str(query)
    assert "items.text" in str(by_id(DOCUMENTS, whole=True))
