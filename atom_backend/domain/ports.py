"""The ports: what the use cases need from the outside world, as bare nouns.

Adapters fill them (``relational``, ``vectors``, ``embedding``, ``extraction``, ``vault``); only
``bootstrap`` knows which. Every method raises only errors of ``atom_backend.errors``; "does not
answer" is always a ``DependencyError``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, Protocol
from uuid import UUID

from atom_backend.domain.audit_chain import AuditorWork
from atom_backend.domain.calendar.calendar_files import CalendarImport
from atom_backend.domain.calendar.events import Event
from atom_backend.domain.census import ChunkRows, MarkRows
from atom_backend.domain.extracted import Extracted
from atom_backend.domain.generations import Generation, Pointer
from atom_backend.domain.items import Chunk, Kind, Projection, Span, Vector, Vectors
from atom_backend.domain.key_rotation import VaultWork
from atom_backend.domain.messaging.mail import Mail, MboxMessage
from atom_backend.domain.owner_work import OwnerWork
from atom_backend.domain.principals import OwnerScope, Principal
from atom_backend.domain.search import LegHits
from atom_backend.domain.sign_in_work import SignInWork
from atom_backend.domain.similar import Neighbours
from atom_backend.domain.worker_work import CensusWork, WorkerWork


class Embedder(Protocol):
    """Text in, vectors out."""

    @property
    def fingerprint(self) -> str:
        """Model, engine and file: two equal fingerprints give comparable vectors."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text, each of length 1.

        Raises EmbedderUnavailable, or RefusedVector where the model gave NaN, zero or a wrong size.
        """
        ...


class Chunker(Protocol):
    """Cuts a text into spans that the model reads whole, title included."""

    @property
    def version(self) -> str: ...

    def heading(self, title: str) -> str:
        """The title as it is embedded before each passage: one line, cut to a few dozen tokens."""
        ...

    def split(self, text: str, *, title: str = "") -> list[Span]:
        """What is embedded for a span is ``embedding_text(heading(title), text[start:end])``."""
        ...


class Extractor(Protocol):
    """Bytes in, text out; what the bytes are is decided by content."""

    def extract(self, content: bytes, *, name: str | None = None) -> Extracted:
        """Raises InvalidInput, UnsupportedMedia or TooLarge, and nothing else."""
        ...


class CalendarFiles(Protocol):
    """Calendar files in, events out, and back."""

    def read(self, content: bytes, *, time_zone: str) -> CalendarImport:
        """``time_zone`` is where times without a zone are reckoned.

        Raises InvalidInput, UnsupportedMedia or TooLarge where no event of it can be read.
        """
        ...

    def write(
        self, events: Iterable[tuple[str, Event]], *, written_at: datetime
    ) -> Iterator[bytes]:
        """The events with what they are called (UID), piece by piece; those of one calendar stand
        together."""
        ...


class MailReader(Protocol):
    """Mails in (RFC 5322, mbox), messages with their files and doubts out."""

    def split(self, stream: BinaryIO, *, mbox_file: bool | None = None) -> Iterator[MboxMessage]:
        """The mails of a stream that is read once; without ``mbox_file`` its beginning decides
        whether it is an mbox or one mail."""
        ...

    def mail(
        self, content: bytes, *, own: Sequence[str] = (), cut: bool = False, files: bool = False
    ) -> Mail:
        """``own`` are the addresses of the owner; ``cut`` says that the end is missing; without
        ``files`` their bytes are left out.

        Raises InvalidInput or TooLarge for what is no mail or beyond what is read;
        DependencyError where no process reads.
        """
        ...


class Passwords(Protocol):
    """Password hashing."""

    def hash(self, password: str) -> str: ...

    def verify(self, password: str, hashed: str) -> bool: ...


class AccessTokens(Protocol):
    """Short-lived signed tokens that can be checked without any store."""

    @property
    def lifetime(self) -> int:
        """Seconds."""
        ...

    def issue(self, principal: Principal) -> str: ...

    def read(self, token: str) -> Principal:
        """Raises Unauthenticated."""
        ...


class Transactions(Protocol):
    """PostgreSQL, as one transaction at a time: committed on a clean exit, else rolled back.

    Each kind of work runs under its own database role and sees only what that role may see.
    """

    def owner(self, principal: Principal) -> AbstractContextManager[OwnerWork]:
        """One owner's rows. Raises Unauthenticated when the principal's session has ended."""
        ...

    def snapshot(self, principal: Principal) -> AbstractContextManager[OwnerWork]:
        """One owner's rows of one moment, however long it takes; nothing can be written."""
        ...

    def sign_in(self, principal: Principal | None = None) -> AbstractContextManager[SignInWork]:
        """Accounts, sessions and refresh tokens, before it is known who is asking; or of somebody
        who is known, and who may do to the own account what no owner's transaction can."""
        ...

    def worker(self) -> AbstractContextManager[WorkerWork]:
        """Index entries and sources of every owner."""
        ...

    def census(self) -> AbstractContextManager[CensusWork]:
        """One snapshot of what should be in the index; nothing can be written."""
        ...

    def auditor(self) -> AbstractContextManager[AuditorWork]:
        """The audit trail of everybody, and its seals."""
        ...

    def inspection(self) -> AbstractContextManager[AuditorWork]:
        """The same at one moment, however long it takes; nothing can be written."""
        ...

    def vault(self) -> AbstractContextManager[VaultWork]:
        """What is sealed, of every owner, to be rewrapped; and the vault's canary."""
        ...

    def elected(self, duty: str) -> AbstractContextManager[bool]:
        """Whether this process alone may do ``duty`` until the context ends."""
        ...

    def probe(self) -> None:
        """A real write and read. Raises DatabaseUnavailable."""
        ...


