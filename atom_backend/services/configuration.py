"""What administrators configure for the whole service.

Invariant: row-level security lets nobody else change it; what is set fits its key.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from atom_backend.domain.configuration import CONFIGURABLE, Configuration
from atom_backend.domain.metadata import alike
from atom_backend.domain.options import Setting, Stored
from atom_backend.domain.ports import Transactions
from atom_backend.domain.preconditions import IfMatch
from atom_backend.domain.principals import Principal
from atom_backend.errors import NotFound


class ConfigurationService:
    """The administrator's use cases, and the operator's.

    Keys that are not known raise NotFound.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def listing(self, principal: Principal) -> list[Setting]:
        with self._transactions.owner(principal) as work:
            return CONFIGURABLE.settings(work.configuration.every())

    def get(self, principal: Principal, key: str) -> Setting:
        with self._transactions.owner(principal) as work:
            return _setting(key, work.configuration.get(key))

    def put(
        self, principal: Principal, key: str, value: Any, if_match: IfMatch | None = None
    ) -> Setting:
        with self._transactions.owner(principal) as work:
            return _put(work.configuration, key, value, if_match, principal.user_id)

    def reset(self, principal: Principal, key: str, if_match: IfMatch | None = None) -> None:
        """Back to the default; idempotent."""
        with self._transactions.owner(principal) as work:
            before = work.configuration.get(_known(key), for_update=True)
            if if_match is not None:
                if_match.check(before.revision if before else None)
            work.configuration.remove(key)

    def put_by_operator(self, key: str, value: Any) -> Setting:
        """For whoever has the machine, and so needs no account."""
        with self._transactions.sign_in() as work:
            return _put(work.configuration, key, value, None, None)

    def reset_by_operator(self, key: str) -> Setting:
        """Back to the default."""
        with self._transactions.sign_in() as work:
            work.configuration.remove(_known(key))
            return _setting(key, None)

    def listing_by_operator(self, key: str | None = None) -> list[Setting]:
        """What holds under this key, or under all."""
        with self._transactions.sign_in() as work:
            if key is not None:
                return [_setting(key, work.configuration.get(_known(key)))]
            return CONFIGURABLE.settings(work.configuration.every())


def _put(
    configuration: Configuration,
    key: str,
    value: Any,
    if_match: IfMatch | None,
    by: UUID | None,
) -> Setting:
    CONFIGURABLE.check(_known(key), value)
    before = configuration.get(key, for_update=True)
    if if_match is not None:
        if_match.check(before.revision if before else None)
    if before is not None and alike(before.value, value):
        return _setting(key, before)
    return _setting(key, configuration.put(key, value, by))


def _known(key: str) -> str:
    if not CONFIGURABLE.knows(key):
        keys = ", ".join(one.key for one in CONFIGURABLE)
        raise NotFound(f"There is no such key; there are {keys}.")
    return key


def _setting(key: str, stored: Stored | None) -> Setting:
    setting = CONFIGURABLE.setting(_known(key), stored)
    assert setting is not None
    return setting
