"""Every setting, from environment variables alone; ``docs/configuration.md`` explains each.

Invariant: the service starts with settings that were all understood, or says everything that is
wrong with them at once. A name of ours that nobody reads is a typing error, not a preference.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from atom_backend.domain import addresses
from atom_backend.domain.master_keys import MasterKey, read_keys
from atom_backend.domain.oauth_redirects import allowed_redirect
from atom_backend.errors import ConfigurationError

PROJECT = Path(__file__).resolve().parent.parent
_OUR_PREFIXES = ("ATOM_", "DB_", "LANCEDB_")
_READ_BY_LANCEDB_ITSELF = {"LANCEDB_LOG"}
_MAKE_ONE = "'python -m atom_backend keys generate' makes a key."


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _one_key(value: object) -> object:
    return _keys([value]) if isinstance(value, str) else value


def _several_keys(value: object) -> object:
    return _keys(value.split(",")) if isinstance(value, str) else value


def _keys(texts: Sequence[str]) -> tuple[MasterKey, ...]:
    try:
        return read_keys(texts)
    except ValueError as error:
        raise PydanticCustomError(
            "key", "{said}. {advice}", {"said": str(error), "advice": _MAKE_ONE}
        ) from None


Origin = Annotated[str, AfterValidator(addresses.origin)]
Network = Annotated[IPv4Network | IPv6Network, PlainValidator(addresses.network)]


class Settings(BaseModel):
    """The service's settings; each field names its variable."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: SecretStr | None = Field(None, alias="DATABASE_URL")
    migration_database_url: SecretStr | None = Field(None, alias="ATOM_MIGRATION_DATABASE_URL")
    db_max_connections: int = Field(20, alias="DB_MAX_CONNECTIONS", ge=2, le=1000)
    db_pool_timeout: float = Field(30.0, alias="DB_POOL_TIMEOUT", gt=0, le=600)
    postgres_bin: Path | None = Field(None, alias="ATOM_POSTGRES_BIN")

    lancedb_uri_given: str | None = Field(None, alias="LANCEDB_URI", min_length=1)
    processed_table: str = Field(
        "processed_documents", alias="LANCEDB_TABLE_NAME", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
    )
    chunks_table: str = Field(
        "document_chunks",
        alias="LANCEDB_CHUNKS_TABLE_NAME",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$",
    )

    database_deadline: float = Field(10.0, alias="ATOM_DATABASE_DEADLINE_SECONDS", ge=0.1, le=600)
    search_deadline: float = Field(3.0, alias="ATOM_SEARCH_DEADLINE_SECONDS", ge=0.1, le=600)

    data_dir_given: Path | None = Field(None, alias="ATOM_DATA_DIR")
    models_dir: Path = Field(PROJECT / ".atom" / "models", alias="ATOM_MODELS_DIR")
    model_path: Path | None = Field(None, alias="ATOM_MODEL_PATH")
    encoder: Literal["onnx", "sentence-transformers"] = Field("onnx", alias="ATOM_ENCODER")
    encoder_threads: int = Field(2, alias="ATOM_ENCODER_THREADS", ge=1, le=256)

    signing_key: SecretStr | None = Field(None, alias="ATOM_SIGNING_KEY", min_length=32)
    oauth_encryption_key: Annotated[tuple[MasterKey, ...], BeforeValidator(_one_key)] = Field(
        (), alias="ATOM_OAUTH_ENCRYPTION_KEY"
    )
    oauth_encryption_keys: Annotated[tuple[MasterKey, ...], BeforeValidator(_several_keys)] = Field(
        (), alias="ATOM_OAUTH_ENCRYPTION_KEYS"
    )
    oauth_providers: Path | None = Field(None, alias="ATOM_OAUTH_PROVIDERS")
    access_token_seconds: int = Field(900, alias="ATOM_ACCESS_TOKEN_SECONDS", ge=30, le=86_400)
    refresh_token_days: int = Field(30, alias="ATOM_REFRESH_TOKEN_DAYS", ge=1, le=365)

    host: str = Field("127.0.0.1", alias="ATOM_HOST", min_length=1)
    port: int = Field(8765, alias="ATOM_PORT", ge=1, le=65_535)
    public_url: Annotated[str, AfterValidator(addresses.public_url)] | None = Field(
        None, alias="ATOM_PUBLIC_URL"
    )
    oauth_redirect_uris: Annotated[
        tuple[Annotated[tuple[str, str], PlainValidator(allowed_redirect)], ...],
        BeforeValidator(_comma_separated),
    ] = Field((), alias="ATOM_OAUTH_REDIRECT_URIS")
    cors_origins: Annotated[tuple[Origin, ...], BeforeValidator(_comma_separated)] = Field(
        (), alias="ATOM_CORS_ORIGINS"
    )
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(_comma_separated)] = Field(
        (), alias="ATOM_TRUSTED_PROXIES"
    )
    forwarded_header: Literal["X-Forwarded-For", "Forwarded"] = Field(
        "X-Forwarded-For", alias="ATOM_FORWARDED_HEADER"
    )
    user_requests_a_minute: int = Field(6000, alias="ATOM_RATE_LIMIT_USER", ge=0, le=10_000_000)
    address_requests_a_minute: int = Field(
        600, alias="ATOM_RATE_LIMIT_ADDRESS", ge=0, le=10_000_000
    )
    max_body_bytes: int = Field(50 * 1024 * 1024, alias="ATOM_MAX_BODY_BYTES", ge=1024)

    lease_seconds: float = Field(60.0, alias="ATOM_LEASE_SECONDS", ge=1, le=3600)
    relay_batch: int = Field(32, alias="ATOM_RELAY_BATCH", ge=1, le=1000)
    max_attempts: int = Field(6, alias="ATOM_MAX_ATTEMPTS", ge=1, le=100)
    maintenance_seconds: float = Field(5.0, alias="ATOM_MAINTENANCE_SECONDS", ge=1)
    consistency_seconds: float = Field(3600.0, alias="ATOM_CONSISTENCY_SECONDS", ge=0)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", alias="ATOM_LOG_LEVEL")
    log_format: Literal["plain", "json"] = Field("plain", alias="ATOM_LOG_FORMAT")

    @property
    def vault_keys(self) -> tuple[MasterKey, ...]:
        """What OAuth tokens are sealed with; the first writes. Empty where none was given."""
        return self.oauth_encryption_key or self.oauth_encryption_keys

    @property
    def data_dir(self) -> Path:
        """Where the embedded PostgreSQL and the generated keys live."""
        return (self.data_dir_given or PROJECT / ".atom").absolute()

    @property
    def lancedb_uri(self) -> str:
        """A folder or an object-store URI; beside the other data when that was moved."""
        if self.lancedb_uri_given:
            return self.lancedb_uri_given
        beside = self.data_dir_given.absolute() if self.data_dir_given else PROJECT
        return str(beside / "lancedb_data")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the variables. Raises ConfigurationError with every problem, one a line."""
        given = os.environ if environment is None else environment
        known = {str(field.alias) for field in cls.model_fields.values()}
        problems = [_unknown(name, known) for name in sorted(given) if _is_mistyped(name, known)]
        try:
            settings = cls.model_validate({name: given[name] for name in known if given.get(name)})
        except ValidationError as error:
            problems += [f"{one['loc'][0]}: {one['msg']}" for one in error.errors()]
            raise ConfigurationError(*problems) from None
        if settings.database_url and not settings.signing_key:
            problems.append(
                "ATOM_SIGNING_KEY: needed beside DATABASE_URL, so that every process signs alike; "
                "32 characters or more, kept secret."
            )
        problems += _problems_of_keys(settings)
        if problems:
            raise ConfigurationError(*problems)
        return settings


def _problems_of_keys(settings: Settings) -> list[str]:
    problems = []
    if settings.oauth_encryption_key and settings.oauth_encryption_keys:
        problems.append(
            "ATOM_OAUTH_ENCRYPTION_KEY: leave it out where ATOM_OAUTH_ENCRYPTION_KEYS is set, "
            "and name its key there: the first writes, all of them read."
        )
    signing = settings.signing_key
    if signing and any(
        key.material == signing.get_secret_value().encode() for key in settings.vault_keys
    ):
        problems.append("ATOM_SIGNING_KEY: use another key than for the encryption of tokens.")
    return problems


def _is_mistyped(name: str, known: set[str]) -> bool:
    ours = name.startswith(_OUR_PREFIXES)
    return ours and name not in known and name not in _READ_BY_LANCEDB_ITSELF


def _unknown(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"{name}: no such setting" + (f"; did you mean {close[0]}?" if close else ".")
