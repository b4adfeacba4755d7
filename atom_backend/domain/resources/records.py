"""What an owner's transaction offers of one resource.

Invariant: nobody else's record is seen through it, or changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol
from uuid import UUID

from atom_backend.domain.resources.archives import Archived
from atom_backend.domain.resources.listing import Listing
from atom_backend.domain.resources.rules import Others, Record, Values


class Records(Others, Protocol):
    """One owner's records of one resource."""

    def add(self, item_id: UUID, values: Values) -> Record:
        """Make a record, and of a searchable one the index entry that announces it.

        Raises Conflict (``existing_id`` set) when the external identifier is taken.
        """
        ...

    def add_new(self, several: Sequence[Values]) -> int:
        """Add those whose external identifiers are new, leave the others alone; how many were new.

        Only for plain resources; the values are stored as they are, without the resource's rules.
        """
        ...

    def get(self, item_id: UUID, *, for_update: bool = False, whole: bool = False) -> Record:
        """``whole``: with the fields that stand apart. Raises NotFound."""
        ...

    def by_external_id(
        self, external_id: str, *, for_update: bool = False, whole: bool = False
    ) -> Record | None:
        """The record of that name; ``for_update``: locked until the transaction ends."""
        ...

    def restore(self, archived: Archived, values: Values) -> None:
        """Store the record as it was, with these values.

        Raises Conflict as ``add`` does, or with code ``id_taken``.
        """
        ...

    def redate(self, archived: Archived) -> None:
        """Give a restored record its revision and its time again, once what moves it is there."""
        ...

    def everything(self) -> Iterator[Record]:
        """All of them, with their long fields too, read from the server as they are used."""
        ...

    def change(self, before: Record, values: Values) -> Record:
        """Write all values under a new revision; ``before`` is whole.

        Raises Conflict as ``add`` does.
        """
        ...

    def remove(self, item_id: UUID) -> None:
        """Raises NotFound."""
        ...

    def listing(self, listing: Listing) -> list[Record]: ...

    def size(self) -> int:
        """How many there are."""
        ...
