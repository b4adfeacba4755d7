"""How large requests may be, beside what ``domain.limits`` says of their contents."""

from __future__ import annotations

from dataclasses import dataclass

EMAIL_CHARS = 320
PASSWORD_CHARS = 1_024
DISPLAY_NAME_CHARS = 200
TOKEN_CHARS = 4_096

PAGE_DEFAULT = 50
PAGE_LARGEST = 200
RESULTS_DEFAULT = 10
RESULTS_LARGEST = 100
PASSAGES_LARGEST = 10
LONGEST_WAIT = 60
"""Seconds that ``Prefer: wait`` may hold a request."""

PROBLEMS_SHOWN = 50
"""Of one request; a body with more mistakes than this is not helped by a longer list."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bytes that a request body may have.

    ``body``: a document as JSON, an uploaded file, or one line of a batch. ``small_body``:
    everything else, including what strangers may send.
    """

    body: int = 50 * 1024 * 1024
    small_body: int = 1024 * 1024
