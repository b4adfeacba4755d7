"""Request bodies by media type: a class says which types it can be read from, and how.

Invariant: a body is read only if the request calls it by one of the declared media types; there is
no guessing from its bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol, Self

from flask import Request
from pydantic import BaseModel, ConfigDict

from atom_backend.errors import MalformedRequest, UnsupportedMedia
from atom_backend.http import strict_json
from atom_backend.http.body_stream import BodyStream
from atom_backend.http.limits import HttpLimits


class BodyKind(Protocol):
    """What a handler can declare as its body."""

    media_types: ClassVar[tuple[str, ...]]
    large: ClassVar[bool]
    """Whether it may be as large as a document."""

    @classmethod
    def from_request(cls, request: Request, limit: int) -> Self:
        """``limit`` in bytes. Raises MalformedRequest, InvalidInput or TooLarge."""
        ...

    @classmethod
    def schema_model(cls) -> type[BaseModel]:
        """The model that stands in the API document."""
        ...


class JsonBody(BaseModel):
    """The base of every JSON body: strict types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    media_types: ClassVar[tuple[str, ...]] = ("application/json",)
    large: ClassVar[bool] = False

    @classmethod
    def from_request(cls, request: Request, limit: int) -> Self:
        raw = BodyStream(request, limit).read_all()
        if not raw:
            raise _missing()
        return strict_json.read(cls, raw)

    @classmethod
    def schema_model(cls) -> type[BaseModel]:
        return cls


class MergePatch(JsonBody):
    """The base of every JSON merge patch (RFC 7386): ``null`` clears, absence leaves alone."""

    media_types: ClassVar[tuple[str, ...]] = ("application/merge-patch+json", "application/json")


def read_body(kinds: Sequence[type[BodyKind]], request: Request, limits: HttpLimits) -> BodyKind:
    """The body, by the kind that reads its media type.

    Raises UnsupportedMedia, MalformedRequest, InvalidInput or TooLarge.
    """
    if not request.mimetype and request.content_length in (None, 0):
        raise _missing()
    _refuse_encodings(request)
    for kind in kinds:
        if request.mimetype in kind.media_types:
            return kind.from_request(request, limits.body if kind.large else limits.small_body)
    known = ", ".join(name for kind in kinds for name in kind.media_types)
    raise UnsupportedMedia(f"The Content-Type must be one of: {known}.")


def _missing() -> MalformedRequest:
    return MalformedRequest("A body is needed.", code="missing_body")


def _refuse_encodings(request: Request) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("A body with a Content-Encoding cannot be read: send it plain.")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMedia("The body's charset must be UTF-8.")
