"""Settings: what cannot be meant is refused before anything starts, and said in words."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from atom_backend.errors import ConfigurationError
from atom_backend.settings import Settings


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("ATOM_CORS_ORIGINS", "https://app.example.org/", "no origin"),
        ("ATOM_CORS_ORIGINS", "https://app.example.org/path", "no origin"),
        ("ATOM_CORS_ORIGINS", "https://App.example.org", "no origin"),
        ("ATOM_CORS_ORIGINS", "https://app.example.org:443", "no origin"),
        ("ATOM_CORS_ORIGINS", "http://app.example.org:80", "no origin"),
        ("ATOM_CORS_ORIGINS", "app.example.org", "no origin"),
        ("ATOM_CORS_ORIGINS", "https://*.example.org", "no origin"),
        ("ATOM_CORS_ORIGINS", "https://app.example.org, null", "'null' is no origin"),
        ("ATOM_TRUSTED_PROXIES", "10.0.0.0/8, proxy", "'proxy' is no address"),
        ("ATOM_TRUSTED_PROXIES", "0.0.0.0/0", "every caller"),
        ("ATOM_TRUSTED_PROXIES", "::/0", "every caller"),
        ("ATOM_FORWARDED_HEADER", "X-Real-IP", "X-Forwarded-For"),
        ("ATOM_PUBLIC_URL", "api.example.org", "https://api.example.org"),
        ("ATOM_PUBLIC_URL", "ftp://api.example.org", "https://api.example.org"),
        ("ATOM_PUBLIC_URL", "https://api.example.org/?a=b", "https://api.example.org"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(variable: str, value: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_environment({variable: value})
    assert variable in refused.value.message
    assert why in refused.value.message


def test_how_the_service_is_reached_can_be_set() -> None:
    settings = Settings.from_environment(
        {
            "ATOM_CORS_ORIGINS": "https://app.example.org, http://localhost:3000, http://[::1]:5173",
            "ATOM_TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1, ::1",
            "ATOM_PUBLIC_URL": "https://api.example.org/atom/",
        }
    )
    assert settings.cors_origins[1:] == ("http://localhost:3000", "http://[::1]:5173")
    networks = ("10.0.0.0/8", "127.0.0.1/32", "::1/128")
    assert settings.trusted_proxies == tuple(map(ip_network, networks))
    assert settings.public_url == "https://api.example.org/atom"
