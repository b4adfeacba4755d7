"""A client of ours as it is registered at one provider: what one table of the operator's file says.

Presets have the same keys. Invariant: every address is https, or leads to this machine.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from atom_backend.domain.oauth import SCOPE_TOKEN

ClientAuthentication = Literal["client_secret_basic", "client_secret_post", "none"]
BodyFormat = Literal["form", "json"]

RESERVED_PARAMETERS = frozenset(
    {
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "response_type",
        "state",
    }
)
"""Of an authorization request (RFC 6749, section 4.1.1; RFC 7636, section 4.3)."""


def leads_here(url: str) -> bool:
    """Whether an address is one of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def require_safe(url: str) -> str:
    """The same address. Raises ValueError with what is wrong with it."""
    parts = urlsplit(url)
    _ = parts.port
    if not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("this should be an address, as in https://id.example.org/token")
    if parts.scheme != "https" and not (parts.scheme == "http" and leads_here(url)):
        raise ValueError("this should begin with https://; http:// is for this machine only")
    if "{" in url or "}" in url:
        raise ValueError("only {client_id} and {tenant} may stand in braces, where that is given")
    if parts.username is not None or parts.fragment or "#" in url:
        raise ValueError("this should have neither a user nor a fragment (#...)")
    return url


def _require_issuer(url: str) -> str:
    if "?" in require_safe(url):
        raise ValueError("an issuer has no query (?...)")
    return url


def _require_unreserved(parameters: dict[str, str]) -> dict[str, str]:
    taken = sorted(RESERVED_PARAMETERS & parameters.keys())
    if taken:
        raise ValueError(f"the service itself decides about {', '.join(taken)}")
    return parameters


Url = Annotated[str, AfterValidator(require_safe)]
Issuer = Annotated[str, AfterValidator(_require_issuer)]
Visible = Annotated[str, Field(pattern=r"^[\x20-\x7E]{1,512}$")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Parameters = Annotated[dict[str, str], AfterValidator(_require_unreserved)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Revocation(_Table):
    """How the revocation endpoint is asked; by default as RFC 7009 says."""

    method: Literal["POST", "DELETE"] = "POST"
    body: BodyFormat = "form"
    authentication: Literal["as for tokens", "client_secret_basic", "bearer"] = "as for tokens"
    token: Literal["refresh", "access"] = "refresh"
    """Which is named, if there is one; with it the provider ends the whole grant."""
    parameter: Code = "token"
    gone: tuple[Code, ...] = ("invalid_token",)
    """Errors which say that there is nothing left to revoke; ``http_404`` is a status."""


class Registration(_Table):
    """One provider, with our client there."""

    title: Visible
    client_id: Visible
    client_secret: SecretStr | None = Field(default=None, min_length=1, max_length=4096)
    client_authentication: ClientAuthentication | None = None
    """None: ``client_secret_basic``, unless discovery says that it is another."""
    issuer: Issuer | None = None
    """What callbacks are compared with, and where endpoints are discovered that are not here."""
    authorization_endpoint: Url | None = None
    token_endpoint: Url | None = None
    revocation_endpoint: Url | None = None
    scopes: tuple[Annotated[str, Field(pattern=SCOPE_TOKEN)], ...] = ()
    scope_parameter: Code = "scope"
    scope_separator: Literal[" ", ","] = " "
    authorization_parameters: Parameters = Field(default_factory=dict)
    pkce: bool = True
    token_request: BodyFormat = "form"
    token_types: tuple[Code, ...] = ("bearer",)
    tokens_within: Code | None = None
    """The member of the answer that holds the tokens, where it has one of this name."""
    errors_of_ended_grants: tuple[Code, ...] = ()
    """Beside those of the standards."""
    transient_errors: tuple[Code, ...] = ()
    revocation: Revocation = Revocation()
    timeout_seconds: float = Field(default=10.0, ge=0.1, le=60)
    """For one request, from looking up the name to the last byte of the answer."""

    @property
    def secret(self) -> str:
        """The client's secret; empty for a public client."""
        return self.client_secret.get_secret_value() if self.client_secret else ""

    @property
    def discovers(self) -> bool:
        """Whether the endpoints, or some of them, are to be found at the issuer."""
        return self.authorization_endpoint is None or self.token_endpoint is None
