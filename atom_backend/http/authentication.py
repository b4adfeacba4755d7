"""Who is asking: the bearer token of a request (RFC 6750, section 2.1), which is an access token
or an API key.

Invariant: a token is taken from the Authorization header and nowhere else, so it does not end up
in an address, a log or a browser's history.
"""

from __future__ import annotations

import re

from atom_backend.domain.api_keys import PREFIX
from atom_backend.domain.ports import AccessTokens
from atom_backend.domain.principals import Principal
from atom_backend.errors import Unauthenticated
from atom_backend.services.api_keys import ApiKeys

_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)
_REALM = 'Bearer realm="atom"'


def authenticate(authorization: str | None, tokens: AccessTokens, api_keys: ApiKeys) -> Principal:
    """The caller, by the value of the Authorization header.

    Raises Unauthenticated, or DatabaseUnavailable where only PostgreSQL knows: a key is not wrong
    because nobody can look it up.
    """
    match = _BEARER.fullmatch(authorization or "")
    if match is None:
        raise Unauthenticated()
    token = match[1]
    return api_keys.principal(token) if token.startswith(PREFIX) else tokens.read(token)


def challenge(authorization: str | None) -> str:
    """The WWW-Authenticate header of a 401: it names an error only where a token was sent."""
    return _REALM if authorization is None else f'{_REALM}, error="invalid_token"'


def missing_scope(scope: str) -> str:
    """The WWW-Authenticate header of a 403: what a token would need (RFC 6750, section 3.1)."""
    return f'{_REALM}, error="insufficient_scope", scope="{scope}"'
