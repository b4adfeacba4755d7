"""What a route promises: declared once, where its handler stands.

The handler's own annotations say the rest: ``Call[Query, Body]`` (or ``PublicCall`` for routes
without authentication) names the query model and the bodies, further arguments are the path's.
Invariants: the Flask rule and the API document are both made from a ``Route``, so they agree; a
route is public or names the scope that it needs, and there is none that does neither.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from flask import Response
from pydantic import BaseModel
from werkzeug.datastructures import MIMEAccept

from atom_backend.domain.permissions import Scope
from atom_backend.domain.principals import Principal
from atom_backend.http.bodies import BodyKind
from atom_backend.http.queries import Parameters
from atom_backend.http.request_headers import RequestHeader
from atom_backend.http.services import Services

Query = TypeVar("Query")
Body = TypeVar("Body")
T = TypeVar("T")
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class PublicCall(Generic[Query, Body]):
    """A request as its handler sees it: everything read and checked."""

    services: Services
    query: Query
    body: Body
    root: str
    """The path under which the application is mounted; mostly empty."""
    user_agent: str | None
    accept: MIMEAccept
    headers: dict[str, Any]
    cookies: Mapping[str, str]

    def header(self, header: RequestHeader[T]) -> T | None:
        """The value of a header that the route declares; ``None`` when it was not sent."""
        value: T | None = self.headers[header.name]
        return value


@dataclass(frozen=True, slots=True)
class Call(PublicCall[Query, Body]):
    """A request of an authenticated caller."""

    principal: Principal


@dataclass(frozen=True, slots=True)
class Answer:
    """One documented outcome. ``model`` is the body's; ``headers`` maps names to descriptions."""

    status: int
    description: str
    model: type[BaseModel] | type[str] | None = None
    media_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """A method on a path, with what goes in and what comes out."""

    method: str
    path: str
    tag: str
    handler: Callable[..., Response]
    answers: tuple[Answer, ...]
    problems: tuple[int, ...]
    headers: tuple[RequestHeader[Any], ...]
    public: bool
    query: type[Parameters]
    bodies: tuple[type[BodyKind], ...]
    path_parameters: dict[str, Any]
    needs: Scope | None

    def __post_init__(self) -> None:
        if self.public is not (self.needs is None):
            raise TypeError(f"{self.method} {self.path} must be public or say what scope it needs")

    @property
    def name(self) -> str:
        """The operation's identifier."""
        return self.handler.__name__


class Routes:
    """The routes of one resource; ``tag`` groups them in the API document."""

    def __init__(self, tag: str, description: str) -> None:
        self.tag = tag
        self.description = description
        self.declared: list[Route] = []

    def add(
        self,
        method: str,
        path: str,
        *answers: Answer,
        needs: Scope | None = None,
        problems: tuple[int, ...] = (),
        headers: tuple[RequestHeader[Any], ...] = (),
    ) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        """Declare the decorated function as the handler of ``method`` on ``path``.

        ``path`` names its parameters in braces. ``needs`` is the scope without which a caller
        gets 403; a public route has none. ``problems`` are statuses beyond those that every route
        of its shape can answer.
        """

        def declare(handler: Callable[..., Response]) -> Callable[..., Response]:
            call = get_type_hints(handler)["call"]
            query, body = get_args(call)
            self.made(
                handler.__name__,
                handler.__doc__ or "",
                f"{method} {path}",
                *answers,
                handler=handler,
                query=Parameters if query is type(None) else query,
                body=body,
                needs=needs,
                problems=problems,
                headers=headers,
                public=get_origin(call) is PublicCall,
            )
            return handler

        return declare

    def made(
        self,
        name: str,
        about: str,
        route: str,
        *answers: Answer,
        handler: Callable[..., Response],
        query: type[Parameters] = Parameters,
        body: Any = None,
        needs: Scope | None = None,
        problems: tuple[int, ...] = (),
        headers: tuple[RequestHeader[Any], ...] = (),
        public: bool = False,
    ) -> None:
        """Declare a handler whose models are made while the program runs, and so cannot stand in
        its annotations. ``route`` is method and path; ``name`` and ``about`` are the operation's;
        ``body`` is a ``BodyKind``, or a union of several.
        """

        @wraps(handler)
        def named(call: PublicCall[Any, Any], **path: Any) -> Response:
            return handler(call, **path)

        named.__name__, named.__doc__ = name, about
        method, path = route.split(" ")
        hints = get_type_hints(handler, include_extras=True)
        self.declared.append(
            Route(
                method=method,
                path=path,
                tag=self.tag,
                handler=named,
                answers=answers,
                problems=problems,
                headers=headers,
                public=public,
                query=query,
                bodies=_alternatives(body),
                path_parameters={n: t for n, t in hints.items() if n not in {"call", "return"}},
                needs=needs,
            )
        )


def _alternatives(body: Any) -> tuple[type[BodyKind], ...]:
    if body in (None, type(None)):
        return ()
    return get_args(body) if get_origin(body) in (Union, types.UnionType) else (body,)
