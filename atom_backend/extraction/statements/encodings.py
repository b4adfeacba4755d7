"""Tells how the bytes of a statement are encoded, or between which encodings that is open.

Invariant: an encoding is called certain only where the bytes themselves, or the rule that holds
for every other text here (``decoding.decode``), leave no other.
"""

from __future__ import annotations

import codecs

from atom_backend.domain.finance.statements import Encoding
from atom_backend.errors import RequestError
from atom_backend.extraction import refusals
from atom_backend.extraction.decoding import decode

_SINGLE_BYTE = (
    Encoding.WINDOWS_1252,
    Encoding.WINDOWS_1250,
    Encoding.WINDOWS_1251,
    Encoding.LATIN_9,
)
_SAMPLE_BYTES = 4_096
_FEWEST_NULS = 0.3
"""Of the bytes at the odd or even places; digits, separators and Latin letters are most of CSV."""


def possible_encodings(content: bytes) -> tuple[Encoding, ...]:
    """One encoding where it is certain, else those in question, the likeliest first.

    Raises InvalidInput ``undecodable_text``.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return (Encoding.UTF_16,)
    unmarked = _unmarked_utf_16(content[:_SAMPLE_BYTES])
    if unmarked is not None:
        return (unmarked,)
    if _text(content, Encoding.UTF_8) is not None:
        return (Encoding.UTF_8,)
    texts = {one: _text(content, one) for one in _SINGLE_BYTE}
    readable = tuple(one for one in _SINGLE_BYTE if texts[one] is not None)
    if not readable:
        raise refusals.undecodable()
    told = _told(content)
    certain = tuple(one for one in readable if texts[one] == told)
    return certain[:1] or readable


def _unmarked_utf_16(sample: bytes) -> Encoding | None:
    """UTF-16 without its mark: half of the bytes of plain letters are NUL, on one side."""
    for places, encoding in ((sample[1::2], Encoding.UTF_16_LE), (sample[::2], Encoding.UTF_16_BE)):
        if places and places.count(0) > _FEWEST_NULS * len(places):
            others = sample.count(0) - places.count(0)
            return encoding if others == 0 else None
    return None


def _text(content: bytes, encoding: Encoding) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _told(content: bytes) -> str | None:
    try:
        return decode(content)
    except RequestError:
        return None
