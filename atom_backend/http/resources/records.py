"""The routes of every declared resource."""

from __future__ import annotations

from collections.abc import Mapping

from atom_backend.domain.permissions import Scope
from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Rules
from atom_backend.http.contract import Answer, Routes
from atom_backend.http.request_headers import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    PREFER_WAIT,
)
from atom_backend.http.resources.document_uploads import DocumentFace
from atom_backend.http.resources.event_face import EventFace
from atom_backend.http.resources.message_face import MessageFace
from atom_backend.http.resources.record_batch import add_batch
from atom_backend.http.resources.record_face import Face


def routes_of(face: Face) -> Routes:
    """The routes of a resource."""
    resource, shapes, called = face.resource, face.shapes, face.resource.one.replace("_", " ")
    routes = Routes(resource.name, resource.about)
    root = f"/v1/{resource.name}"
    one, named = f"{root}/{{item_id}}", f"{root}/by-external-id/{{external_id}}"
    etag = {"ETag": "The revision, for If-Match and If-None-Match."}
    waited = {"Preference-Applied": "The wait that was granted."} if resource.searchable else {}
    wait = (PREFER_WAIT,) if resource.searchable else ()
    written = {**etag, **waited}
    stored = Answer(200, f"The {called} as it is now.", shapes.answer, headers=written)
    created = Answer(
        201,
        f"The new {called}.",
        shapes.answer,
        headers={"Location": f"The address of the {called}.", **written},
    )
    read = (
        Answer(200, f"The {called}.", shapes.answer, headers=etag),
        Answer(304, "The caller holds this revision already.", headers=etag),
    )
    routes.made(
        f"create_{resource.one}",
        "Store one.\n\n409 `external_id_taken` when there is one of that name.",
        f"POST {root}",
        created,
        handler=face.create,
        needs=Scope.RECORDS_WRITE,
        body=face.input,
        problems=(409,),
        headers=(IDEMPOTENCY_KEY, *wait),
    )
    routes.made(
        f"list_{resource.name}",
        f"The {resource.name} that satisfy all conditions, a page at a time.",
        f"GET {root}",
        Answer(200, "A page.", shapes.page, headers={"Link": "The next page (RFC 8288)."}),
        handler=face.list,
        needs=Scope.RECORDS_READ,
        query=shapes.query,
    )
    routes.made(
        f"read_{resource.one}",
        f"One {called}.",
        f"GET {one}",
        *read,
        handler=face.read,
        needs=Scope.RECORDS_READ,
        headers=(IF_NONE_MATCH,),
    )
    routes.made(
        f"read_{resource.one}_by_external_id",
        f"The {called} with this external identifier.",
        f"GET {named}",
        *read,
        handler=face.read_named,
        needs=Scope.RECORDS_READ,
        headers=(IF_NONE_MATCH,),
    )
    routes.made(
        f"put_{resource.one}",
        f"Create the {called} with this external identifier, or replace it.",
        f"PUT {named}",
        stored,
        created,
        handler=face.put,
        needs=Scope.RECORDS_WRITE,
        body=face.content,
        problems=(409,),
        headers=(IF_MATCH, *wait),
    )
    routes.made(
        f"change_{resource.one}",
        "Change one by a JSON merge patch (RFC 7386).",
        f"PATCH {one}",
        stored,
        handler=face.change,
        needs=Scope.RECORDS_WRITE,
        body=shapes.patch,
        problems=(409,),
        headers=(IF_MATCH, *wait),
    )
    routes.made(
        f"remove_{resource.one}",
        "Remove one for good.",
        f"DELETE {one}",
        Answer(204, "It is gone from every answer."),
        handler=face.remove,
        needs=Scope.RECORDS_WRITE,
        problems=(409,) if _may_have_to_stay(resource) else (),
        headers=(IF_MATCH,),
    )
    for action in resource.actions:
        routes.made(
            f"{action.name}_{resource.one}".replace("-", "_"),
            action.about,
            f"POST {one}/{action.name}",
            stored,
            handler=face.act(action),
            needs=Scope.RECORDS_WRITE,
            headers=(IF_MATCH,),
        )
    add_batch(routes, resource, shapes)
    return routes


def _may_have_to_stay(resource: Resource) -> bool:
    return type(resource.rules).removing is not Rules.removing


_SPECIAL: Mapping[str, type[Face]] = {
    "documents": DocumentFace,
    "messages": MessageFace,
    "events": EventFace,
}
"""The faces of resources whose routes do more than those of the others, by name."""

FACES = tuple(_SPECIAL.get(one.name, Face).of(one) for one in RESOURCES if not one.keyed)
SHAPES = {face.resource.kind: face.shapes for face in FACES if face.resource.searchable}
"""How the items of each kind are answered."""

ROUTES = tuple(map(routes_of, FACES))
