"""A user who stores texts under names, and knows what was acknowledged."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from atom_backend.clock import SystemClock
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.services.accounts import Accounts
from atom_backend.services.records import RecordService
from atom_backend.services.throttling import Throttle
from atom_backend.vault.access_tokens import SignedAccessTokens
from atom_backend.vault.attempt_keys import KeyedAttempts
from atom_backend.vault.passwords import Argon2idPasswords
from tests.integration.coordinator.stage import Stage
from tests.making import Documents, a_draft

SIGNING_KEY = "only a test signs with this key, which is long enough"
PASSWORD = "correct horse battery"
TOKENS = SignedAccessTokens(SIGNING_KEY.encode(), SystemClock(), lifetime=timedelta(hours=1))
_STORED = "select external_id, text from items where owner_id = :owner"


@dataclass
class User:
    """Every call returns when it was acknowledged; ``texts`` says by name what must be there, and
    ``ids`` under which identifiers it was stored."""

    stage: Stage
    principal: Principal
    token: str
    texts: dict[str, str] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)

    @classmethod
    def registered(cls, stage: Stage) -> User:
        email = f"{uuid.uuid4().hex}@example.org"
        _, pair = accounts(stage).register(email, PASSWORD, None)
        return cls(stage, TOKENS.read(pair.access_token), pair.access_token)

    @property
    def documents(self) -> Documents:
        return self.stage.documents

    def put(self, name: str, text: str) -> None:
        stored = self.documents.put(self.principal, name, a_draft(text, external_id=name))
        self.ids[name] = stored.record.id
        self.texts[name] = text

    def load(self, texts: dict[str, str]) -> None:
        """All of them by bulk ingest."""
        records = RecordService(self.stage.transactions)
        for name, text in texts.items():
            stored = records.ingest(self.principal, DOCUMENTS, a_draft(text, external_id=name))
            self.ids[name] = stored.record.id
        self.texts |= texts

    def delete(self, name: str) -> None:
        self.documents.remove(self.principal, self.ids.pop(name))
        del self.texts[name]

    def leave(self) -> None:
        accounts(self.stage).delete(self.principal, PASSWORD)
        self.texts.clear()

    def assert_kept(self) -> None:
        """Exactly what was acknowledged is there (I1)."""
        rows = self.stage.sql(_STORED, owner=self.principal.user_id)
        assert {row.external_id: row.text for row in rows} == self.texts


def accounts(stage: Stage) -> Accounts:
    cheap = Argon2idPasswords(memory_kib=64, iterations=1)
    throttle = Throttle(stage.transactions, KeyedAttempts(SIGNING_KEY.encode()))
    return Accounts(
        stage.transactions,
        cheap,
        TOKENS,
        SystemClock(),
        throttle,
        refresh_lifetime=timedelta(days=1),
    )
