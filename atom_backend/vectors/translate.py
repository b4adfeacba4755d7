"""What LanceDB's errors mean to us.

LanceDB raises Python's built-in exceptions; only the message tells a lost race from a broken file.
Invariant: every exception that leaves this package is one of ``atom_backend.errors``, and nothing
outside this file reads a message. The texts are those of LanceDB 0.40. Rows, vectors and filters
are checked before they get here, so that an "invalid input" can only have come from a broken file.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from atom_backend.errors import (
    AtomError,
    ConfigurationError,
    StoredDataError,
    VectorStoreCorrupt,
    VectorStoreUnavailable,
)

LANCE_ERRORS = (RuntimeError, ValueError, TypeError, LookupError, OSError, NotImplementedError)
"""Everything that LanceDB and pyarrow raise (pyarrow's errors derive from these)."""


class Verdict(Enum):
    """What to do about an error."""

    RETRY = auto()
    """Another writer committed first: the same call may succeed at once."""
    REOPEN = auto()
    """The view that this process holds is out of date: open the tables anew, then once more."""
    UNAVAILABLE = auto()
    CORRUPT = auto()
    MISCONFIGURED = auto()
    REFUSED = auto()
    """The rows or the query do not fit the table."""


_VERDICTS = (
    (
        Verdict.RETRY,
        r"Retryable commit conflict|Incompatible transaction|Too many concurrent writers|"
        r"Query timeout",
    ),
    (Verdict.UNAVAILABLE, r"Not found: \S+/_versions\b|Failed to connect|error sending request"),
    (Verdict.REOPEN, r"Not found: \S+/(data|_deletions|_indices)/"),
    (Verdict.UNAVAILABLE, r"os error \d+|No space left|Generic S3 error|Generic GCS error"),
    (
        Verdict.REFUSED,
        r"cannot cast field|query dim\(|query vector dimension|FixedSizeList|surrogates",
    ),
    (
        Verdict.CORRUPT,
        r"file size is too small|sufficient data|Invalid range|fill whole buffer|not aligned|"
        r"Protobuf|footer|invalid seek|metadata region|not UTF-8|[Mm]agic|checksum|[Cc]orrupt|"
        r"panicked|decod|"
        r"LanceError\((Arrow|Schema)\)|Invalid (user )?input",
    ),
    (Verdict.MISCONFIGURED, r"was not found|already exists"),
)

_MEANINGS: dict[Verdict, tuple[type[AtomError], str]] = {
    Verdict.RETRY: (VectorStoreUnavailable, "Too many writers at once"),
    Verdict.REOPEN: (VectorStoreCorrupt, "A file of the vector store is missing"),
    Verdict.UNAVAILABLE: (VectorStoreUnavailable, "LanceDB does not answer"),
    Verdict.CORRUPT: (VectorStoreCorrupt, "LanceDB holds data that cannot be read"),
    Verdict.MISCONFIGURED: (ConfigurationError, "The vector store is not set up"),
    Verdict.REFUSED: (StoredDataError, "LanceDB refused the rows or the query"),
}


def panicked(error: BaseException) -> bool:
    """Whether this is a panic of LanceDB's native half, whose class Python cannot import."""
    return type(error).__module__.startswith("pyo3")


def judge(error: BaseException) -> Verdict:
    """The verdict on one of LanceDB's errors.

    What is not recognised counts as an outage: it is tried again later, and shows in the logs,
    where "corrupt" would stop all writing for a message that nobody has seen yet.
    """
    message = str(error)
    for verdict, pattern in _VERDICTS:
        if re.search(pattern, message):
            return verdict
    return Verdict.UNAVAILABLE


def translated(error: BaseException) -> AtomError:
    """The error to raise in place of LanceDB's, once nothing more can be tried."""
    kind, meaning = _MEANINGS[judge(error)]
    return kind(f"{meaning}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
