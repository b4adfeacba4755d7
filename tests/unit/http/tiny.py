"""A small application over declared routes, to try the layer without any store."""

from __future__ import annotations

from functools import cache
from typing import Any, cast
from uuid import UUID

from flask import Flask, Response
from pydantic import BaseModel, Field

from atom_backend import errors
from atom_backend.domain.permissions import Role, Scope
from atom_backend.domain.principals import Principal
from atom_backend.http.application import build_application
from atom_backend.http.bodies import JsonBody, MergePatch
from atom_backend.http.contract import Answer, Call, PublicCall, Routes
from atom_backend.http.errors import to_the_end
from atom_backend.http.exposure import Exposure
from atom_backend.http.fields import (
    Integer,
    Metadata,
    Moment,
    Name,
    Number,
    Tag,
    Tags,
    Truth,
    optional,
)
from atom_backend.http.forms import FormBody, FormMetadata, FormTags, UploadedFile
from atom_backend.http.limits import HttpLimits
from atom_backend.http.lines import NDJSON, LinesBody
from atom_backend.http.problems import Problem
from atom_backend.http.queries import Parameters
from atom_backend.http.replies import json_reply, not_modified
from atom_backend.http.request_headers import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    PREFER_WAIT,
)
from atom_backend.http.resources import operations
from atom_backend.http.services import Services
from atom_backend.telemetry.metrics import Metrics

USER = UUID("01890000-0000-7000-8000-000000000001")
GOOD = {"Authorization": "Bearer good-token"}
HIDDEN = Exposure()
LIMITS = HttpLimits(body=16_000, small_body=1000)

routes = Routes("things", "Things to try.")


class OneToken:
    """Access tokens of which one is valid."""

    lifetime = 60

    def issue(self, principal: Principal) -> str:
        return "good-token"

    def read(self, token: str) -> Principal:
        if token != "good-token":
            raise errors.Unauthenticated("This access token is not valid.", code="invalid_token")
        return Principal(USER, None, Role.USER)


class Thing(JsonBody):
    name: Name
    count: Integer = Field(1, ge=0, le=100)
    ratio: Number | None = None
    when: Moment | None = None
    tags: Tags = ()
    metadata: Metadata = Field(default_factory=dict)


class ThingPatch(MergePatch):
    name: Name = optional()
    note: Name | None = optional()


class ThingForm(FormBody):
    file: UploadedFile
    name: Name | None = None
    tags: FormTags = ()
    metadata: FormMetadata = Field(default_factory=dict)


class ThingLines(LinesBody[Thing]):
    line_model = Thing


class ThingQuery(Parameters):
    limit: Integer = Field(10, ge=1, le=20)
    tag: tuple[Tag, ...] = ()
    since: Moment | None = None
    deep: Truth = False
    least: Number | None = None


class Echo(BaseModel):
    """What was understood."""

    got: Any


@routes.add("GET", "/things", Answer(200, "Fine.", Echo), needs=Scope.RECORDS_READ)
def list_things(call: Call[ThingQuery, None]) -> Response:
    """List."""
    return json_reply(Echo(got=call.query.model_dump(mode="json")))


@routes.add(
    "POST",
    "/things",
    Answer(200, "Fine.", Echo),
    needs=Scope.RECORDS_WRITE,
    headers=(IDEMPOTENCY_KEY, PREFER_WAIT),
)
def make_thing(call: Call[None, Thing | ThingForm]) -> Response:
    """Make."""
    if isinstance(call.body, ThingForm):
        fields = call.body.model_dump(mode="json", exclude={"file"})
        file = call.body.file
        return json_reply(Echo(got={**fields, "size": len(file.content), "file": file.name}))
    key, wait = call.header(IDEMPOTENCY_KEY), call.header(PREFER_WAIT)
    return json_reply(Echo(got={**call.body.model_dump(mode="json"), "key": key, "wait": wait}))


