"""A resource over REST: what its routes do.

Invariant: what one resource answers to a header, a cursor or a mistake, all of them do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from flask import Response
from pydantic import BaseModel

from atom_backend.domain.owner_work import StoredResponse
from atom_backend.domain.resources.listing import Condition, Listing, NotAll
from atom_backend.domain.resources.resource import Action, Resource
from atom_backend.domain.resources.rules import Record, Values
from atom_backend.http.contract import Call
from atom_backend.http.fields import Name
from atom_backend.http.idempotency import fingerprint, receipt, replay
from atom_backend.http.queries import following
from atom_backend.http.replies import json_reply, no_content, not_modified
from atom_backend.http.request_headers import (
    IF_MATCH,
    PREFER_WAIT,
    etag,
)
from atom_backend.http.resources.record_places import read_place, write_place
from atom_backend.http.resources.record_shapes import Shapes, every_filter, shapes_of


@dataclass(frozen=True)
class Face:
    """The handlers of one resource, and the models of what they take and give."""

    resource: Resource
    shapes: Shapes

    @classmethod
    def of(cls, resource: Resource) -> Self:
        return cls(resource, shapes_of(resource))

    @property
    def input(self) -> Any:
        """What creates one: a kind of body, or a union of several."""
        return self.shapes.input

    @property
    def content(self) -> Any:
        """The same where the external identifier stands in the address."""
        return self.shapes.content

    def given(self, call: Call[Any, Any]) -> Values:
        """The values that the body of a request comes to."""
        values: Values = call.body.model_dump()
        return values

    def fingerprint(self, body: Any) -> bytes:
        """What identifies a body for its idempotency key: 32 bytes."""
        return fingerprint([self.resource.name.encode(), body.model_dump_json().encode()])

    def create(self, call: Call[Any, Any]) -> Response:
        given = self.given(call)

        def render(record: Record) -> Response:
            return self.reply(call, record, 201)

        kept = receipt(call, lambda: self.fingerprint(call.body), render)
        outcome = call.services.records.create(call.principal, self.resource, given, kept)
        if isinstance(outcome, StoredResponse):
            return replay(outcome)
        return self._after_waiting(call, outcome, 201)

    def list(self, call: Call[Any, Any]) -> Response:
        query = call.query
        sort = query.sort.removeprefix("-")
        listing = Listing(
            limit=query.limit + 1,
            conditions=self._conditions(query),
            sort=sort,
            descending=query.sort.startswith("-"),
            after=self._after(query),
        )
        found = call.services.records.listing(call.principal, self.resource, listing)
        shown, cursor = found[: query.limit], None
        if len(found) > query.limit:
            cursor = write_place(query.sort, shown[-1])
        page = {"items": [self.shapes.show_brief(one) for one in shown], "next_cursor": cursor}
        reply = json_reply(self.shapes.page(**page))
        if cursor:
            address = f"{call.root}/v1/{self.resource.name}?{following(query, cursor)}"
            reply.headers["Link"] = f'<{address}>; rel="next"'
        return reply

    def read(self, call: Call[Any, Any], item_id: UUID) -> Response:
        record = call.services.records.get(call.principal, self.resource, item_id)
        return not_modified(call, record.revision) or self.reply(call, record, 200)

    def read_named(self, call: Call[Any, Any], external_id: Name) -> Response:
        records = call.services.records
        record = records.get_by_external_id(call.principal, self.resource, external_id)
        return not_modified(call, record.revision) or self.reply(call, record, 200)

    def put(self, call: Call[Any, Any], external_id: Name) -> Response:
        given = {**self.given(call), "external_id": external_id}
        put = call.services.records.put(call.principal, self.resource, given, call.header(IF_MATCH))
        return self._after_waiting(call, put.record, 201 if put.outcome == "new" else 200)

    def change(self, call: Call[Any, Any], item_id: UUID) -> Response:
        patch = call.body.model_dump(include=call.body.model_fields_set)
        record = call.services.records.change(
            call.principal, self.resource, item_id, patch, call.header(IF_MATCH)
        )
        return self._after_waiting(call, record, 200)

    def remove(self, call: Call[Any, Any], item_id: UUID) -> Response:
        call.services.records.remove(call.principal, self.resource, item_id, call.header(IF_MATCH))
        return no_content()

    def reply(self, call: Call[Any, Any], record: Record, status: int) -> Response:
        reply = json_reply(self.shapes.show(record), status, ETag=etag(record.revision))
        if status == 201:
            reply.headers["Location"] = f"{call.root}/v1/{self.resource.name}/{record.id}"
        return reply

    def _after_waiting(self, call: Call[Any, Any], record: Record, status: int) -> Response:
        """The answer to a write, held back until it is indexed if the caller prefers so."""
        seconds = call.header(PREFER_WAIT) if self.resource.searchable else None
        if seconds is None:
            return self.reply(call, record, status)
        record = call.services.records.wait_until_indexed(
            call.principal, self.resource, record, seconds
        )
        reply = self.reply(call, record, status)
        reply.headers["Preference-Applied"] = f"wait={seconds}"
        return reply

    def _after(self, query: Any) -> tuple[Any, UUID] | None:
        if query.cursor is None:
            return None
        return read_place(self.resource, query.sort, query.cursor)

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

    def act(self, action: Action) -> Callable[[Call[Any, Any], UUID], Response]:
        """The handler of an action."""

        def handler(call: Call[Any, Any], item_id: UUID) -> Response:
            record = call.services.records.change(
                call.principal, self.resource, item_id, action.patch, call.header(IF_MATCH)
            )
            return self.reply(call, record, 200)

        return handler
