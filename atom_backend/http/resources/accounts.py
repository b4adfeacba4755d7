"""Registering, logging in and out, the own profile, leaving."""

from __future__ import annotations

from typing import Any

from flask import Response

from atom_backend.domain.erasures import ErasureState
from atom_backend.domain.permissions import Scope
from atom_backend.http.contract import Answer, Call, PublicCall, Routes
from atom_backend.http.replies import json_reply, no_content
from atom_backend.http.request_headers import PREFER_WAIT
from atom_backend.http.resources.account_shapes import (
    Leave,
    Login,
    PasswordChange,
    ProfilePatch,
    Refresh,
    Registration,
    RegistrationAnswer,
    TokenAnswer,
    UserAnswer,
)
from atom_backend.http.resources.erasures import ErasureAnswer

routes = Routes("users", "Registration, sessions, and the own profile.")

_LONGEST_AGENT = 200
_ERASURE = {
    "Location": "The address of the erasure.",
    "Preference-Applied": "The wait that was granted.",
}


@routes.add(
    "POST",
    "/v1/auth/register",
    Answer(201, "The account, with its first tokens.", RegistrationAnswer),
    problems=(403, 409),
)
def register(call: PublicCall[None, Registration]) -> Response:
    """Create an account.

    409 `email_taken` when the address has one; upper and lower case make no difference. 422
    `unacceptable_password` for one that is among those that are guessed first. 403 where
    the administrators let nobody register (`registration_closed`), not from this domain
    (`domain_not_allowed`), or no more (`registration_full`).
    """
    body = call.body
    user, pair = call.services.accounts.register(
        body.email, body.password.get_secret_value(), body.display_name, agent=_agent(call)
    )
    tokens = TokenAnswer.of(pair).model_dump()
    return json_reply(RegistrationAnswer(user=UserAnswer.of(user), **tokens), 201)


@routes.add(
    "POST", "/v1/auth/login", Answer(200, "A new session's tokens.", TokenAnswer), problems=(401,)
)
def log_in(call: PublicCall[None, Login]) -> Response:
    """Begin a session.

    401 `invalid_credentials`, whether it was the address or the password that was wrong. 429
    `too_many_attempts` after several failures; `Retry-After` says when the next one is judged.
    """
    pair = call.services.accounts.log_in(
        call.body.email, call.body.password.get_secret_value(), agent=_agent(call)
    )
    return json_reply(TokenAnswer.of(pair))


@routes.add(
    "POST",
    "/v1/auth/refresh",
    Answer(200, "The session's next tokens.", TokenAnswer),
    problems=(401,),
)
def refresh(call: PublicCall[None, Refresh]) -> Response:
    """Exchange a refresh token for new tokens.

    A refresh token works once. Using one again ends its session, because one of the two users of
    the token must have stolen it.
    """
    token = call.body.refresh_token.get_secret_value()
    return json_reply(TokenAnswer.of(call.services.accounts.refresh(token, agent=_agent(call))))


@routes.add(
    "POST", "/v1/auth/logout", Answer(204, "The session has ended."), needs=Scope.ACCOUNT_MANAGE
)
def log_out(call: Call[None, None]) -> Response:
    """End the session of this access token."""
    call.services.accounts.log_out(call.principal)
    return no_content()


@routes.add(
    "GET", "/v1/users/me", Answer(200, "The own account.", UserAnswer), needs=Scope.PROFILE_READ
)
def read_me(call: Call[None, None]) -> Response:
    """The own account."""
    return json_reply(UserAnswer.of(call.services.accounts.me(call.principal)))


@routes.add(
    "PATCH",
    "/v1/users/me",
    Answer(200, "The account after the change.", UserAnswer),
    needs=Scope.PROFILE_WRITE,
)
def change_me(call: Call[None, ProfilePatch]) -> Response:
    """Change the own profile by a JSON merge patch (RFC 7386)."""
    accounts = call.services.accounts
    if "display_name" not in call.body.model_fields_set:
        return json_reply(UserAnswer.of(accounts.me(call.principal)))
    return json_reply(UserAnswer.of(accounts.rename(call.principal, call.body.display_name)))


@routes.add(
    "POST",
    "/v1/users/me/password",
    Answer(200, "A new session's tokens; all others have ended.", TokenAnswer),
    needs=Scope.ACCOUNT_MANAGE,
)
def change_password(call: Call[None, PasswordChange]) -> Response:
    """Change the own password.

    Every session ends at once, this one too, with all its tokens; the answer has those of a new
    one. API keys stay: delete those that somebody else may know. 403 `wrong_password` when
    `current_password` is not the account's; 422 `unacceptable_password` for a new one that is
    among those that are guessed first. After five wrong ones each further attempt has to wait:
    429 `too_many_attempts`.
    """
    current = call.body.current_password.get_secret_value()
    new = call.body.new_password.get_secret_value()
    accounts = call.services.accounts
    pair = accounts.change_password(call.principal, current, new, agent=_agent(call))
    return json_reply(TokenAnswer.of(pair))


@routes.add(
    "DELETE",
    "/v1/users/me",
    Answer(200, "The account is gone, and nothing of it is left.", ErasureAnswer, headers=_ERASURE),
    Answer(
        202, "The account is gone; the index still has to follow.", ErasureAnswer, headers=_ERASURE
    ),
    needs=Scope.ACCOUNT_MANAGE,
    problems=(403,),
    headers=(PREFER_WAIT,),
)
def delete_me(call: Call[None, Leave]) -> Response:
    """Delete the own account with everything in it, for good.

    All sessions end at once, and nothing of the account is found any more. What the index holds of
    it is removed by workers; the address in `Location`, which needs no token, says when that is
    done. The e-mail address may be registered again. 403 `wrong_password` when the password is not
    the account's.
    """
    erasure = call.services.accounts.delete(call.principal, call.body.password.get_secret_value())
    seconds = call.header(PREFER_WAIT)
    if seconds is not None:
        erasure = call.services.erasures.wait_until_done(erasure, seconds)
    status = 200 if erasure.state is ErasureState.DONE else 202
    address = f"{call.root}/v1/erasures/{erasure.id}"
    reply = json_reply(ErasureAnswer.of(erasure), status, Location=address)
    if seconds is not None:
        reply.headers["Preference-Applied"] = f"wait={seconds}"
    return reply


def _agent(call: PublicCall[None, Any]) -> str | None:
    return call.user_agent[:_LONGEST_AGENT] if call.user_agent else None
