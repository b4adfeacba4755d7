"""gunicorn's worker, which says nothing of what it was sent.

What cannot be read as HTTP never reaches the application, and gunicorn would log and send back the
piece that it did not understand: a token, where somebody left out a colon. Invariant: of such a
request only the kind of its fault is told.
"""

from __future__ import annotations

import re
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

_BETWEEN_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


class DiscreetWorker(ThreadWorker):  # type: ignore[misc]
    """``gthread`` in everything else."""

    def handle_error(self, _req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Without the request, whose address gunicorn would log when the application fails."""
        super().handle_error(None, client, addr, _named_only(exc))


def _named_only(error: BaseException) -> BaseException:
    """An error of the same kind that prints as the name of its kind."""
    if not isinstance(error, ParseException):
        return error
    kind = type(error)
    name = _BETWEEN_WORDS.sub(" ", kind.__name__)
    told: Any = type(kind.__name__, (kind,), {"__str__": lambda _: name})
    nameless: BaseException = told.__new__(told)
    return nameless
