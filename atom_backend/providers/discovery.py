"""Where a provider's endpoints are: as configured, or as its issuer publishes them.

OpenID Connect Discovery 1.0, section 4, and RFC 8414, section 3. Fetched when first needed, kept
for an hour, and used longer while the issuer does not answer. Invariants: a document counts only
if it names exactly the issuer that was asked; no document sends us to an address that an operator
could not have configured; a failure is remembered for some seconds, so that an outage costs one
caller a deadline, not all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from atom_backend.errors import ProviderUnavailable
from atom_backend.providers.answers import body_of
from atom_backend.providers.client import Answer
from atom_backend.providers.registration import Registration, leads_here, require_safe

_KEPT_SECONDS = 3600.0
_AGAIN_SECONDS = 5.0

Ask = Callable[[str], Answer]
"""A GET request; raises ProviderUnavailable."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Of one provider."""

    authorization: str
    token: str
    revocation: str | None
    authentication: str
    """How the client authenticates itself."""
    names_issuer: bool = False
    """Whether every callback has the parameter ``iss`` (RFC 9207)."""


class Discovery:
    """The endpoints of one provider; may be asked by many threads at once."""

    def __init__(
        self, registration: Registration, ask: Ask, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._registration = registration
        self._ask = ask
        self._now = now
        self._lock = threading.Lock()
        self._known: Endpoints | None = None
        self._failure = ""
        self._until = 0.0

    def endpoints(self) -> Endpoints:
        """Raises ProviderUnavailable."""
        if not self._registration.discovers:
            return _endpoints(self._registration, {})
        with self._lock:
            if self._now() >= self._until:
                self._look()
            if self._known is None:
                raise ProviderUnavailable(self._failure, retry_after=_AGAIN_SECONDS)
            return self._known

    def _look(self) -> None:
        try:
            self._known = _endpoints(self._registration, self._document())
            self._until = self._now() + _KEPT_SECONDS
        except ProviderUnavailable as error:
            self._failure = error.message
            self._until = self._now() + _AGAIN_SECONDS

    def _document(self) -> dict[str, Any]:
        issuer = self._registration.issuer
        assert issuer is not None
        for address in _addresses(issuer):
            answer = self._ask(address)
            if answer.status not in {404, 410}:
                break
        document = body_of(answer)
        if answer.status != 200 or document is None:
            raise ProviderUnavailable(f"{issuer} publishes no metadata ({answer.status}).")
        if document.get("issuer") != issuer:
            raise ProviderUnavailable(f"The metadata of {issuer} names another issuer.")
        return document


def _addresses(issuer: str) -> list[str]:
    """OpenID appends, RFC 8414 inserts before the path."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return [
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}/.well-known/oauth-authorization-server{path}",
    ]


def _endpoints(registration: Registration, document: dict[str, Any]) -> Endpoints:
    """What is configured goes before what is published."""
    authorization = registration.authorization_endpoint or _address(
        registration, document, "authorization_endpoint"
    )
    token = registration.token_endpoint or _address(registration, document, "token_endpoint")
    if authorization is None or token is None:
        raise ProviderUnavailable(f"The metadata of {registration.issuer} lack an endpoint.")
    return Endpoints(
        authorization,
        token,
        registration.revocation_endpoint or _address(registration, document, "revocation_endpoint"),
        _authentication(registration, document.get("token_endpoint_auth_methods_supported")),
        document.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(registration: Registration, document: dict[str, Any], name: str) -> str | None:
    address = document.get(name)
    if address is None:
        return None
    try:
        require_safe(address)
    except (ValueError, TypeError, AttributeError):
        pass
    else:
        if not leads_here(address) or leads_here(registration.issuer or ""):
            return str(address)
    raise ProviderUnavailable(f"The metadata of {registration.issuer} have a bad {name}.")


def _authentication(registration: Registration, supported: Any) -> str:
    if registration.client_authentication is not None:
        return registration.client_authentication
    known = supported if isinstance(supported, list) else []
    if "client_secret_post" in known and "client_secret_basic" not in known:
        return "client_secret_post"
    return "client_secret_basic"
