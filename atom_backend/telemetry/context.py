"""Which request the running code works for, so that log lines and audit entries can say it.

Invariant: an origin is set when a request begins and overwritten by the next one on the same
thread; code outside a request sees ``None``.
"""

from __future__ import annotations

from contextvars import ContextVar

_request_id: ContextVar[str | None] = ContextVar("atom_request_id", default=None)
_remote_address: ContextVar[str | None] = ContextVar("atom_remote_address", default=None)


def bind_request_id(request_id: str | None, remote_address: str | None = None) -> None:
    """From here on, this thread works for the request of that name, from that address."""
    _request_id.set(request_id)
    _remote_address.set(remote_address)


def current_request_id() -> str | None:
    """The request that this thread works for."""
    return _request_id.get()


def current_remote_address() -> str | None:
    """Where that request came from: the caller's address, as far as trusted proxies tell it."""
    return _remote_address.get()
