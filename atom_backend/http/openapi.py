"""The API document (OpenAPI 3.1), made from the routes that are served.

Invariant: it is built once, from the same declarations as the rules; a route that is served
stands in it, with everything it reads and everything it may answer.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from atom_backend.domain.permissions import NEVER_BY_KEY
from atom_backend.http.contract import Answer, Route, Routes
from atom_backend.http.openapi_schemas import Schemas
from atom_backend.http.paths import UUID_PATTERN
from atom_backend.http.problems import PROBLEM_JSON, Problem
from atom_backend.http.request_headers import RequestHeader

_DESCRIPTION = """\
Everything that an assistant knows about a person, kept in one place and found by meaning.

- Every answer has an `X-Request-Id`; send your own (`[A-Za-z0-9._-]{1,64}`) to find it again in
  the service's log.
- JSON is read strictly: unknown fields and parameters are refused, and so is a name given twice.
- Problems are `application/problem+json` (RFC 9457) with a stable `code`.
- 429 says in `Retry-After` when the same request would be let through; `RateLimit` and
  `RateLimit-Policy` say how near it is, where there is a limit
  (draft-ietf-httpapi-ratelimit-headers-09).
- Writes are searchable shortly after they are answered; `Prefer: wait=5` waits until they are.
"""
_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of a session, which has all scopes of the account's role.",
    },
    "api_key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "atom_…",
        "description": "An API key in place of an access token, with scopes of its own.",
    },
}
_REQUEST_ID = {"$ref": "#/components/headers/X-Request-Id"}


def document(groups: Sequence[Routes], version: str) -> dict[str, Any]:
    """The whole document, ready for ``json.dumps``."""
    routes = [route for group in groups for route in group.declared]
    schemas = Schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Atom Backend", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": "./"}],
        "tags": _tags(groups),
        "paths": paths,
        "components": {
            "schemas": schemas.components(),
            "headers": {
                "X-Request-Id": {
                    "description": "Names this request in the service's log.",
                    "schema": {"type": "string"},
                }
            },
            "responses": _problem_responses(routes, schemas),
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _tags(groups: Sequence[Routes]) -> list[dict[str, str]]:
    described = {group.tag: group.description for group in groups}
    return [{"name": name, "description": text} for name, text in described.items()]


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    summary, _, more = (inspect.getdoc(route.handler) or route.name).partition("\n")
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": summary.rstrip("."),
        "parameters": _parameters(route, schemas),
        "responses": _responses(route, schemas),
    }
    if more.strip():
        operation["description"] = more.strip()
    operation["security"] = _security(route)
    if route.bodies:
        content = {
            media_type: {"schema": schemas.input(kind.schema_model())}
            for kind in route.bodies
            for media_type in kind.media_types
        }
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _security(route: Route) -> list[dict[str, list[str]]]:
    """What is needed, by any one of these; names of scopes stand there since OpenAPI 3.1."""
    if route.needs is None:
        return []
    schemes = ["bearer"] if route.needs in NEVER_BY_KEY else ["bearer", "api_key"]
    return [{scheme: [route.needs.value]} for scheme in schemes]


def _parameters(route: Route, schemas: Schemas) -> list[dict[str, Any]]:
    query = schemas.query(route.query)
    required = query.get("required", [])
    return [
        *(_path_parameter(name, type_) for name, type_ in route.path_parameters.items()),
        *(
            _query_parameter(name, schema, required=name in required)
            for name, schema in query.get("properties", {}).items()
        ),
        *(_header_parameter(header) for header in route.headers),
    ]


def _path_parameter(name: str, type_: Any) -> dict[str, Any]:
    schema = TypeAdapter(type_).json_schema()
    if type_ is UUID:
        schema["pattern"] = f"^{UUID_PATTERN}$"
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameter(name: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    schema = {key: value for key, value in schema.items() if key != "title"}
    # Absence says null in a query; the text "null" would be a value.
    options = [one for one in schema.pop("anyOf", []) if one != {"type": "null"}]
    if options:
        schema |= options[0]
    if schema.get("default", ...) is None:
        del schema["default"]
    description = schema.pop("description", None)
    parameter = {"name": name, "in": "query", "required": required, "schema": schema}
    return parameter | ({"description": description} if description else {})


def _header_parameter(header: RequestHeader[Any]) -> dict[str, Any]:
    return {
        "name": header.name,
        "in": "header",
        "required": False,
        "description": header.description,
        "schema": {"type": "string", **({"pattern": header.pattern} if header.pattern else {})},
        "example": header.example,
    }


def _responses(route: Route, schemas: Schemas) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for answer in route.answers:
        response = responses.setdefault(str(answer.status), _response(answer))
        if answer.model is not None:
            media = {"schema": schemas.output(answer.model)}
            response.setdefault("content", {})[answer.media_type] = media
    for status in _problem_statuses(route):
        responses.setdefault(
            str(status), {"$ref": f"#/components/responses/{_problem_name(status)}"}
        )
    return responses


def _response(answer: Answer) -> dict[str, Any]:
    headers = {
        name: {"description": description, "schema": {"type": "string"}}
        for name, description in answer.headers.items()
    }
    return {
        "description": answer.description,
        "headers": {**headers, "X-Request-Id": _REQUEST_ID},
    }


def _problem_statuses(route: Route) -> list[int]:
    """What the layer itself answers for a route of this shape, and what its handler adds."""
    statuses = {400, 429, 500, 503, *route.problems}
    if not route.public:
        statuses |= {401, 403}
    if route.path_parameters:
        statuses.add(404)
    if route.path_parameters or route.query.model_fields or route.bodies:
        statuses.add(422)
    if route.bodies:
        statuses |= {413, 415}
    if any(header.name == "If-Match" for header in route.headers):
        statuses.add(412)
    return sorted(statuses)


def _problem_responses(routes: list[Route], schemas: Schemas) -> dict[str, Any]:
    statuses = sorted({status for route in routes for status in _problem_statuses(route)})
    return {
        _problem_name(status): {
            "description": HTTPStatus(status).phrase,
            "headers": {"X-Request-Id": _REQUEST_ID, **_problem_headers(status)},
            "content": {PROBLEM_JSON: {"schema": schemas.output(Problem)}},
        }
        for status in statuses
    }


def _problem_headers(status: int) -> dict[str, Any]:
    names = {
        401: ("WWW-Authenticate",),
        403: ("WWW-Authenticate",),
        429: ("Retry-After", "RateLimit", "RateLimit-Policy"),
        503: ("Retry-After",),
    }.get(status, ())
    return {name: {"schema": {"type": "string"}} for name in names}


def _problem_name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "").replace("-", "")
