"""Secrets in memory show themselves to nobody who did not ask."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import pytest

from atom_backend.domain.master_keys import MasterKey
from atom_backend.domain.secrets import Secret

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


def test_a_master_key_is_not_shown() -> None:
    assert CANARY not in repr(MasterKey(CANARY.encode()))