@routes.add(
    "PATCH",
    "/things/{thing_id}",
    Answer(200, "Fine.", Echo),
    needs=Scope.RECORDS_WRITE,
    headers=(IF_MATCH,),
)
def change_thing(call: Call[None, ThingPatch], thing_id: UUID) -> Response:
    """Change."""
    expected = call.header(IF_MATCH)
    if expected is not None:
        expected.check(3)
    given = {name: getattr(call.body, name) for name in call.body.model_fields_set}
    return json_reply(Echo(got={"id": str(thing_id), **given}))


@routes.add(
    "GET",
    "/things/{thing_id}",
    Answer(200, "Fine.", Echo),
    needs=Scope.RECORDS_READ,
    headers=(IF_NONE_MATCH,),
)
def read_thing(call: Call[None, None], thing_id: UUID) -> Response:
    """Read."""
    return not_modified(call, 3) or json_reply(Echo(got=str(thing_id)), ETag='"3"')


@routes.add("GET", "/things/special", Answer(200, "Fine.", Echo), needs=Scope.RECORDS_READ)
def read_special(call: Call[None, None]) -> Response:
    """A word where identifiers stand."""
    return json_reply(Echo(got="special"))


@routes.add("GET", "/things/{thing_id}/parts", Answer(200, "Fine.", Echo), needs=Scope.RECORDS_READ)
def read_parts(call: Call[None, None], thing_id: UUID) -> Response:
    """Parts."""
    return json_reply(Echo(got="parts"))


@routes.add("GET", "/things/by-name/{name}", Answer(200, "Fine.", Echo), needs=Scope.RECORDS_READ)
def read_by_name(call: Call[None, None], name: Name) -> Response:
    """By name."""
    return json_reply(Echo(got=name))


@routes.add("POST", "/lines", Answer(200, "Lines.", Echo, NDJSON), needs=Scope.RECORDS_WRITE)
def read_lines(call: Call[None, ThingLines]) -> Response:
    """Lines."""

    def answers() -> Any:
        for line in call.body:
            try:
                said = line.read().name
            except errors.RequestError as error:
                said = error.code
            if said == "explode":
                raise RuntimeError("secret words")
            yield f"{line.number}:{said}\n".encode()

    def last(problem: Problem) -> bytes:
        return f"end:{problem.status}:{problem.detail}\n".encode()

    return Response(to_the_end(answers(), last), content_type=NDJSON)


@routes.add("POST", "/closed", Answer(200, "Never.", Echo), needs=Scope.ADMIN_WRITE)
def change_everything(call: Call[ThingQuery, Thing]) -> Response:
    """For administrators."""
    return json_reply(Echo(got="changed"))


@routes.add("GET", "/open", Answer(200, "Fine.", Echo))
def read_open(call: PublicCall[None, None]) -> Response:
    """Open to all."""
    return json_reply(Echo(got="open"))


@routes.add("GET", "/fail/{name}", Answer(200, "Never.", Echo))
def fail(call: PublicCall[None, None], name: str) -> Response:
    """Fail with the named error."""
    if name == "conflict":
        raise errors.Conflict("Taken.", code="name_taken", existing_id="abc")
    if name == "unexpected":
        raise RuntimeError("secret words")
    raise getattr(errors, name)("secret words")


@cache
def make_app(exposure: Exposure) -> Flask:
    parts: dict[str, Any] = dict.fromkeys(Services.__slots__)
    parts |= {"access_tokens": OneToken(), "metrics": Metrics()}
    services = cast(Any, Services)(**parts)
    return build_application(
        services,
        limits=LIMITS,
        exposure=exposure,
        version="1",
        resources=(routes, operations.routes),
    )


def site() -> Flask:
    """What a server loads."""
    return make_app(HIDDEN)


def client(exposure: Exposure = HIDDEN) -> Any:
    """Flask's test client; its answers are ``Any``, for what they hold is what is tested."""
    return make_app(exposure).test_client()


def send_json(path: str, raw: bytes | str, method: str = "POST", **headers: str) -> Any:
    """A raw JSON body, authenticated; underscores in header names stand for hyphens."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return client().open(
        path,
        method=method,
        data=raw,
        headers={**GOOD, "Content-Type": "application/json", **given},
    )
