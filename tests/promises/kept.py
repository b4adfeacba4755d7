"""I1: what was acknowledged is there, whole, and stays; what was refused is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from tests.conftest import RunSql
from tests.promises.expected import FIELDS, Expected, Life, expected
from tests.promises.history import History, Reading, Write


@dataclass(frozen=True)
class Stored:
    """A document as PostgreSQL has it."""

    item: UUID
    user_id: UUID
    external_id: str | None
    revision: int
    fields: Mapping[str, str]


def stored(sql: RunSql) -> list[Stored]:
    """Every document of everybody."""
    rows = sql("select id, owner_id, external_id, revision, title, text, metadata from items")
    return [
        Stored(
            row.id,
            row.owner_id,
            row.external_id,
            row.revision,
            {"title": row.title, "text": row.text, "note": row.metadata.get("note", "")},
        )
        for row in rows
    ]


def broken_writes(history: History, documents: Iterable[Stored]) -> list[str]:
    """Violations of I1."""
    known = expected(history)
    present = {document.item: document for document in documents}
    found = [*_lost_or_risen(known, present.keys()), *_doubled(present.values())]
    for document in present.values():
        found += _wrong(known, document)
    for life in known.lives.values():
        found += [*_revisions_that_go_back(life), *_written_after_the_end(life)]
        found += _lost_updates(life)
    found += _readings(history, known)
    return [f"I1: {violation}" for violation in found]


def _lost_or_risen(known: Expected, present: Iterable[UUID]) -> Iterator[str]:
    there = set(present)
    for life in known.lives.values():
        if life.must_exist and life.item not in there:
            number = life.writes[-1].number
            yield f"lost: item {life.item} of {life.owner}, acknowledged by operation {number}"
        if life.must_be_gone and life.item in there:
            yield f"risen: item {life.item} of {life.owner}, whose deletion was acknowledged"


def _doubled(documents: Iterable[Stored]) -> Iterator[str]:
    texts = Counter(document.fields["text"] for document in documents)
    for text, count in texts.items():
        if count > 1:
            yield f"doubled: {count} documents have the one text {text[:60]!r}"


def _wrong(known: Expected, document: Stored) -> Iterator[str]:
    owner = known.owner_of(document.user_id)
    life = known.lives.get(document.item)
    for name in FIELDS:
        value = document.fields[name]
        writer = known.writers.get((name, value))
        if writer is None:
            yield f"torn: the {name} of {document.item} is what nobody wrote: {value[:60]!r}"
        elif not writer.possible:
            yield f"refused: operation {writer.number} took effect on {document.item}"
        elif owner is not None and not writer.may_concern(
            owner, document.item, document.external_id
        ):
            yield f"strayed: operation {writer.number} is not of {document.item} of {owner}"
        elif life is not None:
            yield from _outdated(life, document, name, writer)


def _outdated(life: Life, document: Stored, name: str, writer: Write) -> Iterator[str]:
    latest = life.latest(name)
    if latest is None or document.fields[name] == latest.fields[name]:
        return
    if writer.acknowledged and writer.once:
        yield (
            f"overwritten: the {name} of {life.item} is of operation {writer.number}, "
            f"but operation {latest.number} came later"
        )
    elif document.revision <= (latest.revision or 0):
        yield f"undone: the {name} of {life.item} is not that of operation {latest.number}"


def _revisions_that_go_back(life: Life) -> Iterator[str]:
    """Of two writes, one begun after the other was acknowledged, the later has the higher one."""
    for later in life.writes:
        before = [write.revision or 0 for write in life.writes if write.ended < later.begun]
        reached = max(before, default=0)
        revision = later.revision or 0
        if revision < reached or (later.once and revision == reached):
            yield f"order: operation {later.number} got revision {revision} after {reached}"


def _written_after_the_end(life: Life) -> Iterator[str]:
    for write in life.writes:
        if write.begun > life.gone_since:
            yield f"ghost: operation {write.number} wrote {life.item}, which had been deleted"


def _lost_updates(life: Life) -> Iterator[str]:
    for write in life.writes:
        replaced = (write.revision or 0) - 1
        if write.once and write.based_on not in {None, replaced}:
            yield f"overtaken: operation {write.number} replaced revision {replaced} unseen"


def _readings(history: History, known: Expected) -> Iterator[str]:
    for reading in history.of(Reading):
        life = known.lives.get(reading.item)
        if life is None or life.owner != reading.owner:
            continue
        if reading.revision is None:
            if all(end.begun > reading.ended for end in life.ends):
                yield f"unseen: operation {reading.number} was told that {life.item} is not there"
            continue
        if reading.begun > life.gone_since:
            yield f"ghost: operation {reading.number} read {life.item}, which had been deleted"
        reached = [w.revision or 0 for w in life.writes if w.ended < reading.begun]
        if reading.revision < max(reached, default=0):
            yield f"stale: operation {reading.number} read revision {reading.revision}"
        if reading.text is not None:
            yield from _misread(reading, reading.text, known, life)


def _misread(reading: Reading, text: str, known: Expected, life: Life) -> Iterator[str]:
    """A text is that of the last write up to the revision under which it was read."""
    writer = known.writers.get(("text", text))
    if writer is None or not writer.possible:
        yield f"torn: operation {reading.number} read of {life.item} what nobody wrote"
        return
    upto = [w.revision or 0 for w in life.writes if "text" in w.fields]
    newest = max((r for r in upto if r <= (reading.revision or 0)), default=0)
    if writer.acknowledged and writer.once and writer.revision != newest:
        yield f"misread: operation {reading.number} read of {life.item} another revision's text"
