"""Where a request came from: proxies are believed, callers are not."""

from __future__ import annotations

import logging
from ipaddress import ip_network

import pytest

from atom_backend.http.client_address import ForwardedHeader, TrustedProxies

PROXY, INNER, CALLER, LIE = "10.0.0.1", "10.0.0.2", "203.0.113.9", "198.51.100.1"
NETWORKS = (ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48"))


def address_of(
    peer: str | None, sent: str | None, header: ForwardedHeader = "X-Forwarded-For"
) -> str | None:
    return TrustedProxies(NETWORKS, header).address_of(peer, sent)


@pytest.mark.parametrize(
    ("peer", "sent", "found"),
    [
        (CALLER, None, CALLER),
        (CALLER, LIE, CALLER),
        (PROXY, None, PROXY),
        (PROXY, CALLER, CALLER),
        (PROXY, f"{LIE}, {CALLER}", CALLER),
        (PROXY, f"{LIE},{CALLER},{INNER}", CALLER),
        (PROXY, f"{INNER}, {INNER}", INNER),
        (PROXY, f"{LIE}, unknown", PROXY),
        (PROXY, f"{LIE}, ", PROXY),
        (PROXY, f"{LIE}, <script>", PROXY),
        (PROXY, f"{LIE}, {INNER}, nonsense, {INNER}", INNER),
        (PROXY, f"{CALLER}:4711", CALLER),
        (PROXY, "[2001:db8:2::7]:4711", "2001:db8:2::7"),
        (PROXY, "2001:0DB8:2:0::7", "2001:db8:2::7"),
        (PROXY, "fe80::1%eth0", "fe80::1"),
        (f"::ffff:{PROXY}", f"::ffff:{CALLER}", CALLER),
        ("2001:db8:1::5", CALLER, CALLER),
        (PROXY, f"{LIE}," + f"{INNER}," * 40 + INNER, INNER),
        ("", CALLER, ""),
        (None, CALLER, None),
    ],
)
def test_the_caller_is_the_first_from_the_end_that_is_no_trusted_proxy(
    peer: str | None, sent: str | None, found: str | None
) -> None:
    assert address_of(peer, sent) == found


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (f"for={CALLER}", CALLER),
        (f"For={LIE}, proto=https;FOR={CALLER};by={PROXY}", CALLER),
        ('for="[2001:db8:2::7]:4711"', "2001:db8:2::7"),
        (f"for={LIE}, for=_hidden", PROXY),
        (f"for={LIE}, by={PROXY}", PROXY),
        (f'for="{LIE}, for={CALLER}', CALLER),
        (f'for={LIE};x=", for="[2001:db8:2::7]"', "2001:db8:2::7"),
    ],
)
def test_forwarded_is_read_in_the_same_way(sent: str, found: str) -> None:
    assert address_of(PROXY, sent, "Forwarded") == found


def test_an_unnamed_proxy_on_this_machine_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    proxies = TrustedProxies()
    with caplog.at_level(logging.WARNING):
        assert proxies.address_of("127.0.0.1", None) == "127.0.0.1"
        for peer in (CALLER, "127.0.0.1", "127.0.0.1"):
            assert proxies.address_of(peer, LIE) == peer
    assert len(caplog.records) == 1
    assert "127.0.0.1" in caplog.text
