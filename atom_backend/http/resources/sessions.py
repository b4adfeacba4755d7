"""Sessions over REST: where the account is logged in, and ending that."""

from __future__ import annotations

from uuid import UUID

from flask import Response
from pydantic import BaseModel

from atom_backend.domain.permissions import Scope
from atom_backend.domain.principals import Principal
from atom_backend.domain.sessions import Session
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.fields import Moment
from atom_backend.http.replies import json_reply, no_content

routes = Routes("sessions", "Where the account is logged in.")


class SessionAnswer(BaseModel):
    """A login; `user_agent` and `address` are those of the last login or refresh."""

    id: UUID
    current: bool
    created_at: Moment
    refreshed_at: Moment
    expires_at: Moment | None
    user_agent: str | None
    address: str | None

    @classmethod
    def of(cls, session: Session, asking: Principal) -> SessionAnswer:
        return cls(
            id=session.id,
            current=session.id == asking.session_id,
            created_at=session.created_at,
            refreshed_at=session.refreshed_at,
            expires_at=session.expires_at,
            user_agent=session.agent,
            address=session.address,
        )


class SessionPage(BaseModel):
    """All open sessions, the one that was refreshed last first."""

    items: list[SessionAnswer]


class EndedAnswer(BaseModel):
    """How many sessions were ended."""

    ended: int


@routes.add(
    "GET",
    "/v1/sessions",
    Answer(200, "All open sessions.", SessionPage),
    needs=Scope.ACCOUNT_MANAGE,
)
def list_sessions(call: Call[None, None]) -> Response:
    """The logins that have not ended; `current` is the one that asks."""
    found = call.services.sessions.listing(call.principal)
    return json_reply(SessionPage(items=[SessionAnswer.of(one, call.principal) for one in found]))


@routes.add(
    "DELETE",
    "/v1/sessions/{session_id}",
    Answer(204, "Its tokens open nothing any more."),
    needs=Scope.ACCOUNT_MANAGE,
)
def end_session(call: Call[None, None], session_id: UUID) -> Response:
    """End a session, with its access tokens and refresh tokens, at once."""
    call.services.sessions.end(call.principal, session_id)
    return no_content()


@routes.add(
    "POST",
    "/v1/sessions/end-others",
    Answer(200, "How many they were.", EndedAnswer),
    needs=Scope.ACCOUNT_MANAGE,
)
def end_other_sessions(call: Call[None, None]) -> Response:
    """End all sessions but the one that asks. API keys stay."""
    return json_reply(EndedAnswer(ended=call.services.sessions.end_others(call.principal)))
