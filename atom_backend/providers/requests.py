"""The requests that carry credentials, in each provider's own form.

Invariant: a credential stands in a header or a body, never in an address, which proxies and logs
get to see.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import quote_plus

from atom_backend.domain.oauth import IssuedTokens
from atom_backend.providers.client import Question
from atom_backend.providers.discovery import Endpoints
from atom_backend.providers.registration import BodyFormat, Registration

Fields = Mapping[str, str]


def token_request(registration: Registration, endpoints: Endpoints, fields: Fields) -> Question:
    """A request to the token endpoint (RFC 6749, sections 4.1.3 and 6)."""
    headers, own = _authenticated(registration, endpoints.authentication)
    body = {**fields, **own}
    return _question("POST", endpoints.token, headers, registration.token_request, body)


def revocation(registration: Registration, endpoints: Endpoints, held: IssuedTokens) -> Question:
    """A request that ends a grant (RFC 7009, section 2.1, or the provider's own way)."""
    style = registration.revocation
    assert endpoints.revocation is not None
    refresh_token = held.refresh_token if style.token == "refresh" else None
    token = refresh_token or held.access_token
    if style.authentication == "bearer":
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        return _question(style.method, endpoints.revocation, headers, style.body, {})
    ours = style.authentication == "as for tokens"
    way = endpoints.authentication if ours else style.authentication
    headers, own = _authenticated(registration, way)
    body = {style.parameter: token.reveal(), **own}
    if style.parameter == "token" and style.body == "form":
        body["token_type_hint"] = "refresh_token" if token is refresh_token else "access_token"
    return _question(style.method, endpoints.revocation, headers, style.body, body)


def _authenticated(registration: Registration, way: str) -> tuple[dict[str, str], Fields]:
    """Headers and fields of the body that say who we are (RFC 6749, section 2.3.1)."""
    ours = registration.client_id
    if way == "client_secret_basic":
        pair = f"{quote_plus(ours)}:{quote_plus(registration.secret)}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}
    if way == "client_secret_post":
        return {}, {"client_id": ours, "client_secret": registration.secret}
    return {}, {"client_id": ours}


def _question(method: str, url: str, headers: Fields, format: BodyFormat, body: Fields) -> Question:
    return Question(
        method,
        url,
        headers,
        form=body if format == "form" else None,
        json=body if format == "json" else None,
    )
