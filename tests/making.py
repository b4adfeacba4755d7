"""Accounts and documents for tests, made through the service's own transactions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from atom_backend.clock import new_id
from atom_backend.domain.items import Kind
from atom_backend.domain.owner_work import OwnerWork, StoredResponse
from atom_backend.domain.permissions import Role
from atom_backend.domain.ports import Transactions
from atom_backend.domain.preconditions import IfMatch
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.resources.messages import MESSAGES
from atom_backend.domain.resources.rules import Record, Values
from atom_backend.domain.resources.tasks import TASKS
from atom_backend.services.idempotency import Receipt
from atom_backend.services.records import Put, RecordService
from atom_backend.services.waiting import Waiting


def a_user(
    transactions: Transactions, email: str | None = None, role: Role = Role.USER
) -> Principal:
    """A new account; the answer acts for it without a session, as an operator's command does."""
    user_id = new_id()
    with transactions.sign_in() as work:
        work.add_user(user_id, email or f"{user_id}@example.org", None, role, "no password")
    return Principal(user_id, None, role)


def a_draft(text: str = "The tides follow the moon.", **fields: Any) -> dict[str, Any]:
    """All values of a document."""
    usual = {"title": "Tides", "content_type": "text/plain", "byte_size": len(text)}
    unsaid: dict[str, Any] = {"source": None, "external_id": None, "tags": (), "metadata": {}}
    return {**usual, **unsaid, "text": text, **fields}


def a_document(
    transactions: Transactions,
    owner: Principal,
    text: str = "The tides follow the moon.",
    **fields: Any,
) -> Record:
    """A new document that waits for its indexing."""
    with transactions.owner(owner) as work:
        return work.records(DOCUMENTS).add(new_id(), a_draft(text, **fields))


def changed(work: OwnerWork, document_id: UUID, **fields: Any) -> Record:
    """A document after such a change, which is not announced to the index."""
    documents = work.records(DOCUMENTS)
    before = documents.get(document_id, for_update=True, whole=True)
    return documents.change(before, {**before.values, **fields})


class Documents:
    """The use cases of records, of documents alone."""

    def __init__(self, transactions: Transactions, waiting: Waiting | None = None) -> None:
        self._records = RecordService(transactions, waiting=waiting)

    def create(
        self, owner: Principal, given: Values, receipt: Receipt[Record] | None = None
    ) -> Record | StoredResponse:
        return self._records.create(owner, DOCUMENTS, given, receipt)

    def put(
        self, owner: Principal, name: str, given: Values, if_match: IfMatch | None = None
    ) -> Put:
        return self._records.put(owner, DOCUMENTS, {**given, "external_id": name}, if_match)

    def get(self, owner: Principal, document_id: UUID) -> Record:
        return self._records.get(owner, DOCUMENTS, document_id)

    def whole(self, owner: Principal, document_id: UUID) -> Record:
        return self._records.whole(owner, DOCUMENTS, document_id)

    def named(self, owner: Principal, name: str) -> Record:
        return self._records.get_by_external_id(owner, DOCUMENTS, name)

    def change(
        self,
        owner: Principal,
        document_id: UUID,
        patch: Values,
        if_match: IfMatch | None = None,
    ) -> Record:
        return self._records.change(owner, DOCUMENTS, document_id, patch, if_match)

    def remove(self, owner: Principal, document_id: UUID, if_match: IfMatch | None = None) -> None:
        self._records.remove(owner, DOCUMENTS, document_id, if_match)

    def wait_until_indexed(self, owner: Principal, document: Record, seconds: float) -> Record:
        return self._records.wait_until_indexed(owner, DOCUMENTS, document, seconds)


def a_message(transactions: Transactions, owner: Principal, **fields: Any) -> Record:
    """A new message that waits for its indexing."""
    given = {"kind": "email", "body": "The tide comes.", "direction": "in", "references": ()}
    made = RecordService(transactions).create(owner, MESSAGES, given | fields)
    assert isinstance(made, Record)
    return made


def a_task(transactions: Transactions, owner: Principal, title: str) -> Record:
    """A new task that waits for its indexing."""
    made = RecordService(transactions).create(owner, TASKS, {"title": title})
    assert isinstance(made, Record)
    return made


def an_entry(transactions: Transactions, owner: Principal, revision: int = 1) -> UUID:
    """A new index entry of an item that need not exist."""
    item_id = new_id()
    with transactions.owner(owner) as work:
        work.index.want(item_id, Kind.DOCUMENT, revision)
    return item_id
