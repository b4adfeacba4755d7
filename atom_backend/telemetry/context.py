"""Which request the running code works for, so that every log line can say it.

Invariant: an identifier is set when a request begins and overwritten by the next one on the same
thread; code outside a request sees ``None``.
"""

from __future__ import annotations

from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("atom_request_id", default=None)


def bind_request_id(request_id: str | None) -> None:
    """From here on, this thread works for the request of that name."""
    _current.set(request_id)


def current_request_id() -> str | None:
    """The request that this thread works for."""
    return _current.get()
