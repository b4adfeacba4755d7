"""Where the words of a query stand in a text.

A word of the text is highlighted when it and a word of the query are the same but for case or a
short ending ("task", "tasks"; "schedule", "scheduled"). Scripts that do not put spaces between
words are compared by pairs of characters. Offsets are code points.
"""

from __future__ import annotations

import re

from atom_backend.domain.items import Span

MOST_HIGHLIGHTS = 32
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f]{2,}")
_SHORT_WORD = 3
_LONGEST_ENDING = 3
_STEM = 4


def highlights(query: str, text: str, *, offset: int = 0) -> tuple[Span, ...]:
    """Spans of the text that answer the query's words, shifted by ``offset``, in order."""
    words = _query_words(query)
    spans = [
        Span(offset + match.start(), offset + match.end())
        for match in _WORD.finditer(text)
        if _matches(match.group().casefold(), words)
    ]
    spans += [
        Span(offset + start, offset + start + len(pair))
        for pair in _pairs(query)
        for start in _occurrences(pair, text)
    ]
    return _merged(sorted(spans, key=lambda span: span.start))[:MOST_HIGHLIGHTS]


def window(query: str, text: str, *, width: int = 600) -> Span:
    """The part of a text to show when no chunk is known: from shortly before the first match."""
    found = highlights(query, text)
    if not found:
        return Span(0, min(width, len(text)))
    start = max(0, found[0].start - width // 4)
    if start:
        start = text.find(" ", start, found[0].start) + 1 or start
    return Span(start, min(len(text), start + width))


def _query_words(query: str) -> frozenset[str]:
    words = {word.casefold() for word in _WORD.findall(query)}
    return frozenset({word for word in words if len(word) >= _SHORT_WORD} or words)


def _matches(word: str, wanted: frozenset[str]) -> bool:
    return word in wanted or any(_same_stem(word, other) for other in wanted)


def _same_stem(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(short) < _STEM or len(long) - len(short) > _LONGEST_ENDING:
        return False
    return long.startswith(short[:-1] if len(short) > _STEM else short)


def _pairs(query: str) -> set[str]:
    return {
        run[place : place + 2] for run in _UNSPACED.findall(query) for place in range(len(run) - 1)
    }


def _occurrences(needle: str, text: str) -> list[int]:
    return [match.start() for match in re.finditer(re.escape(needle), text)]


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for span in spans:
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)
