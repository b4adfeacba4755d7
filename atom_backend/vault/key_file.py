"""A secret key that this machine makes for itself and keeps in a file of its own.

Invariant: the file is readable by its owner alone from its first byte on, and two processes that
make it at the same time end up with the same key.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from atom_backend.errors import ConfigurationError

_KEY_BYTES = 48


def random_text() -> str:
    """A key for whatever takes any text."""
    return secrets.token_urlsafe(_KEY_BYTES)


def load_or_create_key(
    path: Path, generate: Callable[[], str] = random_text, *, shortest: int = _KEY_BYTES
) -> bytes:
    """The key in this file, made on first use. Raises ConfigurationError.

    One with fewer than ``shortest`` bytes cannot be whole.
    """
    try:
        if not path.exists():
            _create(path, generate())
        key = path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"The key file {path} cannot be used: {error.strerror}.") from None
    if len(key) < shortest:
        raise ConfigurationError(f"The key file {path} is damaged: restore it, or remove it.")
    return key


def _create(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, fails when another process was first: its key is the one.
        try:
            os.link(fresh, path)
        except FileExistsError:
            return
    finally:
        fresh.unlink()
