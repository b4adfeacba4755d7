"""Authorizing at a provider over REST: an address for the browser, and the way back.

Invariant: a cookie proves nothing about who asks; it only binds a flow that was begun with an
access token to the browser in which that was.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response

from atom_backend.domain.oauth_flows import cookie_name
from atom_backend.domain.oauth_redirects import with_parameter
from atom_backend.domain.permissions import Scope
from atom_backend.http.contract import Answer, Call, PublicCall, Routes
from atom_backend.http.replies import json_reply
from atom_backend.http.resources.oauth_shapes import (
    AuthorizationAnswer,
    AuthorizationRequest,
    CallbackBody,
    CallbackQuery,
    GrantAnswer,
    ProviderAnswer,
    ProviderName,
    ProviderPage,
)
from atom_backend.services.oauth_authorizations import FLOW_SECONDS, Cookie, Finished

routes = Routes("oauth", "What owners let this service do at other providers.")

_COOKIE = {"Set-Cookie": "Binds the authorization to this browser."}
_DONE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Connected</title>
<h1>Connected</h1>
<p>The authorization is complete. You can close this page.</p>
"""


@routes.add(
    "GET",
    "/v1/oauth/providers",
    Answer(200, "The providers.", ProviderPage),
    needs=Scope.GRANTS_READ,
)
def list_oauth_providers(call: Call[None, None]) -> Response:
    """The providers at which owners can authorize."""
    providers = call.services.oauth.authorizations.providers()
    return json_reply(ProviderPage(items=[ProviderAnswer.of(one) for one in providers]))


@routes.add(
    "POST",
    "/v1/oauth/{provider}/authorize",
    Answer(200, "Where to send the browser.", AuthorizationAnswer, headers=_COOKIE),
    needs=Scope.GRANTS_WRITE,
    problems=(502,),
)
def begin_oauth_authorization(
    call: Call[None, AuthorizationRequest], provider: ProviderName
) -> Response:
    """Begin an authorization at a provider.

    Without `redirect_uri` the browser comes back to this service, with the cookie that this answer
    sets: keep it in the browser that is sent there. A front end that cannot, because it is of
    another origin, has the browser come back to itself and posts what it brings.
    """
    begun = call.services.oauth.authorizations.begin(call.principal, provider, call.body.wish())
    reply = json_reply(AuthorizationAnswer.of(begun))
    if begun.cookie:
        _set(reply, cookie_name(begun.state), begun.cookie, FLOW_SECONDS)
    return reply


@routes.add(
    "GET",
    "/v1/oauth/{provider}/callback",
    Answer(200, "The grant.", GrantAnswer),
    Answer(200, "The same, for people.", str, media_type="text/html"),
    Answer(303, "The way to `return_to`.", headers={"Location": "With `oauth_grant` added."}),
    problems=(403, 404, 409, 502),
)
def come_back_from_oauth(call: PublicCall[CallbackQuery, None], provider: ProviderName) -> Response:
    """Where a provider sends the browser back to.

    404 `flow_not_found` without the cookie that began the authorization, the second time, and after
    ten minutes. 403 `authorization_denied`, 400 `authorization_failed`: the provider sent an error.
    """
    name = cookie_name(call.query.state)
    finished = call.services.oauth.authorizations.finish_in_browser(
        provider, call.query.returned(), call.cookies.get(name, "")
    )
    reply = _done(call, finished)
    _set(reply, name, Cookie("", finished.redirect_uri), 0)
    return reply


@routes.add(
    "POST",
    "/v1/oauth/{provider}/callback",
    Answer(200, "The grant, with other tokens.", GrantAnswer),
    Answer(201, "The new grant.", GrantAnswer),
    needs=Scope.GRANTS_WRITE,
    problems=(403, 404, 409, 502),
)
def finish_oauth_authorization(call: Call[None, CallbackBody], provider: ProviderName) -> Response:
    """Finish an own authorization with what the browser brought back.

    404 `flow_not_found` for another account's, the second time, and after ten minutes.
    """
    finished = call.services.oauth.authorizations.finish(
        call.principal, provider, call.body.returned()
    )
    return json_reply(GrantAnswer.of(finished.grant), 201 if finished.new else 200)


def _done(call: PublicCall[CallbackQuery, None], finished: Finished) -> Response:
    if finished.return_to is not None:
        address = with_parameter(finished.return_to, "oauth_grant", str(finished.grant.id))
        reply = Response(status=303, headers={"Location": address})
        del reply.headers["Content-Type"]
        return reply
    if call.accept.best_match(["application/json", "text/html"]) == "text/html":
        return Response(_DONE, content_type="text/html; charset=utf-8")
    return json_reply(GrantAnswer.of(finished.grant))


def _set(reply: Response, name: str, cookie: Cookie, seconds: int) -> None:
    address = urlsplit(cookie.address)
    reply.set_cookie(
        name,
        cookie.secret,
        max_age=seconds,
        path=address.path,
        secure=address.scheme == "https",
        httponly=True,
        samesite="Lax",
    )
