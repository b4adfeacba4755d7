"""What administrators configure for the whole service while it runs.

Invariant: every key has an effect, in all processes, from the next request on that it concerns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID, uuid5

from atom_backend.domain.json_schemas import JsonSchema
from atom_backend.domain.options import Option, Options, Stored
from atom_backend.errors import Forbidden

REGISTRATION_OPEN = "registration.open"
REGISTRATION_DOMAINS = "registration.domains"
REGISTRATION_MOST = "registration.most_accounts"

_DOMAIN = {
    "type": "string",
    "pattern": r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$",
    "description": "This should be a domain in lower case, as in example.org.",
}

CONFIGURABLE = Options(
    Option(
        REGISTRATION_OPEN,
        "Whether strangers may register; administrators are made by command in any case.",
        True,
        JsonSchema({"type": "boolean"}),
    ),
    Option(
        REGISTRATION_DOMAINS,
        "The domains whose addresses may register, in lower case; none listed: all may.",
        [],
        JsonSchema({"type": "array", "items": _DOMAIN, "uniqueItems": True, "maxItems": 100}),
    ),
    Option(
        REGISTRATION_MOST,
        "How many accounts there may be for another to register, or null for any number.",
        None,
        JsonSchema({"type": ["integer", "null"], "minimum": 0, "maximum": 1_000_000_000}),
    ),
    closed=True,
)

_NAMESPACE = UUID("6f8f2a52-3a0b-5f0e-9d0c-4d1c7f3b9a10")


def option_id(key: str) -> UUID:
    """What audit entries call a key: always the same (UUID version 5)."""
    return uuid5(_NAMESPACE, key)


class Configuration(Protocol):
    """What was configured."""

    def every(self) -> list[Stored]: ...

    def get(self, key: str, *, for_update: bool = False) -> Stored | None: ...

    def put(self, key: str, value: Any, by: UUID | None) -> Stored: ...

    def remove(self, key: str) -> None:
        """Idempotent."""
        ...


def value_of(configuration: Configuration, key: str) -> Any:
    """What holds under a known key."""
    stored = configuration.get(key)
    return CONFIGURABLE.default(key) if stored is None else stored.value


def require_registrable(
    configuration: Configuration, count_accounts: Callable[[], int], email: str
) -> None:
    """Raises Forbidden for those who may not register, with a code that says why."""
    if not value_of(configuration, REGISTRATION_OPEN):
        raise Forbidden("Nobody may register here at present.", code="registration_closed")
    domains = value_of(configuration, REGISTRATION_DOMAINS)
    if domains and email.rpartition("@")[2].lower() not in domains:
        raise Forbidden(
            "Addresses of this domain may not register here.", code="domain_not_allowed"
        )
    most = value_of(configuration, REGISTRATION_MOST)
    if most is not None and count_accounts() >= most:
        raise Forbidden("There are as many accounts as there may be.", code="registration_full")
