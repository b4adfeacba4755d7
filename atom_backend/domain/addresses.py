"""How addresses are written and counted: origins, networks, and where the service is reached.

Invariant: what is accepted can be compared as it stands with what browsers and sockets say.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_HOST = r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?"
_OWN_PORTS = r"(?!http://.*:80$)(?!https://.*:443$)"
_ORIGIN = re.compile(rf"{_OWN_PORTS}[a-z][a-z0-9+.-]*://{_HOST}")
_REMEMBERED = 4_096
"""Addresses, which take longer to read than anything else that limits a request."""

_PUBLIC_URL = re.compile(rf"https?://{_HOST}(?:/[A-Za-z0-9._~/-]*)?")


def origin(text: str) -> str:
    """An origin as browsers send it (RFC 6454, section 6.1), or ``*``. Raises ValueError."""
    if text != "*" and not _ORIGIN.fullmatch(text):
        raise ValueError(
            f"{text!r} is no origin as browsers send it: scheme, host in lower case and port "
            "unless it is the scheme's own, as in https://app.example.org"
        )
    return text


def network(text: str) -> IPv4Network | IPv6Network:
    """A network that is not everybody; an address is a network of one. Raises ValueError."""
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no address or network, as in 10.0.0.0/8") from None
    if found.prefixlen == 0:
        raise ValueError(f"{text!r} would let every caller say where it comes from")
    return found


def public_url(text: str) -> str:
    """Where callers reach the service, without a slash at its end. Raises ValueError."""
    if not _PUBLIC_URL.fullmatch(text):
        raise ValueError("should be as https://api.example.org, with a path where there is one")
    return text.rstrip("/")


@lru_cache(_REMEMBERED)
def counted_as(address: str | None) -> str | None:
    """Whom requests from an address are counted under; ``None``: under nobody.

    Of an IPv6 address the first 64 bits, because one subscriber has all that begin with them. This
    machine is nobody in particular: commands come from it, and proxies that were not named.
    """
    try:
        found = ip_address(address or "")
    except ValueError:
        return None
    if found.is_loopback:
        return None
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)
