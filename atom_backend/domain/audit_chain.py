"""The audit trail as a chain of digests: whoever knows one of them can prove all before it.

    digest of a seal = SHA-256(digest of the seal before || content of the entry)

The content is the entry's columns that are not null, each as its name and its text in UTF-8, both
after their length in four bytes: no two entries have the same, and a column that comes later
changes no digest of before. Invariant: everything here is plain computing; the database is asked
for texts and for nothing that it could have computed wrongly.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from atom_backend.errors import InvalidInput

FIELDS = (
    "id",
    "at",
    "user_id",
    "session_id",
    "request_id",
    "remote_address",
    "action",
    "resource",
    "item_id",
    "revision",
    "api_key_id",
)
"""The columns of an entry; ``at`` as seconds since 1970 with six decimals."""

GENESIS = hashlib.sha256(b"Atom Backend audit chain 1").digest()
"""What stands before the first seal."""

EntryText = Sequence[str | None]
"""The texts of an entry's ``FIELDS``."""

_HEAD = re.compile(r"(0|[1-9][0-9]{0,17}):([0-9a-f]{64})")


def _framed(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(4, "big") + raw


_NAMES = tuple(_framed(name) for name in FIELDS)


def digest_after(previous: bytes, entry: EntryText) -> bytes:
    """The digest of the seal on this entry, where ``previous`` is that of the seal before."""
    digest = hashlib.sha256(previous)
    for name, text in zip(_NAMES, entry, strict=True):
        if text is not None:
            digest.update(name + _framed(text))
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Head:
    """A place in the chain: the digest of the seal at this position, ``GENESIS`` at 0."""

    position: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.digest.hex()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what ``str`` wrote. Raises InvalidInput."""
        found = _HEAD.fullmatch(text)
        if found is None:
            raise InvalidInput("A head is written as POSITION:DIGEST, with 64 hexadecimal digits.")
        return cls(int(found[1]), bytes.fromhex(found[2]))


@dataclass(frozen=True, slots=True)
class Link:
    """A stored seal and the entry that it is on, None where that is gone."""

    position: int
    entry_id: int
    digest: bytes
    entry: EntryText | None


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal that is to be stored."""

    position: int
    entry_id: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to which ``id`` of an entry all are sealed that will ever be.

    That holds for ``settled_id``. It will hold for ``watched_id`` once no transaction runs whose
    number is below ``watched_until``.
    """

    settled_id: int
    watched_id: int
    watched_until: int


@dataclass(frozen=True, slots=True)
class Moment:
    """The largest ``id`` that can be seen, and the numbers of the oldest transaction that still
    runs and of the next one."""

    latest_id: int
    oldest_running: int
    next_transaction: int


@dataclass(frozen=True, slots=True)
class Depth:
    """How far the chain is: its newest position, the entries that wait, the oldest one's age."""

    position: int
    unsealed: int
    seconds: float


class AuditChain(Protocol):
    """The entries of everybody, and their seals."""

    def hold(self) -> bool:
        """Whether this transaction alone may add seals until it ends."""
        ...

    def base(self) -> Head:
        """Where the chain begins: ``GENESIS``, or the last seal that was removed by pruning."""
        ...

    def head(self) -> Head: ...

    def depth(self) -> Depth: ...

    def mark(self) -> Mark: ...

    def move_mark(self, mark: Mark) -> None: ...

    def moment(self) -> Moment: ...

    def unsealed(self, after_id: int, limit: int) -> list[tuple[int, EntryText]]:
        """Entries without a seal and their ``id``, which is above ``after_id``; lowest first."""
        ...

    def add(self, seals: Sequence[Seal]) -> None: ...

    def links(self, after: int, limit: int) -> list[Link]:
        """Seals above this position, lowest first."""
        ...

    def strays(self, after_id: int, limit: int) -> tuple[int | None, list[int]]:
        """Of so many entries above ``after_id``, whose without a seal; and the last one looked at.

        None where there are no more.
        """
        ...


class AuditorWork(Protocol):
    """A transaction of the auditor."""

    @property
    def chain(self) -> AuditChain: ...
