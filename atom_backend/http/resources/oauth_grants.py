"""Grants over REST: seen without their tokens, stored, ended; and tokens for use at the provider.

Invariant: ``POST .../token`` is the only route that answers a token.
"""

from __future__ import annotations

import re

from flask import Response

from atom_backend.domain.permissions import Scope
from atom_backend.errors import FieldProblem, InvalidInput
from atom_backend.http import cursors
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.fields import Identifier
from atom_backend.http.paths import UUID_PATTERN
from atom_backend.http.queries import following
from atom_backend.http.replies import json_reply
from atom_backend.http.resources.oauth_shapes import (
    EndingAnswer,
    GrantAnswer,
    GrantPage,
    GrantsQuery,
    ProviderName,
    StoredTokens,
    TokenAnswer,
)

routes = Routes("oauth", "What owners let this service do at other providers.")


@routes.add(
    "GET",
    "/v1/oauth/grants",
    Answer(200, "A page of grants.", GrantPage, headers={"Link": "The next page (RFC 8288)."}),
    needs=Scope.GRANTS_READ,
)
def list_oauth_grants(call: Call[GrantsQuery, None]) -> Response:
    """The own grants, without their tokens."""
    query = call.query
    found = call.services.oauth.grants.listing(
        call.principal,
        limit=query.limit + 1,
        after=None if query.cursor is None else cursors.read_identifier(query.cursor),
        provider=query.provider,
    )
    shown = found[: query.limit]
    cursor = cursors.after_identifier(shown[-1].id) if len(found) > query.limit else None
    page = GrantPage(items=[GrantAnswer.of(one) for one in shown], next_cursor=cursor)
    reply = json_reply(page)
    if cursor:
        address = f"{call.root}/v1/oauth/grants?{following(query, cursor)}"
        reply.headers["Link"] = f'<{address}>; rel="next"'
    return reply


@routes.add(
    "GET",
    "/v1/oauth/grants/{grant}",
    Answer(200, "The grant.", GrantAnswer),
    needs=Scope.GRANTS_READ,
)
def read_oauth_grant(call: Call[None, None], grant: Identifier) -> Response:
    """One of the own grants, by its identifier."""
    return json_reply(GrantAnswer.of(call.services.oauth.grants.get(call.principal, grant)))


@routes.add(
    "PUT",
    "/v1/oauth/grants/{grant}",
    Answer(200, "The grant, with these tokens instead of its former.", GrantAnswer),
    Answer(201, "The new grant.", GrantAnswer),
    needs=Scope.GRANTS_WRITE,
    problems=(409,),
)
def put_oauth_grant(call: Call[None, StoredTokens], grant: ProviderName) -> Response:
    """Store tokens that were obtained elsewhere, by the name of their provider.

    They replace what is kept of this provider and `account`. A provider that is not configured here
    may be named, too: its tokens are served until they expire, but not refreshed.
    """
    if re.fullmatch(UUID_PATTERN, grant):
        detail = "Input should be the name of a provider, not an identifier"
        raise InvalidInput(problems=[FieldProblem("/grant", detail)])
    stored, new = call.services.oauth.grants.put(
        call.principal, grant, call.body.account, call.body.issued
    )
    return json_reply(GrantAnswer.of(stored), 201 if new else 200)


@routes.add(
    "DELETE",
    "/v1/oauth/grants/{grant}",
    Answer(200, "It is destroyed.", EndingAnswer),
    needs=Scope.GRANTS_WRITE,
)
def delete_oauth_grant(call: Call[None, None], grant: Identifier) -> Response:
    """Revoke a grant at its provider, where that can be done, and destroy it in any case."""
    ending = call.services.oauth.grants.remove(call.principal, grant)
    return json_reply(EndingAnswer.of(grant, ending))


@routes.add(
    "POST",
    "/v1/oauth/grants/{grant}/token",
    Answer(200, "A valid token.", TokenAnswer),
    needs=Scope.GRANTS_TOKEN,
    problems=(409, 502),
)
def issue_oauth_token(call: Call[None, None], grant: Identifier) -> Response:
    """An access token of an own grant, or, for a service, of anybody's.

    Refreshed when it is about to expire. 409 `reauthorization_required`: the provider has ended the
    grant, and its owner must authorize again; 409 `provider_not_configured`: nobody can refresh it
    here. 502 `provider_refused`, 503 `provider_unavailable`: the grant stands, only a new token
    cannot be had now.
    """
    return json_reply(TokenAnswer.of(call.services.oauth.tokens.hand_out(call.principal, grant)))
