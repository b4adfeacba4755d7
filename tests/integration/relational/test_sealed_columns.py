"""What is sealed, and that nothing else of the schema could be a secret that can be opened."""

from __future__ import annotations

import sqlalchemy as sa

from atom_backend.domain.secrets import CANARY, SEALED_COLUMNS
from atom_backend.relational import transactions  # noqa: F401  (all tables)
from atom_backend.relational.tables import metadata
from tests.conftest import RunSql

NO_SECRETS = {
    ("api_keys", "digest"),
    ("audit_chain", "pruned_digest"),
    ("audit_seals", "digest"),
    ("failed_attempts", "key"),
    ("idempotency_keys", "body"),
    ("idempotency_keys", "fingerprint"),
    ("items", "content_hash"),
    ("oauth_flows", "browser_digest"),
    ("oauth_flows", "state_digest"),
    ("refresh_tokens", "digest"),
}
"""Digests, and answers of routes that are no routes of tokens."""

SUSPECT = ("token", "secret", "password", "verifier", "private", "credential")
SUSPECT_BUT_KNOWN = {("credentials", "password_hash")}
"""Argon2id."""


def test_every_binary_column_is_sealed_or_known_to_be_no_secret(sql: RunSql) -> None:
    found = sql(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'public' and data_type = 'bytea'"
    )
    sealed = {(one.table, one.column) for one in SEALED_COLUMNS} | {(CANARY.table, CANARY.column)}
    assert {tuple(row) for row in found} - NO_SECRETS == sealed


def test_no_column_that_sounds_like_a_secret_is_text(sql: RunSql) -> None:
    found = sql(
        "select table_name, column_name from information_schema.columns where"
        " table_schema = 'public' and data_type in ('text', 'jsonb', 'character varying')"
    )
    assert {
        (table, column) for table, column in found if any(word in column for word in SUSPECT)
    } == SUSPECT_BUT_KNOWN


def test_every_sealed_column_has_the_row_and_owner_that_it_is_bound_to() -> None:
    for one in SEALED_COLUMNS:
        columns = metadata.tables[one.table].c
        assert isinstance(columns[one.column].type, sa.LargeBinary)
        assert isinstance(columns["id"].type, sa.Uuid)
        assert isinstance(columns["owner_id"].type, sa.Uuid)
        assert not columns["owner_id"].nullable
