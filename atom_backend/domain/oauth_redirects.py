"""Where a browser may be sent in the course of an authorization.

Invariant: an address from a request is used only if the operator has configured it: a redirect URI
as it stands (RFC 9700, section 4.1.1), a page to return to by its origin. No address is made from
what a request says about the host that it was sent to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from atom_backend.errors import FieldProblem, InvalidInput

PROVIDER_NAME = "[a-z0-9][a-z0-9-]{0,39}"
_PORTS = {"http": 80, "https": 443}
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
_REDIRECT = re.compile(r"[a-z][a-z0-9+.-]*:[\x21-\x22\x24-\x2b\x2d-\x7e]{1,1900}")


@dataclass(frozen=True, slots=True)
class Redirects:
    """What the operator configured. ``allowed``: redirect URIs of front ends, by provider."""

    public_url: str | None
    allowed: Mapping[str, frozenset[str]]
    origins: frozenset[str]

    @classmethod
    def configured(
        cls, public_url: str | None, allowed: Iterable[tuple[str, str]], origins: Iterable[str]
    ) -> Redirects:
        """``allowed``: pairs of a provider and a redirect URI."""
        uris: dict[str, frozenset[str]] = {}
        for provider, uri in allowed:
            uris[provider] = uris.get(provider, frozenset()) | {uri}
        own = origin_of(public_url) if public_url else None
        return cls(public_url, uris, frozenset([*origins, *([own] if own else [])]))

    def callback(self, provider: str) -> str | None:
        """The service's own redirect URI; None where its public address is not known."""
        return self.public_url and f"{self.public_url}/v1/oauth/{provider}/callback"

    def redirect_uri(self, provider: str, wanted: str | None) -> str:
        """Raises InvalidInput for one that is not allowed, and where there is none to choose."""
        own = self.callback(provider)
        if wanted is None and own is None:
            raise _problem(
                "/redirect_uri",
                "Name one that is allowed: this service does not know its public address"
                " (ATOM_PUBLIC_URL)",
            )
        chosen = own if wanted is None else wanted
        assert chosen is not None
        if chosen != own and chosen not in self.allowed.get(provider, frozenset()):
            raise _problem(
                "/redirect_uri", "This address is not allowed (ATOM_OAUTH_REDIRECT_URIS)"
            )
        return chosen

    def return_to(self, wanted: str | None, redirect_uri: str, provider: str) -> str | None:
        """Raises InvalidInput for a page of another origin than those that are configured."""
        if wanted is None:
            return None
        if redirect_uri != self.callback(provider):
            raise _problem("/return_to", "Only the service's own callback returns to a page")
        if origin_of(wanted) not in self.origins:
            raise _problem("/return_to", "Input should be an address of a configured origin")
        return wanted


def allowed_redirect(text: str) -> tuple[str, str]:
    """A provider and a redirect URI, as in ``google=https://app.example.org/connected``.

    An app's own scheme will do; plain http is for this machine (RFC 8252, section 7.3). Raises
    ValueError.
    """
    provider, equals, uri = text.partition("=")
    if not equals or not re.fullmatch(PROVIDER_NAME, provider) or not _REDIRECT.fullmatch(uri):
        raise ValueError(f"{text!r} is not as in google=https://app.example.org/connected")
    if uri.startswith("http://") and urlsplit(uri).hostname not in _THIS_MACHINE:
        raise ValueError(f"{text!r} should begin with https://; http:// is for this machine only")
    return provider, uri


def origin_of(url: str) -> str | None:
    """Scheme, host and port as browsers write them; None for what is not the address of a page."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc:
        return None
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}" + (
        "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    )


def with_parameter(url: str, name: str, value: str) -> str:
    """The same address with one more parameter, before its fragment if it has one."""
    address, hash_sign, fragment = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{urlencode({name: value})}{hash_sign}{fragment}"


def _problem(pointer: str, detail: str) -> InvalidInput:
    return InvalidInput(problems=[FieldProblem(pointer, detail)])
