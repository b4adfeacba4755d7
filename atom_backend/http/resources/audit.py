"""The audit trail over REST: every write of every account, and uses of tokens."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from atom_backend.domain.audit import AuditAction, AuditEntry, AuditListing
from atom_backend.domain.permissions import Scope
from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.http import cursors
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.fields import Cursor, Identifier, Integer, Moment, text_of
from atom_backend.http.limits import PAGE_DEFAULT, PAGE_LARGEST
from atom_backend.http.queries import Parameters
from atom_backend.http.replies import json_reply

routes = Routes("audit", "Who wrote or used what, and when; for administrators.")

_OTHERS = {
    *("api_keys", "audit", "configuration", "oauth_flows", "oauth_grants", "passwords", "users")
}
_RESOURCES = sorted(_OTHERS | {resource.name for resource in RESOURCES})


class AuditQuery(Parameters):
    """Which entries to list. `since` includes its moment, `until` does not."""

    cursor: Cursor | None = None
    limit: Annotated[Integer, Field(ge=1, le=PAGE_LARGEST)] = PAGE_DEFAULT
    user: Identifier | None = Field(None, description="Written by this account.")
    resource: Literal[tuple(_RESOURCES)] | None = Field(  # type: ignore[valid-type]
        None,
        description="Records of this resource; `users` are the accounts, and `audit` tells of "
        "removals from the trail itself.",
    )
    item_id: Identifier | None = Field(None, description="Writes of this record.")
    action: AuditAction | None = None
    remote_address: text_of(64) | None = Field(  # type: ignore[valid-type]
        None, description="Writes that came from this address."
    )
    since: Moment | None = None
    until: Moment | None = None


class AuditEntryAnswer(BaseModel):
    """One write or use of one record, without its content.

    `user_id` is null where nobody was logged in. Either `session_id` or `api_key_id` says by what
    they proved who they are. Both are null for commands, as `request_id` and `remote_address` are.
    `revision` is the one that was reached or removed; accounts and uses have none.
    """

    id: int
    at: Moment
    user_id: UUID | None
    session_id: UUID | None
    api_key_id: UUID | None
    request_id: str | None
    remote_address: str | None
    action: AuditAction
    resource: str
    item_id: UUID
    revision: int | None

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditEntryAnswer:
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class AuditHeadAnswer(BaseModel):
    """Where the chain of seals ends. Noted elsewhere, `head` proves later that nothing before it
    was changed (`audit verify --head`). `unsealed` entries have no seal yet."""

    head: str
    position: int
    unsealed: int


class AuditPage(BaseModel):
    """Entries, newest first; `next_cursor` is null on the last page."""

    items: list[AuditEntryAnswer]
    next_cursor: str | None


@routes.add(
    "GET",
    "/v1/admin/audit",
    Answer(200, "A page of entries.", AuditPage, headers={"Link": "The next page (RFC 8288)."}),
    needs=Scope.ADMIN_READ,
)
def list_audit_entries(call: Call[AuditQuery, None]) -> Response:
    """Every write of every resource and account, newest first: who, what, when, from where."""
    query = call.query
    listing = AuditListing(
        limit=query.limit + 1,
        after=None if query.cursor is None else cursors.read_number(query.cursor),
        user_id=query.user,
        resource=query.resource,
        item_id=query.item_id,
        action=query.action,
        remote_address=query.remote_address,
        since=query.since,
        until=query.until,
    )
    found = call.services.audit.listing(call.principal, listing)
    shown = found[: query.limit]
    cursor = cursors.after_number(shown[-1].id) if len(found) > query.limit else None
    entries = [AuditEntryAnswer.of(entry) for entry in shown]
    reply = json_reply(AuditPage(items=entries, next_cursor=cursor))
    if cursor:
        given = query.model_dump(mode="json", exclude_defaults=True) | {"cursor": cursor}
        reply.headers["Link"] = f'<{call.root}/v1/admin/audit?{urlencode(given)}>; rel="next"'
    return reply


@routes.add(
    "GET",
    "/v1/admin/audit/head",
    Answer(200, "The head of the trail.", AuditHeadAnswer),
    needs=Scope.ADMIN_READ,
)
def show_audit_head(call: Call[None, None]) -> Response:
    """The newest seal of the audit trail, for administrators who keep a copy of it elsewhere."""
    head, depth = call.services.audit.head(call.principal)
    return json_reply(
        AuditHeadAnswer(head=str(head), position=head.position, unsealed=depth.unsealed)
    )
