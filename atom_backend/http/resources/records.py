"""The routes of a resource, made from its declaration: the same for every resource.

Invariant: what one resource answers to a header, a cursor or a mistake, all of them do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response
from pydantic import BaseModel

from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.domain.resources.resource import (
    Action,
    Condition,
    Listing,
    NotAll,
    Record,
    Resource,
)
from atom_backend.domain.transactions import StoredResponse
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.fields import Name
from atom_backend.http.idempotency import fingerprint, receipt, replay
from atom_backend.http.replies import json_reply, no_content, not_modified
from atom_backend.http.request_headers import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    PREFER_WAIT,
    etag,
)
from atom_backend.http.resources.record_batch import add_batch
from atom_backend.http.resources.record_places import read_place, write_place
from atom_backend.http.resources.record_shapes import Shapes, every_filter, shapes_of

_ETAG = {"ETag": "The revision, for If-Match and If-None-Match."}
_WRITTEN = {**_ETAG, "Preference-Applied": "The wait that was granted."}


@dataclass(frozen=True)
class Face:
    """A resource over REST: its models, and the routes that are made from them."""

    resource: Resource
    shapes: Shapes

    @classmethod
    def of(cls, resource: Resource) -> Face:
        return cls(resource, shapes_of(resource))

    @cached_property
    def routes(self) -> Routes:
        resource, shapes, kind = self.resource, self.shapes, str(self.resource.kind)
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
            handler=self._create,
            body=shapes.input,
            problems=(409,),
            headers=(IDEMPOTENCY_KEY, PREFER_WAIT),
        )
        routes.made(
            f"list_{resource.name}",
            f"The {resource.name} that satisfy all conditions, a page at a time.",
            f"GET {root}",
            Answer(200, "A page.", shapes.page, headers={"Link": "The next page (RFC 8288)."}),
            handler=self._list,
            query=shapes.query,
        )
        routes.made(
            f"read_{kind}",
            f"One {kind}.",
            f"GET {one}",
            *read,
            handler=self._read,
            headers=(IF_NONE_MATCH,),
        )
        routes.made(
            f"read_{kind}_by_external_id",
            f"The {kind} with this external identifier.",
            f"GET {named}",
            *read,
            handler=self._read_named,
            headers=(IF_NONE_MATCH,),
        )
        routes.made(
            f"put_{kind}",
            f"Create the {kind} with this external identifier, or replace it.",
            f"PUT {named}",
            stored,
            created,
            handler=self._put,
            body=shapes.content,
            headers=(IF_MATCH, PREFER_WAIT),
        )
        routes.made(
            f"change_{kind}",
            f"Change a {kind} by a JSON merge patch (RFC 7386).",
            f"PATCH {one}",
            stored,
            handler=self._change,
            body=shapes.patch,
            problems=(409,),
            headers=(IF_MATCH, PREFER_WAIT),
        )
        routes.made(
            f"remove_{kind}",
            f"Remove a {kind} for good.",
            f"DELETE {one}",
            Answer(204, "It is gone from every answer."),
            handler=self._remove,
            headers=(IF_MATCH,),
        )
        for action in resource.actions:
            routes.made(
                f"{action.name}_{kind}",
                action.about,
                f"POST {one}/{action.name}",
                stored,
                handler=_Act(self, action).handle,
                headers=(IF_MATCH,),
            )
        add_batch(routes, resource, shapes)
        return routes

    def _create(self, call: Call[Any, Any]) -> Response:
        given = call.body.model_dump()

        def render(record: Record) -> Response:
            return self.reply(call, record, 201)

        asked = fingerprint([self.resource.name.encode(), call.body.model_dump_json().encode()])
        outcome = call.services.records.create(
            call.principal, self.resource, given, receipt(call, asked, render)
        )
        if isinstance(outcome, StoredResponse):
            return replay(outcome)
        return self._after_waiting(call, outcome, 201)

    def _list(self, call: Call[Any, Any]) -> Response:
        query = call.query
        sort = query.sort.removeprefix("-")
        listing = Listing(
            limit=query.limit + 1,
            conditions=self._conditions(query),
            sort=sort,
            descending=query.sort.startswith("-"),
            after=query.cursor and read_place(self.resource, query.sort, query.cursor),
        )
        found = call.services.records.listing(call.principal, self.resource, listing)
        shown, cursor = found[: query.limit], None
        if len(found) > query.limit:
            cursor = write_place(query.sort, shown[-1])
        page = {"items": [self.shapes.show(one) for one in shown], "next_cursor": cursor}
        reply = json_reply(self.shapes.page(**page))
        if cursor:
            given = query.model_dump(mode="json", exclude_defaults=True) | {"cursor": cursor}
            address = f"{call.root}/v1/{self.resource.name}?{urlencode(given)}"
            reply.headers["Link"] = f'<{address}>; rel="next"'
        return reply

    def _read(self, call: Call[Any, Any], item_id: UUID) -> Response:
        record = call.services.records.get(call.principal, self.resource, item_id)
        return not_modified(call, record.revision) or self.reply(call, record, 200)

    def _read_named(self, call: Call[Any, Any], external_id: Name) -> Response:
        records = call.services.records
        record = records.get_by_external_id(call.principal, self.resource, external_id)
        return not_modified(call, record.revision) or self.reply(call, record, 200)

    def _put(self, call: Call[Any, Any], external_id: Name) -> Response:
        given = call.body.model_dump() | {"external_id": external_id}
        put = call.services.records.put(call.principal, self.resource, given, call.header(IF_MATCH))
        return self._after_waiting(call, put.record, 201 if put.outcome == "new" else 200)

    def _change(self, call: Call[Any, Any], item_id: UUID) -> Response:
        patch = {name: getattr(call.body, name) for name in call.body.model_fields_set}
        record = call.services.records.change(
            call.principal, self.resource, item_id, patch, call.header(IF_MATCH)
        )
        return self._after_waiting(call, record, 200)

    def _remove(self, call: Call[Any, Any], item_id: UUID) -> Response:
        call.services.records.remove(call.principal, self.resource, item_id, call.header(IF_MATCH))
        return no_content()

    def reply(self, call: Call[Any, Any], record: Record, status: int) -> Response:
        reply = json_reply(self.shapes.show(record), status, ETag=etag(record.revision))
        if status == 201:
            reply.headers["Location"] = f"{call.root}/v1/{self.resource.name}/{record.id}"
        return reply

    def _after_waiting(self, call: Call[Any, Any], record: Record, status: int) -> Response:
        """The answer to a write, held back until it is indexed if the caller prefers so."""
        seconds = call.header(PREFER_WAIT)
        if seconds is None:
            return self.reply(call, record, status)
        record = call.services.records.wait_until_indexed(
            call.principal, self.resource, record, seconds
        )
        reply = self.reply(call, record, status)
        reply.headers["Preference-Applied"] = f"wait={seconds}"
        return reply

    def _conditions(self, query: BaseModel) -> tuple[Condition | NotAll, ...]:
        given = {name: value for name, value in query if value is not None}
        found: list[Condition | NotAll] = [
            Condition(one.field, one.test, given[one.name])
            for one in every_filter(self.resource)
            if one.name in given
        ]
        for flag in self.resource.flags:
            if flag.name in given:
                found += flag.conditions if given[flag.name] else [NotAll(flag.conditions)]
        return tuple(found)


@dataclass(frozen=True)
class _Act:
    """An action of a resource over REST."""

    face: Face
    action: Action

    def handle(self, call: Call[Any, Any], item_id: UUID) -> Response:
        record = call.services.records.change(
            call.principal, self.face.resource, item_id, self.action.patch, call.header(IF_MATCH)
        )
        return self.face.reply(call, record, 200)


FACES = {resource.kind: Face.of(resource) for resource in RESOURCES}
"""Every declared resource, by the kind of its items."""
