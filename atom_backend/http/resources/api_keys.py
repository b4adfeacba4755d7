"""API keys over REST. No key can manage keys: that takes a session."""

from __future__ import annotations

from typing import Annotated, Any, Self
from uuid import UUID

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from atom_backend.domain.api_keys import ApiKey, masked
from atom_backend.domain.permissions import Scope
from atom_backend.http.bodies import JsonBody
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.fields import Moment, text_of
from atom_backend.http.replies import json_reply, no_content

routes = Routes("api_keys", "Long-lived keys for programs, with some of the account's rights.")

_AS_KEPT = ("id", "name", "created_at", "expires_at", "last_used_at")
_LONGEST_NAME = 128
_PATH = "/v1/api-keys"
_ONE = f"{_PATH}/{{key_id}}"


class ApiKeyInput(JsonBody):
    """A new key. Without `expires_at` it holds until it is removed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "calendar sync", "scopes": ["records:read"]}]}
    )

    name: text_of(_LONGEST_NAME)  # type: ignore[valid-type]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=len(Scope))]
    expires_at: Moment | None = None


class ApiKeyAnswer(BaseModel):
    """A key without its secret: `masked` is how it begins, which tells keys apart.

    `last_used_at` is at most a minute behind.
    """

    id: UUID
    masked: str
    name: str
    scopes: list[Scope]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None

    @classmethod
    def of(cls, made: ApiKey, **more: str) -> Self:
        shown: dict[str, Any] = {name: getattr(made, name) for name in _AS_KEPT} | more
        return cls(masked=masked(made.id), scopes=sorted(made.scopes), **shown)


class NewApiKeyAnswer(ApiKeyAnswer):
    """The new key. `key` is shown now and never again."""

    key: str = Field(repr=False)


class ApiKeyPage(BaseModel):
    """All keys, newest first."""

    items: list[ApiKeyAnswer]


@routes.add(
    "POST",
    _PATH,
    Answer(201, "The key.", NewApiKeyAnswer, headers={"Location": "The address of the key."}),
    needs=Scope.ACCOUNT_MANAGE,
    problems=(409,),
)
def create_api_key(call: Call[None, ApiKeyInput]) -> Response:
    """Make a key, which is sent in place of an access token.

    It can have any scope of the account except `account:manage`. 409 `too_many_api_keys` beyond
    100 keys.
    """
    body = call.body
    made, secret = call.services.api_keys.create(
        call.principal, body.name, body.scopes, body.expires_at
    )
    answer = NewApiKeyAnswer.of(made, key=secret.reveal())
    return json_reply(answer, 201, Location=f"{call.root}{_PATH}/{made.id}")


@routes.add("GET", _PATH, Answer(200, "All keys.", ApiKeyPage), needs=Scope.ACCOUNT_MANAGE)
def list_api_keys(call: Call[None, None]) -> Response:
    """The keys of the account, also those that have expired."""
    found = call.services.api_keys.listing(call.principal)
    return json_reply(ApiKeyPage(items=[ApiKeyAnswer.of(one) for one in found]))


@routes.add("GET", _ONE, Answer(200, "The key.", ApiKeyAnswer), needs=Scope.ACCOUNT_MANAGE)
def read_api_key(call: Call[None, None], key_id: UUID) -> Response:
    """One key, without its secret."""
    return json_reply(ApiKeyAnswer.of(call.services.api_keys.get(call.principal, key_id)))


@routes.add("DELETE", _ONE, Answer(204, "It opens nothing any more."), needs=Scope.ACCOUNT_MANAGE)
def remove_api_key(call: Call[None, None], key_id: UUID) -> Response:
    """Remove a key; from now on it is refused everywhere."""
    call.services.api_keys.remove(call.principal, key_id)
    return no_content()
