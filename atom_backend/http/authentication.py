"""Who is asking: the bearer token of a request (RFC 6750, section 2.1).

Invariant: a token is taken from the Authorization header and nowhere else, so it does not end up
in an address, a log or a browser's history.
"""

from __future__ import annotations

import re

from atom_backend.domain.ports import AccessTokens
from atom_backend.domain.principals import Principal
from atom_backend.errors import Unauthenticated

_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)
_REALM = 'Bearer realm="atom"'


def authenticate(authorization: str | None, tokens: AccessTokens) -> Principal:
    """The caller, by the value of the Authorization header. Raises Unauthenticated."""
    match = _BEARER.fullmatch(authorization or "")
    if match is None:
        raise Unauthenticated()
    return tokens.read(match[1])


def challenge(authorization: str | None) -> str:
    """The WWW-Authenticate header of a 401: it names an error only where a token was sent."""
    return _REALM if authorization is None else f'{_REALM}, error="invalid_token"'


def missing_scope(scope: str) -> str:
    """The WWW-Authenticate header of a 403: what a token would need (RFC 6750, section 3.1)."""
    return f'{_REALM}, error="insufficient_scope", scope="{scope}"'
