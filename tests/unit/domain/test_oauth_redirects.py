"""Where browsers may be sent: to what is configured, letter for letter, and nowhere else."""

from __future__ import annotations

import pytest

from atom_backend.domain.oauth_flows import cookie_name, new_random
from atom_backend.domain.oauth_redirects import (
    Redirects,
    allowed_redirect,
    origin_of,
    with_parameter,
)
from atom_backend.errors import InvalidInput

OWN = "https://api.example.org/atom"
CALLBACK = f"{OWN}/v1/oauth/mail/callback"
FRONT_END = "https://app.example.org/connected"
REDIRECTS = Redirects.configured(OWN, [("mail", FRONT_END)], ["https://app.example.org", "*"])


@pytest.mark.parametrize(
    ("wanted", "chosen"), [(None, CALLBACK), (CALLBACK, CALLBACK), (FRONT_END, FRONT_END)]
)
def test_a_configured_redirect_uri_is_used(wanted: str | None, chosen: str) -> None:
    assert REDIRECTS.redirect_uri("mail", wanted) == chosen


@pytest.mark.parametrize(
    ("provider", "wanted"),
    [
        ("files", FRONT_END),
        ("mail", FRONT_END + "/"),
        ("mail", FRONT_END + "?x=1"),
        ("mail", "https://app.example.org.evil.example/connected"),
        ("mail", f"{OWN}/v1/oauth/files/callback"),
        ("mail", ""),
    ],
)
def test_any_other_redirect_uri_is_refused(provider: str, wanted: str) -> None:
    with pytest.raises(InvalidInput):
        REDIRECTS.redirect_uri(provider, wanted)


def test_without_a_public_address_there_is_none_to_choose() -> None:
    bare = Redirects.configured(None, [], [])
    with pytest.raises(InvalidInput) as refusal:
        bare.redirect_uri("mail", None)
    assert "ATOM_PUBLIC_URL" in refusal.value.problems[0].detail


@pytest.mark.parametrize(
    ("page", "allowed"),
    [
        ("https://app.example.org/done?x=1#top", True),
        ("https://api.example.org/", True),
        ("https://APP.example.org:443/", True),
        ("https://app.example.org:8443/", False),
        ("http://app.example.org/", False),
        ("https://app.example.org@evil.example/", False),
        ("https://app.example.org\\@evil.example/", False),
        ("https://evil.example/https://app.example.org/", False),
        ("//app.example.org/", False),
        ("javascript:alert(1)", False),
        ("https://app.example.org:x/", False),
        ("https://[app.example.org/", False),
        ("https://app.example.org/\r\nSet-Cookie:x", False),
        ("https://äpp.example.org/", False),
        ("*", False),
    ],
)
def test_a_page_to_return_to_is_of_a_configured_origin(page: str, allowed: bool) -> None:
    if allowed:
        assert REDIRECTS.return_to(page, CALLBACK, "mail") == page
    else:
        with pytest.raises(InvalidInput):
            REDIRECTS.return_to(page, CALLBACK, "mail")


def test_only_the_own_callback_returns_to_a_page() -> None:
    with pytest.raises(InvalidInput):
        REDIRECTS.return_to("https://app.example.org/", FRONT_END, "mail")


@pytest.mark.parametrize(
    "text",
    [
        "https://app.example.org/",
        "Mail=https://app.example.org/",
        "mail=app.example.org",
        "mail=http://app.example.org/",
        "mail=https://app.example.org/#here",
        "mail=",
    ],
)
def test_a_redirect_uri_that_is_mistyped_or_in_the_clear_is_no_setting(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not as in|should begin"):
        allowed_redirect(text)


def test_redirect_uris_of_apps_and_of_this_machine_are_settings() -> None:
    for uri in ("http://127.0.0.1:3000/cb", "http://localhost/cb", "org.example.app:/cb?a=b"):
        assert allowed_redirect(f"mail={uri}") == ("mail", uri)


def test_origins_are_as_browsers_write_them() -> None:
    assert origin_of("http://[::1]:80/x") == "http://[::1]"
    assert origin_of("https://app.example.org:8443") == "https://app.example.org:8443"


def test_a_parameter_goes_before_the_fragment() -> None:
    assert with_parameter("https://a/?b=1#c", "d", "e f") == "https://a/?b=1&d=e+f#c"
    assert with_parameter("https://a/", "d", "e") == "https://a/?d=e"


def test_each_flow_has_a_cookie_of_its_own() -> None:
    state = new_random()
    assert cookie_name(state) == cookie_name(state) != cookie_name(new_random())
    assert state not in cookie_name(state)
