"""Attempts to log in and the like, slowed when they fail (``domain.throttling`` says how).

Invariant: what is counted is counted in PostgreSQL, so that it is shared by all processes and
survives them, and in the same way for accounts that exist and for those that do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from atom_backend.domain import throttling
from atom_backend.domain.accounts import normalized_email
from atom_backend.domain.addresses import counted_as
from atom_backend.domain.ports import Transactions
from atom_backend.domain.sign_in_work import SignInWork
from atom_backend.domain.throttling import AttemptKeys, Slowing
from atom_backend.errors import TooManyRequests
from atom_backend.telemetry.context import current_remote_address


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that was let through. It counts as failed until its success is told.

    ``own`` is forgiven by a success; what is ``shared`` with attempts of others is not, or whoever
    has one account could try all others.
    """

    own: bytes
    shared: tuple[bytes, ...] = ()

    def succeeded(self, work: SignInWork) -> None:
        work.attempts.succeed(self.own, self.shared)


class Throttle:
    """Lets attempts through or raises TooManyRequests (code ``too_many_attempts``)."""

    def __init__(self, transactions: Transactions, keys: AttemptKeys) -> None:
        self._transactions = transactions
        self._keys = keys

    def log_in(self, email: str) -> Attempt:
        """Before a password is looked at. An address from which this account was used is slowed
        by its own failures alone, so that nobody elsewhere can keep the owner out."""
        account, address = normalized_email(email), _address()
        own = self._keys.key("login", account, address or "")
        shared = {self._keys.key("account", account): throttling.ACCOUNT}
        if address is not None:
            shared[self._keys.key("address", address)] = throttling.ADDRESS
        with self._transactions.sign_in() as work:
            tallies = work.attempts.lock([own, *shared])
            asked = {} if tallies[own].known else shared
            _let_through({own: throttling.PAIR, **asked}, tallies)
            work.attempts.count([own, *shared])
        return Attempt(own, tuple(shared))

    def register(self) -> None:
        """Before an account is made, or refused because there is one: each counts."""
        address = _address()
        if address is not None:
            self._count_one(self._keys.key("registration", address), throttling.REGISTRATIONS)

    def confirm_password(self, user_id: UUID) -> Attempt:
        """Before somebody who is logged in proves to know the password."""
        own = self._keys.key("password", str(user_id))
        self._count_one(own, throttling.PASSWORD)
        return Attempt(own)

    def refresh(self, work: SignInWork) -> None:
        """Before a refresh token is looked at."""
        for key in self._of_refreshing():
            _let_through({key: throttling.ADDRESS}, work.attempts.look([key]))

    def refresh_failed(self, work: SignInWork) -> None:
        for key in self._of_refreshing():
            work.attempts.lock([key])
            work.attempts.count([key])

    def _of_refreshing(self) -> list[bytes]:
        address = _address()
        return [] if address is None else [self._keys.key("refresh", address)]

    def _count_one(self, key: bytes, slowing: Slowing) -> None:
        with self._transactions.sign_in() as work:
            _let_through({key: slowing}, work.attempts.lock([key]))
            work.attempts.count([key])


def _address() -> str | None:
    return counted_as(current_remote_address())


def _let_through(asked: Mapping[bytes, Slowing], tallies: Mapping[bytes, throttling.Tally]) -> None:
    wait = max(slowing.wait(tallies[key]) for key, slowing in asked.items())
    if wait > 0:
        raise TooManyRequests(
            "Too many attempts have failed: wait before the next one.",
            code="too_many_attempts",
            retry_after=wait,
        )
