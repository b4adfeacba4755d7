"""The database roles, one for each kind of work; for migrations.

Roles belong to the whole cluster, so another database may have made them already. Where the
migrating login may not make them, the error names what an administrator must run.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from atom_backend.errors import ConfigurationError

SERVICE_ROLES = ("atom_app", "atom_auth", "atom_worker", "atom_auditor", "atom_vault")
"""What the service's login switches to: an owner's work, signing in, the coordinator, sealing the
audit trail, rotating keys."""

DEFINER = "atom_definer"
"""Owns the functions that run with rights of their own. The service's login may not take it: an
owner may drop its functions, and with them the triggers that audit and keep balances."""

READER = "atom_reader"
"""For the logins of dashboards; the service never takes it."""

_CREATE = """
do $$ begin create role {role} nologin;
exception when duplicate_object or unique_violation then null; end $$
"""
_MEMBERS = """
    select distinct quote_ident(login.rolname) from pg_auth_members m
    join pg_roles granted on granted.oid = m.roleid
    join pg_roles login on login.oid = m.member
    where granted.rolname = 'atom_worker' and login.rolname <> current_user
        and not pg_has_role(login.oid, '{role}', 'MEMBER')
"""


def ensure_roles(connection: Connection) -> None:
    """Make the roles that are missing, and let the migrating login switch to all but the reader.

    It does not hold their rights unswitched. Raises ConfigurationError.
    """
    missing = [role for role in (*SERVICE_ROLES, DEFINER, READER) if not _known(connection, role)]
    if missing and not _is(connection, "rolsuper or rolcreaterole"):
        raise _refusal(connection)
    for role in missing:
        # Another database of this cluster may be migrating at this moment.
        connection.execute(sa.text(_CREATE.format(role=role)))
    modern = _is(connection, "current_setting('server_version_num')::int >= 160000")
    right, terms = ("SET", " with inherit false, set true") if modern else ("MEMBER", "")
    for role in (*SERVICE_ROLES, DEFINER):
        if _is(connection, f"pg_has_role(current_user, '{role}', '{right}')"):
            continue
        if not _may_grant(connection, role):
            raise _refusal(connection)
        connection.execute(sa.text(f"grant {role} to current_user{terms}"))


def admit_members(connection: Connection, role: str) -> None:
    """Let every login of the service take a role that has come later, as far as ours may say so.

    Where it may not, the service says at its start what is lacking.
    """
    if not _may_grant(connection, role):
        return
    for login in connection.scalars(sa.text(_MEMBERS.format(role=role))).all():
        connection.execute(sa.text(f"grant {role} to {login}"))


def _may_grant(connection: Connection, role: str) -> bool:
    return _is(
        connection,
        f"rolsuper or pg_has_role(current_user, '{role}', 'MEMBER WITH ADMIN OPTION')"
        " or (rolcreaterole and current_setting('server_version_num')::int < 160000)",
    )


def _known(connection: Connection, role: str) -> bool:
    found = sa.text("select 1 from pg_roles where rolname = :role")
    return connection.scalar(found, {"role": role}) is not None


def _is(connection: Connection, condition: str) -> bool:
    statement = f"select {condition} from pg_roles where rolname = current_user"
    return bool(connection.scalar(sa.text(statement)))


def _refusal(connection: Connection) -> ConfigurationError:
    login = connection.scalar(sa.text("select quote_ident(current_user)"))
    create = " ".join(f"create role {role} nologin;" for role in (*SERVICE_ROLES, DEFINER, READER))
    return ConfigurationError(
        f"The login {login} may not create database roles. Let an administrator run: "
        f"{create} grant {', '.join((*SERVICE_ROLES, DEFINER))} to {login};"
    )