class Wakeup(Protocol):
    """Shortens the worker's wait; losing a signal costs time, never correctness."""

    def wait(self, seconds: float) -> bool:
        """Returns early, with True, when new work was announced."""
        ...

    def close(self) -> None: ...


class VectorSearch(Protocol):
    """The reading half of the vector store. Every read of rows is bound to one owner."""

    def search(
        self,
        scope: OwnerScope,
        *,
        vector: Vector | None,
        text: str | None,
        depth: int,
        kinds: frozenset[Kind] = frozenset(),
        item_ids: Sequence[UUID] | None = None,
    ) -> tuple[LegHits, ...]:
        """Run the vector leg and the full-text leg, whichever are given, at the same time.

        Each gives at most ``depth`` chunks. ``item_ids`` narrows both legs to these items before
        either ranks (up to 5,000); ``kinds`` empty means all.
        """
        ...

    def chunks(self, scope: OwnerScope, item_id: UUID) -> tuple[int, list[Chunk]] | None:
        """The newest stored revision of an item and its chunks in order; None if there is none."""
        ...

    def embedding(self, scope: OwnerScope, item_id: UUID) -> tuple[int, Vector] | None:
        """The newest stored revision of an item and its document-level vector; None if none."""
        ...

    def nearest(
        self,
        scope: OwnerScope,
        vector: Vector,
        *,
        depth: int,
        kinds: frozenset[Kind] = frozenset(),
        item_ids: Sequence[UUID] | None = None,
    ) -> Neighbours:
        """At most ``depth`` items by their document-level vectors; the rest as for ``search``."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """Rows by table name."""
        ...

    def probe(self) -> None:
        """A real write and read. Raises VectorStoreUnavailable or VectorStoreCorrupt."""
        ...


class VectorStore(VectorSearch, Protocol):
    """The whole vector store; only the coordinator writes.

    Rows carry the fence they were written under. Single calls are atomic on one table; the
    order between calls is the coordinator's business. A call with ``into`` raises
    VectorStoreUnavailable, and writes nothing, once another generation is the current one.
    """

    def generation(self) -> Generation:
        """The one that calls work on at present."""
        ...

    def add_chunks(
        self, projections: Sequence[Projection], fence: int, *, into: Generation | None = None
    ) -> None: ...

    def add_processed(
        self, projections: Sequence[Projection], fence: int, *, into: Generation | None = None
    ) -> None:
        """The commit mark of each item: its processed row."""
        ...

    def drop_older(
        self, item_ids: Iterable[UUID], fence: int, *, into: Generation | None = None
    ) -> None:
        """Remove these items' rows with a lower fence, in both tables."""
        ...

    def drop_fence(self, item_ids: Iterable[UUID], fence: int) -> None:
        """Remove these items' rows with exactly this fence: undo what a late worker added."""
        ...

    def drop_items(self, item_ids: Iterable[UUID]) -> None:
        """Remove everything of these items, in both tables."""
        ...

    def drop_foreign(self, owners: Mapping[UUID, UUID]) -> None:
        """Remove the rows of each item that belong to another owner than the one named for it."""
        ...

    def holding(self, item_ids: Iterable[UUID]) -> set[UUID]:
        """Which of these items still have a row in either table."""
        ...

    def chunk_census(self, spec: str, among: Sequence[UUID] | None = None) -> Iterator[ChunkRows]:
        """Every row of chunks, or those of up to 5,000 items, some thousands at a time.

        ``spec`` is the index spec that counts as current. The iteration raises VectorStoreCorrupt,
        naming the table, where rows cannot be read.
        """
        ...

    def mark_census(self, spec: str, among: Sequence[UUID] | None = None) -> Iterator[MarkRows]:
        """The same for processed rows."""
        ...

    def maintain(self) -> str:
        """Compact, prune and index what has grown; a sentence that says what was done."""
        ...


class Generations(Protocol):
    """The generations of the tables in one place, and the pointer that names the active one.

    Only one process at a time may change anything; the caller sees to that.
    """

    def pointer(self) -> Pointer | None:
        """None where there is no store. Raises VectorStoreCorrupt when it cannot be understood."""
        ...

    def point(self, pointer: Pointer) -> None: ...

    def make(self, number: int) -> list[str]:
        """Make the tables and indexes of a generation, as far as they are missing; what was made.

        Raises ConfigurationError where there are tables of another version or model.
        """
        ...

    def complete(self, number: int) -> list[str]:
        """The same for indexes. Raises VectorStoreUnavailable where a table is missing."""
        ...

    def numbers(self) -> set[int]:
        """The generations of which there is any table."""
        ...

    def empty(self, number: int) -> bool:
        """Whether the tables of a generation hold no row, or are not there."""
        ...

    def discard(self, number: int) -> None:
        """Drop the tables of a generation; of missing ones too."""
        ...
