"""Whether a chain of seals still says what it said: what is wrong with it, and from where on.

Invariant: a seal is compared with the one that is stored before it, so that one changed entry is
one breach, and everything behind it is still examined.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from atom_backend.domain.audit_chain import EntryText, Head, Link, digest_after

_SHOWN = 20


class Breach(StrEnum):
    """How the trail differs from what was sealed."""

    CHANGED = "changed"
    REMOVED = "removed"
    GAP = "gap"
    INSERTED = "inserted"
    UNSEALED = "unsealed"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach; ``position`` and ``entry_id`` where it has them."""

    breach: Breach
    detail: str
    position: int | None = None
    entry_id: int | None = None


@dataclass
class Verification:
    """What was examined so far; ``known`` are heads that were noted before, to be found again."""

    base: Head
    known: Sequence[Head] = ()
    head: Head = field(init=False)
    counts: Counter[Breach] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.head = self.base
        for known in self.known:
            if known.position == self.base.position:
                self._compare(known, self.base.digest)

    @property
    def holds(self) -> bool:
        return not self.counts

    def examine(self, links: Iterable[Link]) -> None:
        """The next links of the chain, in order."""
        for link in links:
            self._examine(link)
            self.head = Head(link.position, link.digest)
            for known in self.known:
                if known.position == link.position:
                    self._compare(known, link.digest)

    def end(self) -> None:
        """There are no more links."""
        for known in self.known:
            if known.position > self.head.position:
                said = f"the chain ends at position {self.head.position}, before {known.position}"
                self._found(Breach.TRUNCATED, said, known.position)

    def stray(self, entry_id: int) -> None:
        """An entry without a seal among entries that were all sealed long ago."""
        self._found(Breach.INSERTED, "has no seal, though all around it have", None, entry_id)

    def waits(self, count: int, seconds: float) -> None:
        """So many entries have no seal, the oldest for so long."""
        said = f"{count} entries have no seal yet, one for {seconds:.0f} seconds"
        self._found(Breach.UNSEALED, said)

    def as_json(self) -> dict[str, Any]:
        return {
            "holds": self.holds,
            "base": str(self.base),
            "head": str(self.head),
            "unprovable": [str(one) for one in self.unprovable],
            "counts": {breach.value: count for breach, count in self.counts.items()},
            "findings": [
                {
                    "breach": one.breach.value,
                    "position": one.position,
                    "entry_id": one.entry_id,
                    "detail": one.detail,
                }
                for one in self.findings
            ],
        }

    @property
    def unprovable(self) -> list[Head]:
        """Heads that were noted before the beginning of the chain was removed."""
        return [known for known in self.known if known.position < self.base.position]

    def _examine(self, link: Link) -> None:
        expected = self.head.position + 1
        if link.position != expected:
            said = f"the seals of positions {expected} to {link.position - 1} are gone"
            self._found(Breach.GAP, said, expected)
        if link.entry is None:
            self._found(Breach.REMOVED, "is gone, its seal is left", link.position, link.entry_id)
        elif link.position == expected and self._digest_of(link.entry) != link.digest:
            said = "it, its seal or the seal before is not what it was"
            self._found(Breach.CHANGED, said, link.position, link.entry_id)

    def _digest_of(self, entry: EntryText) -> bytes:
        return digest_after(self.head.digest, entry)

    def _compare(self, known: Head, digest: bytes) -> None:
        if known.digest != digest:
            said = f"position {known.position} had the digest {known.digest.hex()}"
            self._found(Breach.REWRITTEN, said, known.position)

    def _found(
        self, breach: Breach, said: str, position: int | None = None, entry_id: int | None = None
    ) -> None:
        self.counts[breach] += 1
        if len(self.findings) < _SHOWN:
            self.findings.append(Finding(breach, said, position, entry_id))
