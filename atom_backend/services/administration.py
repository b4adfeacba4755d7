"""What only an administrator may do.

Invariant: who may is decided by the account as it is now, in the same transaction as the answer;
an access token that was issued before the account lost its role opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from atom_backend.domain.permissions import Role
from atom_backend.domain.ports import Transactions
from atom_backend.domain.principals import Principal
from atom_backend.domain.transactions import OwnerWork
from atom_backend.errors import Forbidden


@contextmanager
def administrating(transactions: Transactions, principal: Principal) -> Iterator[OwnerWork]:
    """A transaction of an administrator. Raises Forbidden for everybody else."""
    with transactions.owner(principal) as work:
        if work.account.get().role is not Role.ADMIN:
            raise Forbidden("Only an administrator may do that.")
        yield work
