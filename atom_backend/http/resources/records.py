"""The routes of every declared resource."""

from __future__ import annotations

from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.http.contract import Answer, Routes
from atom_backend.http.request_headers import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    PREFER_WAIT,
)
from atom_backend.http.resources.record_batch import add_batch
from atom_backend.http.resources.record_face import Face

_ETAG = {"ETag": "The revision, for If-Match and If-None-Match."}
_WRITTEN = {**_ETAG, "Preference-Applied": "The wait that was granted."}


def routes_of(face: Face) -> Routes:
    """The routes of a resource."""
    resource, shapes, kind = face.resource, face.shapes, str(face.resource.kind)
    routes = Routes(resource.name, resource.about)
    root = f"/v1/{resource.name}"
    one, named = f"{root}/{{item_id}}", f"{root}/by-external-id/{{external_id}}"
    new = {"Location": f"The address of the {kind}.", **_WRITTEN}
    stored = Answer(200, f"The {kind} as it is now.", shapes.answer, headers=_WRITTEN)
    created = Answer(201, f"The new {kind}.", shapes.answer, headers=new)
    read = (
        Answer(200, f"The {kind}.", shapes.answer, headers=_ETAG),
        Answer(304, "The caller holds this revision already.", headers=_ETAG),
    )
    routes.made(
        f"create_{kind}",
        f"Store a {kind}.\n\n409 `external_id_taken` when there is one of that name.",
        f"POST {root}",
        created,
        handler=face.create,
        body=shapes.input,
        problems=(409,),
        headers=(IDEMPOTENCY_KEY, PREFER_WAIT),
    )
    routes.made(
        f"list_{resource.name}",
        f"The {resource.name} that satisfy all conditions, a page at a time.",
        f"GET {root}",
        Answer(200, "A page.", shapes.page, headers={"Link": "The next page (RFC 8288)."}),
        handler=face.list,
        query=shapes.query,
    )
    routes.made(
        f"read_{kind}",
        f"One {kind}.",
        f"GET {one}",
        *read,
        handler=face.read,
        headers=(IF_NONE_MATCH,),
    )
    routes.made(
        f"read_{kind}_by_external_id",
        f"The {kind} with this external identifier.",
        f"GET {named}",
        *read,
        handler=face.read_named,
        headers=(IF_NONE_MATCH,),
    )
    routes.made(
        f"put_{kind}",
        f"Create the {kind} with this external identifier, or replace it.",
        f"PUT {named}",
        stored,
        created,
        handler=face.put,
        body=shapes.content,
        headers=(IF_MATCH, PREFER_WAIT),
    )
    routes.made(
        f"change_{kind}",
        f"Change a {kind} by a JSON merge patch (RFC 7386).",
        f"PATCH {one}",
        stored,
        handler=face.change,
        body=shapes.patch,
        problems=(409,),
        headers=(IF_MATCH, PREFER_WAIT),
    )
    routes.made(
        f"remove_{kind}",
        f"Remove a {kind} for good.",
        f"DELETE {one}",
        Answer(204, "It is gone from every answer."),
        handler=face.remove,
        headers=(IF_MATCH,),
    )
    for action in resource.actions:
        routes.made(
            f"{action.name}_{kind}",
            action.about,
            f"POST {one}/{action.name}",
            stored,
            handler=face.act(action),
            headers=(IF_MATCH,),
        )
    add_batch(routes, resource, shapes)
    return routes


FACES = {resource.kind: Face.of(resource) for resource in RESOURCES}
"""Every declared resource, by the kind of its items."""

ROUTES = tuple(map(routes_of, FACES.values()))
