"""A checksum for every row, because LanceDB gives back flipped bytes without a word.

Each column becomes 64-bit words: identifiers and vectors as they are, numbers as one word, strings
as their CRC-32. The checksum is the sum of the words, each multiplied by an odd number of its own,
modulo 2^64: multilinear hashing (Lemire and Kaser, "Strongly universal string hashing is fast",
The Computer Journal 57(11), 2014). It is a few lines of numpy and runs as fast as memory is read.
Invariant: any change of one word changes the checksum; any other goes unnoticed once in 2^32.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

CHECKSUM = "checksum"
"""The column's name."""

_Words = NDArray[np.uint64]
_BEGIN = np.uint64(0x9E3779B97F4A7C15)
"""What the checksum of a row of zeros is, so that a file of zeros does not look sound."""


def checksums(columns: Iterable[Any]) -> NDArray[np.int64]:
    """One number a row, of these arrays in this order."""
    total = _BEGIN
    place = 0
    for column in columns:
        words = _words(column)
        width = words.shape[1]
        total = total + np.einsum("ij,j->i", words, _multipliers(place + width)[place:])
        place += width
    return np.asarray(total).view(np.int64)


def fixed(column: Any, kind: Any) -> NDArray[Any]:
    """The values of a column of fixed width, as they lie in memory."""
    width = column.type.byte_width
    values = np.frombuffer(column.buffers()[1], np.uint8)
    return values[column.offset * width : (column.offset + len(column)) * width].view(kind)


def _words(column: Any) -> _Words:
    """One row of words for every value."""
    kind = column.type
    if pa.types.is_string(kind):
        digests = map(crc32, column.cast(pa.binary()).to_pylist())
        return np.fromiter(digests, np.uint64, len(column))[:, np.newaxis]
    if pa.types.is_fixed_size_list(kind):
        numbers = fixed(column.flatten(), np.uint32).reshape(len(column), kind.list_size)
        return numbers.view(np.uint64) if kind.list_size % 2 == 0 else numbers.astype(np.uint64)
    if pa.types.is_fixed_size_binary(kind):
        return fixed(column, np.uint64).reshape(len(column), kind.byte_width // 8)
    numbers = fixed(column, np.dtype(f"i{kind.byte_width}"))
    return numbers.astype(np.int64).view(np.uint64)[:, np.newaxis]


@cache
def _multipliers(count: int) -> _Words:
    """Odd numbers without a pattern, the same on every machine: SplitMix64's sequence."""
    state = (np.arange(count, dtype=np.uint64) + np.uint64(1)) * _BEGIN
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (state ^ (state >> np.uint64(31))) | np.uint64(1)
