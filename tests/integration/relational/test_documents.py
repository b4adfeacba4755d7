"""Documents are stored, changed and listed as the port promises."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.documents import DocumentChanges, DocumentListing
from atom_backend.domain.index_state import Confirmation, IndexState
from atom_backend.domain.items import content_hash
from atom_backend.errors import Conflict, InvalidInput, NotFound
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.racing import together
from tests.making import a_document, a_draft, a_user


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
        assert work.documents.get(added.id) == added
        assert work.documents.by_external_id("x-1") == added
        assert work.documents.text(added.id) == "Ebbe und Flut 🌊\r\n"
    assert (added.owner_id, added.revision, added.content_revision) == (owner.user_id, 1, 1)
    assert (added.tags, added.source) == (("sea", "moon"), "mail")
    assert added.metadata == {"deep": {"list": [1, 2.5, None, "ü"]}}
    assert added.content_hash == content_hash("Gezeiten", "Ebbe und Flut 🌊\r\n")
    assert added.index_state is IndexState.PENDING
    assert added.created_at.utcoffset() == timedelta(0)


def test_what_is_not_there_is_not_found(transactions: PostgresTransactions) -> None:
    nowhere = new_id()
    with transactions.owner(a_user(transactions)) as work:
        for attempt in (work.documents.get, work.documents.text, work.documents.remove):
            with pytest.raises(NotFound):
                attempt(nowhere)
        with pytest.raises(NotFound):
            work.documents.change(nowhere, DocumentChanges(title="x"), content_hash=None)
        assert work.documents.by_external_id("nobody") is None


def test_a_change_of_tags_is_a_new_revision_but_not_new_content(
    transactions: PostgresTransactions,
) -> None:
    owner = a_user(transactions)
    before = a_document(transactions, owner, source="mail")
    with transactions.owner(owner) as work:
        changes = DocumentChanges(tags=("new",), source=None)
        after = work.documents.change(before.id, changes, content_hash=None)
    assert (after.revision, after.content_revision) == (2, 1)
    assert (after.tags, after.source, after.title) == (("new",), None, before.title)
    assert after.content_hash == before.content_hash
    assert after.updated_at > before.updated_at


def test_a_change_of_text_makes_its_revision_the_content_revision(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    owner = a_user(transactions)
    document = a_document(transactions, owner)
    settle_everything(transactions)
    with transactions.owner(owner) as work:
        assert work.documents.get(document.id).index_state is IndexState.INDEXED
        work.documents.change(document.id, DocumentChanges(tags=("t",)), content_hash=None)
        changed = work.documents.change(
            document.id, DocumentChanges(text="other"), content_hash=b"h" * 32
        )
        assert work.documents.text(document.id) == "other"
    assert (changed.revision, changed.content_revision) == (3, 3)
    assert changed.content_hash == b"h" * 32
    assert changed.index_state is IndexState.PENDING, "the entry has not heard of it yet"


def test_a_taken_external_identifier_is_a_conflict_that_names_its_holder(
    transactions: PostgresTransactions,
) -> None:
    owner = a_user(transactions)
    first = a_document(transactions, owner, external_id="taken")
    second = a_document(transactions, owner, external_id="free")
    with transactions.owner(owner) as work:
        with pytest.raises(Conflict) as by_add:
            work.documents.add(new_id(), a_draft(external_id="taken"))
        renamed = DocumentChanges(external_id="taken")
        with pytest.raises(Conflict) as by_change:
            work.documents.change(second.id, renamed, content_hash=None)
        assert work.documents.get(second.id) == second, "the transaction goes on"
    for refusal in (by_add.value, by_change.value):
        assert (refusal.code, refusal.existing_id) == ("external_id_taken", str(first.id))


def test_an_external_identifier_may_be_used_by_each_owner(
    transactions: PostgresTransactions,
) -> None:
    for owner in (a_user(transactions), a_user(transactions)):
        document = a_document(transactions, owner, external_id="same")
        with transactions.owner(owner) as work:
            found = work.documents.by_external_id("same")
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
        assert len(work.documents.listing(DocumentListing(limit=10))) == 1


def test_a_document_named_by_external_identifier_is_locked(
    transactions: PostgresTransactions,
) -> None:
    owner = a_user(transactions)
    document = a_document(transactions, owner, external_id="n")

    def count(_: int) -> None:
        with transactions.owner(owner) as work:
            found = work.documents.by_external_id("n")
            assert found is not None
            seen = DocumentChanges(metadata={"n": found.metadata.get("n", 0) + 1})
            work.documents.change(document.id, seen, content_hash=None)

    together(count, 8)
    with transactions.owner(owner) as work:
        assert work.documents.get(document.id).metadata == {"n": 8}


def test_a_document_got_for_update_is_locked(transactions: PostgresTransactions) -> None:
    owner = a_user(transactions)
    document = a_document(transactions, owner)

    def count(_: int) -> None:
        with transactions.owner(owner) as work:
            held = work.documents.get(document.id, for_update=True)
            seen = DocumentChanges(metadata={"n": held.metadata.get("n", 0) + 1})
            work.documents.change(document.id, seen, content_hash=None)

    together(count, 8)
    with transactions.owner(owner) as work:
        assert work.documents.get(document.id).metadata == {"n": 8}


def test_a_removed_document_is_gone(transactions: PostgresTransactions) -> None:
    owner = a_user(transactions)
    document = a_document(transactions, owner)
    with transactions.owner(owner) as work:
        work.documents.remove(document.id)
        with pytest.raises(NotFound):
            work.documents.get(document.id)


def test_a_listing_goes_newest_first_and_page_by_page(transactions: PostgresTransactions) -> None:
    owner = a_user(transactions)
    made = [a_document(transactions, owner).id for _ in range(5)]
    a_document(transactions, a_user(transactions))
    with transactions.owner(owner) as work:
        first = work.documents.listing(DocumentListing(limit=2))
        second = work.documents.listing(DocumentListing(limit=9, after=first[-1].id))
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

    def ids(**conditions: Any) -> list[Any]:
        with transactions.owner(owner) as work:
            listing = DocumentListing(limit=9, **conditions)
            return [document.id for document in work.documents.listing(listing)]

    assert ids(tag="b") == [parked.id, indexed.id]
    assert ids(index_state=IndexState.INDEXED) == [indexed.id]
    assert ids(index_state=IndexState.PENDING) == [leased.id]
    assert ids(index_state=IndexState.PARKED) == [parked.id]
    assert ids(updated_since=indexed.updated_at) == [leased.id, indexed.id]
    with transactions.owner(owner) as work:
        assert work.documents.get(parked.id).index_reason == "too odd"
        assert work.documents.get(indexed.id).chunk_count == 3


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
        work.documents.add(new_id(), a_draft(**fields))
    transactions.probe()


def settle_everything(transactions: PostgresTransactions) -> None:
    with transactions.worker() as work:
        leases = work.index.lease(new_id(), limit=99, seconds=60, suspects=False, max_attempts=6)
        done = [Confirmation(one.item_id, one.revision, "spec", 3) for one in leases]
        assert work.index.confirm(done, leases[0].fence) == {one.item_id for one in leases}
