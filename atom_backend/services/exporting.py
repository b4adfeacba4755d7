"""Taking everything out of an account.

Invariant: all of it is of one moment, whatever is written meanwhile, and no more of it is held in
memory than a few records.
"""

from __future__ import annotations

from collections.abc import Generator

from atom_backend.domain.accounts import User
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Record


class Exporting:
    """The use case."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def everything(self, principal: Principal) -> Generator[User | tuple[Resource, Record]]:
        """The account, and then its records with all their fields, resource by resource.

        A transaction is open until the end is reached or the iterator is closed.
        """
        with self._transactions.snapshot(principal) as work:
            yield work.account.get()
            for resource in RESOURCES:
                for record in work.records(resource).everything():
                    yield resource, record
