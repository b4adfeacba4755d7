"""I4 and I6: what searches may and must show, at any moment and in any mode, similar items too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from tests.promises.expected import Expected, Life, expected
from tests.promises.history import Event, Farewell, History, Hit, Reading, Removal, Search, Write

LEGS = {
    "hybrid": {"vector", "text"},
    "vector": {"vector"},
    "text": {"text"},
    "similar": {"vector"},
}
"""By mode, what an answer that lacks nothing has asked."""


def wrong_hits(history: History, owners: Mapping[UUID, str] | None = None) -> list[str]:
    """Violations of I4. ``owners``: of items that no answer ever named, if anybody knows."""
    known = expected(history)
    belongs = dict(owners or {}) | {life.item: life.owner for life in known.lives.values()}
    found: list[str] = []
    for search in history.of(Search):
        for hit in search.hits:
            found += _wrong(search, hit, known, belongs.get(hit.item))
    return [f"I4: {violation}" for violation in found]


def _wrong(search: Search, hit: Hit, known: Expected, owner: str | None) -> Iterator[str]:
    who = f"search {search.number} of {search.owner}"
    if owner is not None and owner != search.owner:
        yield f"foreign: {who} found {hit.item} of {owner}"
    writers = [_writer_of(known, passage) for passage in hit.passages]
    if None in writers:
        yield f"torn: {who} showed a passage of {hit.item} that nobody wrote"
    texts = [writer for writer in writers if writer is not None]
    for writer in texts:
        if writer.owner != search.owner:
            yield f"foreign: {who} showed what operation {writer.number} of {writer.owner} wrote"
    life = known.lives.get(hit.item)
    if life is None or not hit.enriched:
        return
    if life.gone_since < search.begun:
        yield f"deleted: {who} found {hit.item}, whose deletion had been acknowledged"
    if not hit.stale:
        yield from _unmarked(who, search, life, texts)


def _unmarked(who: str, search: Search, life: Life, shown: Iterable[Write]) -> Iterator[str]:
    """A hit that is not marked as stale shows the text that the item had when it was asked for."""
    before = [w for w in life.writes if "text" in w.fields and w.ended < search.begun]
    newest = max((write.revision or 0 for write in before), default=0)
    for writer in shown:
        if writer.acknowledged and writer.once and (writer.revision or 0) < newest:
            yield f"old: {who} showed {life.item} as operation {writer.number} wrote it, unmarked"


def _writer_of(known: Expected, passage: str) -> Write | None:
    """Whose text the passage is a part of; every sentence names its write."""
    for word in passage.split():
        writer = known.words.get(word)
        if writer is not None:
            return writer if passage in writer.fields["text"] else None
    return None


def silent_gaps(history: History) -> list[str]:
    """Violations of I6."""
    known = expected(history)
    doings = _doings(history)
    seen = _seen_indexed(history)
    found: list[str] = []
    for search in history.of(Search):
        missing = LEGS[search.mode] - set(search.legs)
        if missing and not search.degraded:
            found.append(f"search {search.number} lacks {sorted(missing)} and does not say so")
        if not search.legs:
            found.append(f"search {search.number} was answered by nobody")
        found += _unfound(search, known, doings[search.owner], seen)
    return [f"I6: {violation}" for violation in found]


def _unfound(
    search: Search, known: Expected, doings: list[Event], seen: Mapping[UUID, list[Reading]]
) -> Iterator[str]:
    """What the one word must find: an untouched item that can be found and has it."""
    write = known.words.get(search.word or "")
    if write is None or write.item is None or write.owner != search.owner:
        return
    if not write.acknowledged or write.ended > search.begun:
        return
    if any(_disturbs(one, write, search) for one in doings):
        return
    if not _can_be_found(write, search, seen.get(write.item, [])):
        return
    if write.item not in {hit.item for hit in search.hits}:
        yield (
            f"search {search.number} ({', '.join(search.legs)}) found nothing of operation "
            f"{write.number}, although {write.item} has the word"
        )


def _can_be_found(write: Write, search: Search, readings: Iterable[Reading]) -> bool:
    if search.legs == ("postgresql",):
        return True
    if search.degraded:
        return False
    return write.indexed or any(
        reading.indexed and reading.revision == write.revision and reading.ended < search.begun
        for reading in readings
    )


def _disturbs(other: Event, write: Write, search: Search) -> bool:
    """Whether it may have changed the item between the write and the end of the search."""
    if other is write or not other.possible or other.begun > search.ended:
        return False
    if isinstance(other, Removal):
        return other.item == write.item
    if isinstance(other, Write):
        assert write.item is not None
        concerns = other.may_concern(write.owner, write.item, write.external_id)
        settled = other.acknowledged and other.ended < write.begun
        return concerns and not settled
    return True


def _doings(history: History) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for kind in (Write, Removal, Farewell):
        for event in history.of(kind):
            found[event.owner].append(event)
    return found


def _seen_indexed(history: History) -> dict[UUID, list[Reading]]:
    found: dict[UUID, list[Reading]] = defaultdict(list)
    for reading in history.of(Reading):
        found[reading.item].append(reading)
    return found
