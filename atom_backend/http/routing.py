"""From declared routes to Flask rules: read everything, then call the handler.

Invariant: a handler runs only when the caller is known and has the route's scope (unless the route
is public) and every part of the request was understood; nothing about the input is asked before
who is asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, request

from atom_backend.domain.principals import Principal
from atom_backend.errors import InsufficientScope, Unauthenticated
from atom_backend.http import queries
from atom_backend.http.authentication import authenticate
from atom_backend.http.bodies import read_body
from atom_backend.http.contract import Call, PublicCall, Route
from atom_backend.http.limits import HttpLimits
from atom_backend.http.paths import Anything, Identifier, flask_rule, reader, require_utf8
from atom_backend.http.rate_limits import RateLimits
from atom_backend.http.request_headers import RequestHeader
from atom_backend.http.services import Services


def mount(
    app: Flask,
    routes: Iterable[Route],
    services: Services,
    limits: HttpLimits,
    rates: RateLimits,
) -> None:
    """Add a rule for every route."""
    app.url_map.converters |= {"identifier": Identifier, "anything": Anything}
    app.url_map.merge_slashes = False
    for route in routes:
        app.add_url_rule(
            flask_rule(route.path, route.path_parameters),
            endpoint=route.name,
            view_func=_view(route, services, limits, rates),
            methods=[route.method],
        )


def _view(
    route: Route, services: Services, limits: HttpLimits, rates: RateLimits
) -> Callable[..., Response]:
    readers = {name: reader(name, type_) for name, type_ in route.path_parameters.items()}

    def view(**matched: Any) -> Response:
        require_utf8(request.environ["PATH_INFO"])
        known = {} if route.public else {"principal": _caller(route, services, rates)}
        path = {name: readers[name](value) for name, value in matched.items()}
        call = (PublicCall if route.public else Call)(
            services=services,
            headers={header.name: _header(header) for header in route.headers},
            query=queries.read(route.query, request.query_string),
            body=read_body(route.bodies, request, limits) if route.bodies else None,
            root=request.root_path.rstrip("/"),
            user_agent=request.headers.get("User-Agent"),
            cookies=request.cookies,
            accept=request.accept_mimetypes,
            **known,
        )
        return route.handler(call, **path)

    return view


def _caller(route: Route, services: Services, rates: RateLimits) -> Principal:
    authorization = request.headers.get("Authorization")
    try:
        principal = authenticate(authorization, services.access_tokens, services.api_keys)
    except Unauthenticated:
        rates.charge_address()
        raise
    rates.charge_user(principal.user_id)
    if route.needs not in principal.scopes:
        raise InsufficientScope(route.needs)
    return principal


def _header(header: RequestHeader[Any]) -> Any:
    text = request.headers.get(header.name)
    return None if text is None else header.read(text)
