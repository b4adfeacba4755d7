"""Roles: one for each kind of work, and the setting that says whose rows are meant.

Roles belong to the whole cluster, so another database may have made them already. Where the
migrating login may not make them, the error names what an administrator must run.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from atom_backend.errors import ConfigurationError

revision = "0001"
down_revision = None

ROLES = ("atom_app", "atom_auth", "atom_worker")


def upgrade() -> None:
    _create_roles()
    _become_member()
    op.execute("""
        create function atom_owner() returns uuid
        language sql stable parallel safe
        return nullif(current_setting('atom.owner_id', true), '')::uuid
    """)


def _create_roles() -> None:
    missing = [role for role in ROLES if not _known(role)]
    if missing and not _is("rolsuper or rolcreaterole"):
        raise _refusal()
    for role in missing:
        # Another database of this cluster may be migrating at this moment.
        op.execute(f"""
            do $$ begin create role {role} nologin;
            exception when duplicate_object or unique_violation then null; end $$
        """)


def _become_member() -> None:
    """Let the migrating login switch to the roles, without holding their rights unswitched."""
    modern = _is("current_setting('server_version_num')::int >= 160000")
    right, terms = ("SET", " with inherit false, set true") if modern else ("MEMBER", "")
    for role in ROLES:
        if _is(f"pg_has_role(current_user, '{role}', '{right}')"):
            continue
        if not _is(f"rolcreaterole or pg_has_role(current_user, '{role}', 'MEMBER')"):
            raise _refusal()
        op.execute(f"grant {role} to current_user{terms}")


def _known(role: str) -> bool:
    found = op.get_bind().scalar(text("select 1 from pg_roles where rolname = :r"), {"r": role})
    return found is not None


def _is(condition: str) -> bool:
    statement = f"select {condition} from pg_roles where rolname = current_user"
    return bool(op.get_bind().scalar(text(statement)))


def _refusal() -> ConfigurationError:
    login = op.get_bind().scalar(text("select quote_ident(current_user)"))
    create = " ".join(f"create role {role} nologin;" for role in ROLES)
    return ConfigurationError(
        f"The login {login} may not create database roles. Let an administrator run: "
        f"{create} grant {', '.join(ROLES)} to {login};"
    )
