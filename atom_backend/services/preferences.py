"""Preferences of one user: what was set, and the defaults of all that was not.

Invariant: what is set is stored and checked as every other record is; a default is never stored.
"""

from __future__ import annotations

from typing import Any

from atom_backend.domain.options import Setting, Stored
from atom_backend.domain.preconditions import IfMatch
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.listing import Listing
from atom_backend.domain.resources.preferences import KNOWN, MOST, PREFERENCES
from atom_backend.domain.resources.rules import Record
from atom_backend.errors import NotFound
from atom_backend.services.records import RecordService


class Preferences:
    """The use cases around one user's preferences."""

    def __init__(self, records: RecordService) -> None:
        self._records = records

    def listing(self, principal: Principal) -> list[Setting]:
        """All that hold, by key."""
        found = self._records.listing(principal, PREFERENCES, Listing(limit=MOST))
        return KNOWN.settings(map(_stored, found))

    def get(self, principal: Principal, key: str) -> Setting:
        """Raises NotFound where nothing was set under a key without a default."""
        setting = KNOWN.setting(key, self._set(principal, key))
        if setting is None:
            raise NotFound("Nothing is set under this key, and it has no default.")
        return setting

    def put(
        self, principal: Principal, key: str, value: Any, if_match: IfMatch | None = None
    ) -> tuple[Setting, bool]:
        """Set a value; also whether nothing was set there before.

        Raises InvalidInput, or Conflict (``too_many``).
        """
        given = {"external_id": key, "value": value}
        put = self._records.put(principal, PREFERENCES, given, if_match)
        setting = KNOWN.setting(key, _stored(put.record))
        assert setting is not None
        return setting, put.outcome == "new"

    def reset(self, principal: Principal, key: str, if_match: IfMatch | None = None) -> None:
        """Back to the default, or to nothing. Raises NotFound as ``get`` does."""
        try:
            record = self._records.get_by_external_id(principal, PREFERENCES, key)
            self._records.remove(principal, PREFERENCES, record.id, if_match)
        except NotFound:
            if if_match is not None:
                if_match.check(None)
            if not KNOWN.knows(key):
                raise

    def _set(self, principal: Principal, key: str) -> Stored | None:
        try:
            return _stored(self._records.get_by_external_id(principal, PREFERENCES, key))
        except NotFound:
            return None


def _stored(record: Record) -> Stored:
    key, value = record.values["external_id"], record.values["value"]
    return Stored(key, value, record.revision, record.updated_at)
