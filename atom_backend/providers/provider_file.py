"""The operator's file of providers: TOML, one table a provider, on top of a preset or not.

Invariant: either every table is understood, or everything that is wrong with any of them is said
at once; a secret is never part of what is said.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from atom_backend.errors import ConfigurationError
from atom_backend.providers.registration import Registration, Revocation

Table = dict[str, Any]

_PRESETS = Path(__file__).with_name("presets.toml")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_SECRETS = ("client_secret", "client_secret_file", "client_secret_environment")
_READ_HERE = {"preset", "tenant", *_SECRETS}
_BOTH_ENDPOINTS = {"authorization_endpoint", "token_endpoint"}
_ADDRESSES = ("issuer", *sorted(_BOTH_ENDPOINTS), "revocation_endpoint")
_WORDS = {
    "missing": "this is needed",
    "tuple_type": "this should be a list, in [brackets]",
    "extra_forbidden": "there is no such key",
    "string_pattern_mismatch": "there are characters in this that cannot be, or none, or too many",
}


@cache
def presets() -> Mapping[str, Table]:
    """By name."""
    return tomllib.loads(_PRESETS.read_text(encoding="utf-8"))


def read_providers(path: Path, environment: Mapping[str, str]) -> dict[str, Registration]:
    """What the file says, by name of the provider.

    Raises ConfigurationError with every problem, each with the key that it concerns.
    """
    registrations: dict[str, Registration] = {}
    problems: list[str] = []
    for name, table in _tables(path).items():
        reading = _Reading(path.parent, environment)
        registration = reading.registration(name, table)
        shown = name if name.isprintable() else repr(name)
        problems += [f"{path}: {shown}{problem}" for problem in reading.problems]
        if registration is not None:
            registrations[name] = registration
    if problems:
        raise ConfigurationError(*problems)
    return registrations


def _tables(path: Path) -> Table:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"it cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        reason = "this is not a text in UTF-8"
    except tomllib.TOMLDecodeError as error:
        reason = f"this is not TOML: {error}"
    raise ConfigurationError(f"ATOM_OAUTH_PROVIDERS: {path}: {reason}.")


class _Reading:
    """One table being read; what is wrong with it gathers in ``problems``."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self.problems: list[str] = []

    def registration(self, name: str, table: Any) -> Registration | None:
        """The registration, or None where there was a problem."""
        if not _NAME.fullmatch(name):
            self._complain("", "a provider is named with a-z, 0-9 and hyphens, at most 40")
        if not isinstance(table, dict):
            self._complain("", f"this should be a table, as in [{name}]")
            return None
        table = {"title": name, **self._on_its_preset(table)}
        self._fill_in_secret(table)
        self._fill_in_addresses(table)
        try:
            registration = Registration.model_validate(table)
        except ValidationError as error:
            for one in error.errors():
                self._complain(_place(one["loc"]), _reason(one))
            return None
        return None if self.problems else registration

    def _complain(self, key: str, problem: str) -> None:
        end = "" if problem.endswith("?") else "."
        self.problems.append(f"{'.' if key else ''}{key}: {problem}{end}")

    def _on_its_preset(self, table: Table) -> Table:
        name = table.get("preset")
        own = {key: value for key, value in table.items() if key != "preset"}
        if name is None:
            if "issuer" not in own and not own.keys() >= _BOTH_ENDPOINTS:
                self._complain("", "a preset, an issuer, or both endpoints are needed")
            return own
        if not isinstance(name, str) or name not in presets():
            self._complain("preset", f"there are {', '.join(sorted(presets()))}")
            return own
        preset = presets()[name]
        merged = {**preset, **own}
        for key in ("authorization_parameters", "revocation"):
            if isinstance(own.get(key), dict):
                merged[key] = {**preset.get(key, {}), **own[key]}
        return merged

    def _fill_in_secret(self, table: Table) -> None:
        given = [key for key in _SECRETS if key in table]
        public = table.get("client_authentication") == "none"
        if public and given:
            self._complain(given[0], 'a client with the authentication "none" has no secret')
        elif not public and len(given) != 1:
            self._complain("client_secret", f"exactly one of {', '.join(_SECRETS)} is needed")
            given = []
        file, variable = table.pop(_SECRETS[1], None), table.pop(_SECRETS[2], None)
        if _SECRETS[1] in given:
            table["client_secret"] = self._secret_in(file)
        elif _SECRETS[2] in given:
            table["client_secret"] = self._secret_of(variable)

    def _secret_in(self, file: Any) -> str | None:
        try:
            secret = (self._folder / str(file)).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "this is not a file of text in UTF-8"
            self._complain(_SECRETS[1], f"{file!r} cannot be read: {reason}")
            return None
        if not secret:
            self._complain(_SECRETS[1], f"{file!r} is empty")
        return secret or None

    def _secret_of(self, variable: Any) -> str | None:
        secret = self._environment.get(str(variable), "").strip()
        if not secret:
            self._complain(_SECRETS[2], f"the variable {variable!r} is not set")
        return secret or None

    def _fill_in_addresses(self, table: Table) -> None:
        """Put tenant and client into the addresses that have a place for them."""
        tenant = table.pop("tenant", None)
        if tenant is not None and not _TENANT.fullmatch(str(tenant)):
            self._complain("tenant", "this should be a name or an identifier")
        known = {"{tenant}": tenant, "{client_id}": table.get("client_id")}
        for key in _ADDRESSES:
            for place, value in known.items():
                if value is not None and isinstance(table.get(key), str):
                    table[key] = table[key].replace(place, quote(str(value), safe=""))


def _place(location: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in location)


def _reason(error: Any) -> str:
    kind, message = error["type"], error["msg"]
    if kind == "extra_forbidden":
        known = {*Registration.model_fields, *Revocation.model_fields, *_READ_HERE}
        close = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
        return _WORDS[kind] + (f"; did you mean {close[0]}?" if close else "")
    return _WORDS.get(kind) or message.removeprefix("Value error, ").rstrip(".")
