"""What each role may do: the only place where rights are given.

Invariant: deny by default. A route names the one scope that it needs, or is public; what does not
stand in this table may not be done by anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What an account is for."""

    USER = "user"
    SERVICE = "service"
    ADMIN = "admin"


class Scope(StrEnum):
    """One right; a scope of OAuth 2.0 by its form (RFC 6749, section 3.3)."""

    PROFILE_READ = "profile:read"
    PROFILE_WRITE = "profile:write"
    RECORDS_READ = "records:read"
    RECORDS_WRITE = "records:write"
    SEARCH = "search"
    ARCHIVE_EXPORT = "archive:export"
    ARCHIVE_IMPORT = "archive:import"
    GRANTS_READ = "grants:read"
    GRANTS_WRITE = "grants:write"
    GRANTS_TOKEN = "grants:token"
    GRANTS_TOKEN_ANY = "grants:token:any"
    ACCOUNT_MANAGE = "account:manage"
    ADMIN_READ = "admin:read"
    ADMIN_WRITE = "admin:write"


ABOUT: Mapping[Scope, str] = {
    Scope.PROFILE_READ: "See the own account.",
    Scope.PROFILE_WRITE: "Change the own profile.",
    Scope.RECORDS_READ: "Read what the account keeps: records, conversations, preferences.",
    Scope.RECORDS_WRITE: "Store, change and remove what the account keeps.",
    Scope.SEARCH: "Search, and find what is similar.",
    Scope.ARCHIVE_EXPORT: "Take everything away as one file.",
    Scope.ARCHIVE_IMPORT: "Bring such a file back into an empty account.",
    Scope.GRANTS_READ: "See which OAuth grants there are; never their tokens.",
    Scope.GRANTS_WRITE: "Begin, store and end OAuth grants.",
    Scope.GRANTS_TOKEN: "Get an access token from an own OAuth grant.",
    Scope.GRANTS_TOKEN_ANY: "Get an access token from anybody's OAuth grant.",
    Scope.ACCOUNT_MANAGE: "Manage sessions, API keys and the password; delete the account.",
    Scope.ADMIN_READ: "See the audit trail, the configuration and the consistency of the service.",
    Scope.ADMIN_WRITE: "Configure the service; ask for checks and repairs.",
}
"""What each scope lets its holder do."""

_OWN = frozenset(Scope) - {Scope.GRANTS_TOKEN_ANY, Scope.ADMIN_READ, Scope.ADMIN_WRITE}

SCOPES: Mapping[Role, frozenset[Scope]] = {
    Role.USER: _OWN,
    Role.SERVICE: _OWN | {Scope.GRANTS_TOKEN_ANY},
    Role.ADMIN: _OWN | {Scope.ADMIN_READ, Scope.ADMIN_WRITE},
}
"""What a session of an account with this role may do."""

NEVER_BY_KEY = frozenset({Scope.ACCOUNT_MANAGE})
"""What no API key may do: one that leaked could otherwise make itself successors, or lock the
account's owner out."""
