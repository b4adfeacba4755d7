"""What a provider, or somebody on the way to it, can do to a connection; and what a log tells."""

from __future__ import annotations

import io
import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from atom_backend.clock import SystemClock
from atom_backend.domain.oauth import OAuthProvider
from atom_backend.domain.secrets import Secret
from atom_backend.errors import AtomError, ProviderUnavailable
from atom_backend.telemetry.logs import configure_logging
from tests.integration.providers.conftest import Configure
from tests.integration.providers.scripted import ScriptedServer, dripping, said

CANARY = "canary-7c1f"
REFRESH = Secret(f"refresh-{CANARY}")
GOOD = {"access_token": f"access-{CANARY}", "token_type": "Bearer"}


def table(url: str) -> str:
    return f"""
        [tests]
        authorization_endpoint = "{url}/authorize"
        token_endpoint = "{url}/token"
        client_id = "us"
        client_secret = "secret-{CANARY}"
        timeout_seconds = 0.5
    """


@pytest.fixture
def provider(configure: Configure, scripted: ScriptedServer) -> OAuthProvider:
    return configure(table(scripted.url)).get("tests")


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[ScriptedServer]:
    """A server whose certificate nobody vouches for but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = SystemClock().now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with closing(ScriptedServer(context)) as server:
        yield server


def test_a_certificate_that_nobody_vouches_for_is_not_believed(
    configure: Configure, certified: ScriptedServer
) -> None:
    certified.play(said(GOOD))
    with pytest.raises(ProviderUnavailable, match="certificate"):
        configure(table(certified.url)).get("tests").refresh(REFRESH)
    assert certified.asked == []


def test_a_name_that_nobody_knows_is_unavailable(configure: Configure) -> None:
    with pytest.raises(ProviderUnavailable):
        configure(table("https://nowhere.invalid")).get("tests").refresh(REFRESH)


def test_a_redirect_gets_no_credentials(provider: OAuthProvider, scripted: ScriptedServer) -> None:
    for status in (301, 302, 303, 307, 308):
        scripted.play(said("", status, Location="/elsewhere"))
        with pytest.raises(ProviderUnavailable, match="redirect"):
            provider.refresh(REFRESH)
    assert {one.path for one in scripted.asked} == {"/token"}


def test_an_answer_that_never_ends_is_cut_off(
    provider: OAuthProvider, scripted: ScriptedServer
) -> None:
    ended = threading.Event()
    scripted.play(dripping(ended))
    with pytest.raises(ProviderUnavailable, match=r"within 0\.5 seconds"):
        provider.refresh(REFRESH)
    ended.set()


def test_no_cookie_of_an_answer_is_sent_back(
    provider: OAuthProvider, scripted: ScriptedServer
) -> None:
    scripted.play(said(GOOD, Set_Cookie="seen=yes; Path=/"), said(GOOD))
    provider.refresh(REFRESH)
    provider.refresh(REFRESH)
    assert not [one for one in scripted.asked if "Cookie" in one.headers]


def test_proxies_of_the_environment_are_not_asked(
    provider: OAuthProvider, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    scripted.play(said(GOOD))
    assert provider.refresh(REFRESH).access_token.reveal() == GOOD["access_token"]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that the service writes at its most talkative."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("DEBUG", "plain", stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_the_most_talkative_log_holds_no_token(
    provider: OAuthProvider, scripted: ScriptedServer, log: io.StringIO
) -> None:
    scripted.play(said(GOOD, Set_Cookie=CANARY), said(CANARY), said(CANARY, 401))
    for _ in range(4):
        try:
            logging.getLogger().debug("issued %r", provider.refresh(REFRESH))
        except AtomError as error:
            logging.getLogger().debug("as any caller might log it", exc_info=error)
    assert log.getvalue().count("as any caller") == 3
    assert "issued IssuedTokens" in log.getvalue()
    assert CANARY not in log.getvalue()
