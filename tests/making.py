"""Accounts and documents for tests, made through the service's own transactions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from atom_backend.clock import new_id
from atom_backend.domain.documents import Document, DocumentDraft
from atom_backend.domain.items import Kind
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal, Role
from atom_backend.domain.resources.messages import MESSAGES
from atom_backend.domain.resources.rules import Record
from atom_backend.services.records import RecordService


def a_user(
    transactions: Transactions, email: str | None = None, role: Role = Role.USER
) -> Principal:
    """A new account; the answer acts for it without a session, as an operator's command does."""
    user_id = new_id()
    with transactions.sign_in() as work:
        work.add_user(user_id, email or f"{user_id}@example.org", None, role, "no password")
    return Principal(user_id, None, role)


def a_draft(text: str = "The tides follow the moon.", **fields: Any) -> DocumentDraft:
    usual = {"title": "Tides", "content_type": "text/plain", "byte_size": len(text)}
    values: dict[str, Any] = usual | fields
    return DocumentDraft(text=text, **values)


def a_document(
    transactions: Transactions,
    owner: Principal,
    text: str = "The tides follow the moon.",
    **fields: Any,
) -> Document:
    """A new document that waits for its indexing."""
    with transactions.owner(owner) as work:
        document = work.documents.add(new_id(), a_draft(text, **fields))
        work.index.want(document.id, Kind.DOCUMENT, document.content_revision)
    return document


def a_message(transactions: Transactions, owner: Principal, **fields: Any) -> Record:
    """A new message that waits for its indexing."""
    given = {"kind": "email", "body": "The tide comes.", "direction": "in", "references": ()}
    made = RecordService(transactions).create(owner, MESSAGES, given | fields)
    assert isinstance(made, Record)
    return made


def an_entry(transactions: Transactions, owner: Principal, revision: int = 1) -> UUID:
    """A new index entry of an item that need not exist."""
    item_id = new_id()
    with transactions.owner(owner) as work:
        work.index.want(item_id, Kind.DOCUMENT, revision)
    return item_id
