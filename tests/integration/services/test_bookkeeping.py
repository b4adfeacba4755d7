"""Bookkeeping by many at once: no cent is lost, and nobody is told of a deadlock."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from atom_backend.domain.finance.transfers import Transfer
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.accounts import ACCOUNTS
from atom_backend.domain.resources.listing import Listing
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.resources.transactions import TRANSACTIONS
from atom_backend.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from atom_backend.relational.transactions import PostgresTransactions
from atom_backend.services.bookkeeping import Bookkeeping
from atom_backend.services.records import RecordService
from tests.conftest import RunSql
from tests.integration.relational.racing import together
from tests.making import a_user

THREADS, WRITES = 6, 25
NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
EVERYTHING = Listing(limit=10_000)


class Books:
    """One owner's accounts, and the services that write on them."""

    def __init__(self, transactions: PostgresTransactions, owner: Principal) -> None:
        self.owner = owner
        self.records = RecordService(transactions)
        self.bookkeeping = Bookkeeping(transactions, self.records)
        self.accounts = [self.open_account() for _ in range(3)]

    def open_account(self) -> UUID:
        made = self.records.create(self.owner, ACCOUNTS, {"name": "Purse", "currency": "EUR"})
        assert isinstance(made, Record)
        return made.id

    def book(self, account_id: UUID, amount: Decimal, external_id: str | None = None) -> None:
        given = {"account_id": account_id, "amount": amount, "posted_at": NOW}
        self.records.ingest(self.owner, TRANSACTIONS, given | {"external_id": external_id})

    def transfer(self, origin: UUID, destination: UUID, amount: Decimal) -> None:
        self.bookkeeping.transfer(self.owner, Transfer(origin, destination, amount, NOW))

    def written(self) -> list[Record]:
        return self.records.listing(self.owner, TRANSACTIONS, EVERYTHING)

    def one_write(self, chance: random.Random) -> None:
        """Any write there is; the record may be gone, or be a side of a transfer."""
        a, b = chance.sample(self.accounts, 2)
        amount = Decimal(chance.randint(1, 10**16)).scaleb(-2)
        one = chance.choice(self.written() or [None])
        act = chance.choice(("book", "name", "transfer", "transfer", "change", "move", "remove"))
        try:
            if act == "book" or one is None:
                self.book(a, -amount)
            elif act == "name":
                self.book(a, amount, f"name-{chance.randint(1, 3)}")
            elif act == "transfer":
                self.transfer(a, b, amount)
            elif act == "remove":
                self.records.remove(self.owner, TRANSACTIONS, one.id)
            else:
                patch = {"amount": amount} if act == "change" else {"account_id": b}
                self.records.change(self.owner, TRANSACTIONS, one.id, patch)
        except (NotFound, InvalidInput):
            pass

    def balances(self) -> dict[UUID, Decimal]:
        accounts = self.records.listing(self.owner, ACCOUNTS, EVERYTHING)
        return {one.id: one.values["balance"] for one in accounts}


@pytest.fixture
def books(transactions: PostgresTransactions) -> Books:
    return Books(transactions, a_user(transactions))


def test_no_cent_is_lost_and_no_deadlock_is_answered(books: Books) -> None:
    def work(number: int) -> None:
        chance = random.Random(number)
        for _ in range(WRITES):
            books.one_write(chance)

    together(work, THREADS)
    sums = dict.fromkeys(books.accounts, Decimal(0))
    sides: dict[UUID, list[Decimal]] = {}
    for one in books.written():
        sums[one.values["account_id"]] += one.values["amount"]
        if one.values["transfer_id"] is not None:
            sides.setdefault(one.values["transfer_id"], []).append(one.values["amount"])
    assert books.balances() == sums
    assert sides
    assert all(len(both) == 2 and sum(both) == 0 for both in sides.values())


def test_an_account_is_removed_or_written_on_but_never_both(books: Books) -> None:
    """A write that comes too late finds no account; the account that has one stays."""
    for _ in range(5):
        account = books.open_account()

        def race(number: int, account: UUID = account) -> type[Exception] | None:
            try:
                if number:
                    books.book(account, Decimal(1))
                else:
                    books.records.remove(books.owner, ACCOUNTS, account)
            except (Conflict, InvalidInput) as refused:
                return type(refused)
            return None

        assert together(race, 2) in ([Conflict, None], [None, InvalidInput])


def test_the_owner_can_leave_while_transfers_are_made(
    books: Books, transactions: PostgresTransactions, sql: RunSql
) -> None:
    def work(number: int) -> None:
        chance = random.Random(number)
        try:
            while True:
                books.one_write(chance)
        except Unauthenticated:
            pass

    with ThreadPoolExecutor(THREADS) as pool:
        working = [pool.submit(work, number) for number in range(THREADS)]
        while len(books.written()) < THREADS:
            pass
        with transactions.owner(books.owner) as leaving:
            leaving.account.remove()
        for one in working:
            one.result(60)
    assert sql("select from accounts union all select from transactions") == []
