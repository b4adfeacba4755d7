"""Driver errors become errors of ``atom_backend.errors``, in this one place.

Registered on every engine (SQLAlchemy's ``handle_error`` event), so that a translated error is
raised where the statement ran. Invariant: no error of SQLAlchemy or psycopg2 leaves the package.
Codes: PostgreSQL's manual, appendix A.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg2
from sqlalchemy.engine import ExceptionContext

from atom_backend.errors import (
    AtomError,
    ConfigurationError,
    Conflict,
    DatabaseUnavailable,
    DependencyError,
    InvalidInput,
    StoredDataError,
    Unauthenticated,
)
from atom_backend.relational.roles import SERVICE_ROLES

_UNPREPARED = re.compile(r'(role|database) "[^"]*" does not exist')
"""What a server says to a login that was never made; a refused connection has no code."""

_UNTRUSTED = re.compile(r"SSL error|certificate|does not support SSL")
_NO_ROOT = re.compile(r"root certificate file .* does not exist")
"""What libpq says where TLS was asked for and is not to be had."""

_CONSTRAINTS = {
    "users_email_key": ("There is an account with this address already.", "email_taken"),
    "items_external_id_key": (
        "There is one with this external identifier already.",
        "external_id_taken",
    ),
}

_OWNERSHIP = ("_owner_id_fkey", "_user_id_fkey", "_session_id_fkey")
"""How the names end of the constraints that tie a row to its account or session."""


def translate(context: ExceptionContext) -> AtomError | None:
    """What to raise instead; None leaves the error alone."""
    error = context.original_exception
    if isinstance(error, AtomError):
        return None
    if isinstance(error, psycopg2.Error):
        return translated(error)
    if isinstance(error, ValueError):
        # psycopg2 refuses NUL in a string, and Python a lone surrogate in UTF-8.
        return InvalidInput("The text holds a character that cannot be stored.")
    return None


def translated(error: psycopg2.Error) -> AtomError:
    """The error of the service for an error of the driver."""
    if error.pgcode is None:
        return _without_code(error)
    for states, make in _FAMILIES:
        if error.pgcode.startswith(states):
            return make(error)
    return StoredDataError(f"PostgreSQL refused a statement: {_said(error)}")


def _without_code(error: psycopg2.Error) -> AtomError:
    """The driver itself failed: as good as always because there is no connection (any more)."""
    if unprepared := _UNPREPARED.search(str(error)):
        return ConfigurationError(
            f"PostgreSQL says: {unprepared[0]}. Run migrate if this database was never prepared; "
            "else correct DATABASE_URL."
        )
    if _NO_ROOT.search(str(error)):
        return ConfigurationError(f"DATABASE_URL: {_said(error)}")
    if _UNTRUSTED.search(str(error)):
        return DatabaseUnavailable(f"PostgreSQL is not trusted: {_said(error)}")
    if isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError)):
        return DatabaseUnavailable(f"PostgreSQL does not answer: {_said(error)}")
    return StoredDataError(f"The driver of PostgreSQL failed: {_said(error)}")


def _unavailable(error: psycopg2.Error) -> AtomError:
    return DatabaseUnavailable(f"PostgreSQL cannot serve this now: {_said(error)}")


def _collision(_: psycopg2.Error) -> AtomError:
    return DependencyError("Another transaction came first.", code="transaction_conflict")


def _unstorable(_: psycopg2.Error) -> AtomError:
    return InvalidInput("PostgreSQL cannot store this value.")


def _refused(error: psycopg2.Error) -> AtomError:
    return ConfigurationError(
        f"PostgreSQL refused a right: {_said(error)}. The login must be a member of the roles "
        f"{', '.join(SERVICE_ROLES[:-1])} and {SERVICE_ROLES[-1]}, and the schema be migrated."
    )


def _schema(error: psycopg2.Error) -> AtomError:
    return ConfigurationError(
        f"The database's schema or rights are not this version's: {_said(error)}"
    )


def _conflict(error: psycopg2.Error) -> Conflict:
    name = error.diag.constraint_name or "unknown"
    message, code = _CONSTRAINTS.get(name, (f"This would break the constraint {name}.", None))
    return Conflict(message, code=code)


def _ownerless(error: psycopg2.Error) -> AtomError:
    """An account or session was deleted after this transaction had begun under it."""
    if (error.diag.constraint_name or "").endswith(_OWNERSHIP):
        return Unauthenticated("This session has ended: log in again.", code="session_ended")
    return StoredDataError(f"PostgreSQL refused a statement: {_said(error)}")


def _said(error: psycopg2.Error) -> str:
    """The server's main message and code: its detail line may quote a user's values."""
    message = error.diag.message_primary or str(error).strip().partition("\n")[0]
    return f"{message} ({error.pgcode})" if error.pgcode else message


# By the beginning of the code. Unavailable: connection lost, a standby that became read-only, a
# pause or a lock that took too long, resources exhausted, the server's operator intervening
# (which is also how a timeout cancels a statement), system errors.
_FAMILIES: tuple[tuple[tuple[str, ...], Callable[[psycopg2.Error], AtomError]], ...] = (
    (("23505",), _conflict),
    (("23503",), _ownerless),
    (("08", "25006", "25P03", "53", "55P03", "57", "58"), _unavailable),
    (("40",), _collision),
    (("22", "54"), _unstorable),
    (("42501",), _refused),
    (("28", "3D", "3F", "42"), _schema),
)
