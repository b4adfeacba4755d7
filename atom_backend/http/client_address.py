"""Where a request came from, behind proxies or not.

Invariant: what a header says is believed only as far as trusted proxies vouch for it. The list is
read from its end, where the proxy next to us wrote; the first address that is no trusted proxy's
is the caller's, and whatever stands before it, the caller may have made up.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

logger = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
ForwardedHeader = Literal["X-Forwarded-For", "Forwarded"]

_MOST_HOPS = 32


@dataclass(eq=False)
class TrustedProxies:
    """The networks of the proxies in front of this service, and the header in which they write.

    One header, because a proxy overwrites the one that it knows and passes the other on, with
    whatever the caller wrote into it.
    """

    networks: tuple[Network, ...] = ()
    header: ForwardedHeader = "X-Forwarded-For"
    _warned: bool = field(default=False, init=False)

    def address_of(self, peer: str | None, said: str | None) -> str | None:
        """The caller's address, as text in its shortest form; ``peer`` where there is none.

        ``peer`` is the other end of the connection, ``said`` the value of the header. An address
        that cannot be read ends the search: the proxy that passed it on is then all that is known.
        """
        known = _address(peer or "")
        if known is None:
            return peer
        if not self._trusts(known):
            if said is not None:
                self._warn_of_unnamed_proxy(known)
            return str(known)
        for text in _hops(said or "", self.header):
            before = _address(text)
            if before is None:
                break
            known = before
            if not self._trusts(known):
                break
        return str(known)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def _warn_of_unnamed_proxy(self, peer: Address) -> None:
        """Once: a proxy on this machine that is not named hides where everybody comes from."""
        if peer.is_loopback and not self._warned:
            self._warned = True
            logger.warning(
                "%s was sent by %s, which ATOM_TRUSTED_PROXIES does not name: it is ignored",
                self.header,
                peer,
            )


def _hops(value: str, header: ForwardedHeader) -> Iterator[str]:
    """The addresses of the list, last one first.

    A quoted comma is not looked for: no address holds one, and a quote that a caller opened must
    not swallow what the proxies wrote behind it.
    """
    for hop in value.split(",")[: -_MOST_HOPS - 1 : -1]:
        yield hop.strip() if header == "X-Forwarded-For" else _for_parameter(hop)


def _for_parameter(element: str) -> str:
    """The ``for`` of an element of Forwarded (RFC 7239, section 4); empty where it has none."""
    for pair in element.split(";"):
        name, _, value = pair.strip().partition("=")
        if name.lower() == "for":
            return value.strip('"')
    return ""


def _address(text: str) -> Address | None:
    """With a port or without; an IPv4 address inside an IPv6 one is that IPv4 address."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return IPv6Address(int(address))
        return address.ipv4_mapped or address
    return address
