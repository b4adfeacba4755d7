"""Secrets in memory show themselves to nobody who did not ask."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from datetime import UTC, datetime
from uuid import UUID

import pytest

from atom_backend.domain.accounts import Credential, RefreshToken, TokenPair, User
from atom_backend.domain.master_keys import MasterKey
from atom_backend.domain.oauth import IssuedTokens
from atom_backend.domain.permissions import Role
from atom_backend.domain.secrets import Secret
from atom_backend.relational.provision import DatabaseUrls
from atom_backend.settings import Settings
from atom_backend.vault.keyring import Keyring
from atom_backend.vault.sealer import EnvelopeSealer

CANARY = "atom-canary-1f0c"
SECRET = Secret(CANARY)


def test_a_secret_is_told_by_reveal_alone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("any").debug("%s %r %s", SECRET, SECRET, {"token": SECRET})
    try:
        raise ValueError(SECRET)
    except ValueError:
        told = traceback.format_exc()
    shown = [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET:>40}",
        caplog.text,
        told,
    ]
    assert not [text for text in shown if CANARY in text]
    assert SECRET.reveal() == CANARY


@pytest.mark.parametrize("copying", [pickle.dumps, copy.deepcopy, json.dumps])
def test_a_secret_is_not_serialised(copying: object) -> None:
    with pytest.raises(TypeError) as raised:
        copying(SECRET)  # type: ignore[operator]
    assert CANARY not in str(raised.value)


def test_secrets_are_compared_by_their_texts() -> None:
    assert Secret(CANARY) == SECRET
    assert hash(Secret(CANARY)) == hash(SECRET)
    assert Secret(CANARY + "x") != SECRET
    assert SECRET != CANARY
    assert Secret("\ud800") == Secret("\ud800")


NOW = datetime(2026, 11, 22, tzinfo=UTC)
USER = User(UUID(int=1), "ann@example.org", None, Role.USER, NOW, NOW)


@pytest.mark.parametrize(
    "holding",
    [
        MasterKey(CANARY.encode()),
        Credential(USER, CANARY),
        RefreshToken(CANARY.encode(), USER.id, USER.id, Role.USER, NOW, used=False, revoked=False),
        TokenPair(CANARY, CANARY, 900),
        IssuedTokens(SECRET, SECRET),
        DatabaseUrls(f"postgresql://owner:{CANARY}@h/d", f"postgresql://service:{CANARY}@h/d"),
        EnvelopeSealer(Keyring([MasterKey(CANARY.encode())])),
        Settings.from_environment(
            {
                "DATABASE_URL": f"postgresql://ann:{CANARY}@h/d",
                "ATOM_SIGNING_KEY": CANARY * 2,
                "ATOM_OAUTH_ENCRYPTION_KEY": f"{CANARY}{CANARY[::-1]}",
            }
        ),
    ],
    ids=lambda holding: type(holding).__name__,
)
def test_what_holds_a_secret_does_not_show_it(holding: object) -> None:
    shown = f"{holding!r} {holding} {[holding]}"
    assert CANARY not in shown
    assert type(holding).__name__ in shown
