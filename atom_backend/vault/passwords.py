"""Passwords as Argon2id (RFC 9106), in the PHC string format.

Invariants: a password is never stored, logged or compared in any other form; a process works on
one password at a time. OpenSSL computes the lanes on threads of a common pool, and two computations
at once starve each other: one fails as if out of memory, or both wait for ever (OpenSSL 4.0.3). It
bounds the memory, too.
"""

from __future__ import annotations

import os
from threading import Lock

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from atom_backend.errors import StoredDataError

_ITERATIONS = 3
_LANES = 4
_MEMORY_KIB = 64 * 1024
"""RFC 9106, section 4, second recommended option: t=3, p=4, m=64 MiB."""

_SALT_BYTES = 16
_HASH_BYTES = 32


_ONE_AT_A_TIME = Lock()


class Argon2idPasswords:
    """The ``Passwords`` port; about 60 ms of one core and ``memory_kib`` KiB a call."""

    def __init__(self, *, memory_kib: int = _MEMORY_KIB, iterations: int = _ITERATIONS) -> None:
        self._memory_kib = memory_kib
        self._iterations = iterations

    def hash(self, password: str) -> str:
        """The PHC string ``$argon2id$v=19$m=...,t=...,p=...$salt$hash``."""
        derivation = Argon2id(
            salt=os.urandom(_SALT_BYTES),
            length=_HASH_BYTES,
            iterations=self._iterations,
            lanes=_LANES,
            memory_cost=self._memory_kib,
        )
        with _ONE_AT_A_TIME:
            return derivation.derive_phc_encoded(_encoded(password))

    def verify(self, password: str, hashed: str) -> bool:
        """Whether the password is the one that was hashed; compares in constant time.

        Raises StoredDataError where the hash has parameters that Argon2id does not allow.
        """
        try:
            with _ONE_AT_A_TIME:
                Argon2id.verify_phc_encoded(_encoded(password), hashed)
        except InvalidKey:
            return False
        except ValueError:
            raise StoredDataError("A stored password hash cannot be read.") from None
        return True


def _encoded(password: str) -> bytes:
    """UTF-8; a lone surrogate, which a terminal may give, is a character like any other."""
    return password.encode("utf-8", "surrogatepass")
