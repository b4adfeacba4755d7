"""The operator's file of OAuth providers: what it may say, and how every mistake in it is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from atom_backend.errors import ConfigurationError
from atom_backend.providers.provider_file import presets, read_providers
from atom_backend.providers.registration import Registration

DOCUMENTED = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"
PLAIN = """
    authorization_endpoint = "https://id.example.org/authorize"
    token_endpoint = "https://id.example.org/token"
"""
OURS = 'client_id = "us"\nclient_secret = "canary"\n'

Read = Callable[..., dict[str, Registration]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def from_text(text: str | bytes, **environment: str) -> dict[str, Registration]:
        path = tmp_path / "providers.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_providers(path, environment)

    return from_text


@pytest.fixture
def problems(read: Read, tmp_path: Path) -> Callable[..., list[str]]:
    """What is said of a file, without its path."""

    def of_text(text: str | bytes) -> list[str]:
        with pytest.raises(ConfigurationError) as refusal:
            read(text)
        assert "canary" not in str(refusal.value)
        return [one.replace(f"{tmp_path}/", "") for one in refusal.value.problems]

    return of_text


def test_the_example_of_the_documentation_is_understood(read: Read, tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", DOCUMENTED.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    (tmp_path / "google-secret").write_text("of google\n")
    providers = read(found[1], MICROSOFT_CLIENT_SECRET="of microsoft")
    assert list(providers) == ["google", "work", "slack", "our-login", "tracker"]
    assert (providers["google"].secret, providers["work"].secret) == ("of google", "of microsoft")
    assert "/example.org/oauth2/" in (providers["work"].token_endpoint or "")
    assert providers["our-login"].discovers


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_preset_needs_a_client_and_nothing_more(name: str, read: Read) -> None:
    registration = read(f'[{name}]\npreset = "{name}"\n{OURS}')[name]
    assert registration.title.lower() == name
    assert not registration.discovers
    assert "{" not in f"{registration.token_endpoint}{registration.revocation_endpoint}"


def test_what_the_table_says_goes_before_its_preset(read: Read) -> None:
    google = read(
        f"""
        [mail]
        preset = "google"
        {OURS}
        title = "Mail"
        scopes = ["mail"]
        authorization_parameters = {{ prompt = "select_account", hd = "example.org" }}
        """
    )["mail"]
    assert (google.title, google.scopes) == ("Mail", ("mail",))
    assert google.authorization_parameters == {
        "access_type": "offline",
        "prompt": "select_account",
        "hd": "example.org",
    }
    assert google.token_endpoint == "https://oauth2.googleapis.com/token"


def test_addresses_of_this_machine_need_no_tls(read: Read) -> None:
    for host in ("127.0.0.1:8080", "localhost", "[::1]:3000"):
        assert read(f'[x]\nissuer = "http://{host}"\n{OURS}')["x"].discovers


def test_a_secret_is_shown_nowhere(read: Read) -> None:
    registration = read(f"[x]\n{PLAIN}{OURS}")["x"]
    assert registration.secret == "canary"
    assert "canary" not in f"{registration!r}{registration}{registration.model_dump_json()}"


def test_all_that_is_wrong_with_all_tables_is_said_at_once(
    problems: Callable[..., list[str]],
) -> None:
    assert problems(
        """
        other = 7
        [Upper]
        preset = "gogle"
        client_id = 7
        [empty]
        [mistyped]
        issuer = "https://id.example.org"
        client_id = "us"
        client_secert = "canary"
        timeout_seconds = 0
        [mistyped.revocation]
        metod = "PUT"
        """
    ) == [
        "providers.toml: other: this should be a table, as in [other].",
        "providers.toml: Upper: a provider is named with a-z, 0-9 and hyphens, at most 40.",
        "providers.toml: Upper.preset: there are github, google, microsoft, notion, slack.",
        "providers.toml: Upper.client_secret: exactly one of client_secret, client_secret_file, "
        "client_secret_environment is needed.",
        "providers.toml: Upper.client_id: Input should be a valid string.",
        "providers.toml: empty: a preset, an issuer, or both endpoints are needed.",
        "providers.toml: empty.client_secret: exactly one of client_secret, client_secret_file, "
        "client_secret_environment is needed.",
        "providers.toml: empty.client_id: this is needed.",
        "providers.toml: mistyped.client_secret: exactly one of client_secret, "
        "client_secret_file, client_secret_environment is needed.",
        "providers.toml: mistyped.revocation.metod: there is no such key; did you mean method?",
        "providers.toml: mistyped.timeout_seconds: Input should be greater than or equal to 0.1.",
        "providers.toml: mistyped.client_secert: there is no such key; did you mean client_secret?",
    ]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("token_endpoint", '"http://id.example.org/token"', "https"),
        ("token_endpoint", '"http://127.0.0.1.example.org/"', "https"),
        ("token_endpoint", '"file:///etc/passwd"', "address"),
        ("token_endpoint", '"https://"', "address"),
        ("token_endpoint", '"https://id.example.org:port/"', "Port"),
        ("token_endpoint", '"https://us:canary@id.example.org/"', "user"),
        ("token_endpoint", '"https://id.example.org/#x"', "fragment"),
        ("token_endpoint", '"https://id.example.org/{tenant}"', "braces"),
        ("token_endpoint", '"https://id.example.org/a b"', "address"),
        ("token_endpoint", '"https://[::1"', "IPv6"),
        ("token_endpoint", "7", "string"),
        ("issuer", '"https://id.example.org/?x=1"', "query"),
        ("scopes", '["read write"]', "characters"),
        ("scopes", '"read"', "list"),
        ("client_id", '""', "characters"),
        ("client_id", '"caf\\u00e9"', "characters"),
        ("client_authentication", '"none"', "has no secret"),
        ("client_authentication", '"private_key_jwt"', "client_secret_basic"),
        ("client_secret_file", '"nowhere"', "exactly one"),
        ("authorization_parameters", '{ state = "1", scope = "x" }', "state"),
        ("authorization_parameters", "{ audience = 7 }", "string"),
        ("tenant", '"a/b"', "identifier"),
        ("timeout_seconds", "inf", "less than or equal to 60"),
        ("revocation", '{ method = "PUT" }', "POST"),
    ],
)
def test_each_mistake_is_named_where_it_is(
    key: str, value: str, said: str, problems: Callable[..., list[str]]
) -> None:
    lines = [line.strip() for line in f"{PLAIN}{OURS}".splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(f"{key} =")]
    (problem,) = problems("\n".join(["[x]", *kept, f"{key} = {value}"]))
    assert problem.startswith("providers.toml: x.")
    assert said in problem


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ('client_secret_file = "nowhere"', "No such file"),
        ('client_secret_file = "providers.toml/x"', "Not a directory"),
        ('client_secret_file = "empty"', "is empty"),
        ('client_secret_file = "binary"', "UTF-8"),
        ('client_secret_file = "a\\u0000b"', "UTF-8"),
        ("client_secret_file = 7", "No such file"),
        ('client_secret_environment = "NOWHERE"', "is not set"),
        ('client_secret = ""', "at least 1"),
        ("", "exactly one"),
    ],
)
def test_a_secret_that_is_not_there_is_named_by_its_place(
    secret: str, said: str, problems: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (problem,) = problems(f'[x]\n{PLAIN}client_id = "us"\n{secret}')
    assert problem.startswith("providers.toml: x.client_secret")
    assert said in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [("[x", "not TOML"), ("[x]\na = 1\nb\n", "line 3"), (b"\xff", "UTF-8"), ("x" * 99, "TOML")],
)
def test_a_file_that_cannot_be_read_is_named(
    text: str | bytes, said: str, problems: Callable[..., list[str]]
) -> None:
    (problem,) = problems(text)
    assert problem.startswith("ATOM_OAUTH_PROVIDERS: providers.toml: ")
    assert said in problem


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.toml", tmp_path):
        with pytest.raises(ConfigurationError, match=f"ATOM_OAUTH_PROVIDERS: {path}"):
            read_providers(path, {})
