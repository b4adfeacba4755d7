"""Where the words of a query stand in a text.

A word of the text is highlighted when it and a word of the query are the same but for case or a
short ending ("task", "tasks"; "schedule", "scheduled"). Scripts that do not put spaces between
words are compared by pairs of characters. Offsets are code points of the text as it is.

Invariant: the text is read once, from its start, and only as far as highlights are wanted, so
that a long text or a long query costs no more than the sum of both.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from heapq import merge
from itertools import islice

from atom_backend.domain.items import Span

MOST_HIGHLIGHTS = 32
_MARKS = "".join(
    chr(code) for code in range(0x300, 0x1_0000) if unicodedata.category(chr(code))[0] == "M"
)
"""Vowel signs and accents: part of a word, though ``\\w`` does not count them as such."""

_WORD = re.compile(rf"\w[\w{_MARKS}\u200c\u200d]*")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f]+")
_SHORT_WORD = 3
_LONGEST_ENDING = 3
_STEM = 4
_FEW = 64
"""Beginnings that are looked for at once: each is compared at every word of the text."""


def highlights(query: str, text: str, *, offset: int = 0) -> tuple[Span, ...]:
    """Spans of the text that answer the query's words, shifted by ``offset``, in order.

    They do not overlap; the first ``MOST_HIGHLIGHTS`` are given.
    """
    first = islice(_found(query, text), MOST_HIGHLIGHTS)
    return tuple(Span(offset + span.start, offset + span.end) for span in first)


def window(query: str, text: str, *, width: int = 600) -> Span:
    """The part of a text to show when no chunk is known: from shortly before the first match."""
    first = next(_found(query, text), None)
    if first is None:
        return Span(0, min(width, len(text)))
    start = max(0, first.start - width // 4)
    if start:
        start = text.find(" ", start, first.start) + 1 or start
    return Span(start, min(len(text), start + width))


def _found(query: str, text: str) -> Iterator[Span]:
    words = _words(query, text)
    if not _UNSPACED.search(query):
        return _joined(words)
    return _joined(merge(words, _pairs(query, text), key=lambda span: span.start))


def _words(query: str, text: str) -> Iterator[Span]:
    """The text's words that answer one of the query's."""
    wanted = _wanted(query)
    for match in _candidates(wanted, text):
        word = _folded(match[0])
        others = wanted.get(word[:_STEM], ())
        if any(word == other or _same_stem(word, other) for other in others):
            yield Span(match.start(), match.end())


def _candidates(wanted: Mapping[str, Sequence[str]], text: str) -> Iterator[re.Match[str]]:
    """The text's words, or only those that begin like a wanted one where that is quicker told."""
    if text.isascii() and 0 < len(wanted) <= _FEW:
        starts = "|".join(map(re.escape, wanted))
        return re.finditer(rf"\b(?:{starts})\w*", text.lower(), re.ASCII)
    return _WORD.finditer(text)


@lru_cache(maxsize=16)
def _wanted(query: str) -> Mapping[str, Sequence[str]]:
    """The query's words by their first letters; short ones count only among themselves.

    Kept, because the passages of an answer are asked one after the other.
    """
    words = {_folded(word) for word in _WORD.findall(query)}
    by_start: defaultdict[str, list[str]] = defaultdict(list)
    for word in {word for word in words if len(word) >= _SHORT_WORD} or words:
        by_start[word[:_STEM]].append(word)
    return by_start


def _folded(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


def _same_stem(one: str, other: str) -> bool:
    """Whether only a short ending differs; digits are no ending: 10001 is not 10002."""
    short, long = sorted((one, other), key=len)
    if len(short) < _STEM or len(long) - len(short) > _LONGEST_ENDING:
        return False
    stem = short[:-1] if len(short) > _STEM else short
    endings = short[len(stem) :] + long[len(stem) :]
    return long.startswith(stem) and not any(map(str.isdigit, endings))


def _pairs(query: str, text: str) -> Iterator[Span]:
    """Where a pair of the query's unspaced characters stands, or one that stands alone there."""
    pairs = {
        run[place : place + 2]
        for run in _UNSPACED.findall(query)
        for place in range(max(1, len(run) - 1))
    }
    if not pairs:
        return
    beginning = re.compile("[" + "".join({pair[0] for pair in pairs}) + "]")
    for match in beginning.finditer(text):
        place = match.start()
        for end in (place + 1, place + 2):
            if text[place:end] in pairs:
                yield Span(place, min(end, len(text)))


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans that overlap become one; they come by ascending start."""
    last: Span | None = None
    for span in spans:
        if last is not None and span.start < last.end:
            last = Span(last.start, max(last.end, span.end))
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last
