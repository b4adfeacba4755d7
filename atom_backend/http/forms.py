"""Multipart forms (RFC 7578): a file and fields that describe it.

Invariant: a form that breaks off, or a field that is not UTF-8, is refused; werkzeug by itself
would answer an empty form and replace what it cannot decode.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import IO, Annotated, Any, ClassVar, Self, cast

from flask import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf, RootModel, WithJsonSchema
from pydantic_core import PydanticCustomError
from werkzeug.formparser import FormDataParser

from atom_backend.errors import AtomError, FieldProblem, InvalidInput, MalformedRequest, pointer
from atom_backend.http import strict_json
from atom_backend.http.body_stream import BodyStream
from atom_backend.http.fields import Metadata, Tags
from atom_backend.http.gathering import gather
from atom_backend.http.validation import validated

_MOST_PARTS = 200
_FIELDS_SIZE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file; ``name`` is what the user's system called it."""

    content: bytes
    name: str | None


UploadedFile = Annotated[
    InstanceOf[File], WithJsonSchema({"type": "string", "format": "binary"}, mode="validation")
]


class FormBody(BaseModel):
    """The base of every multipart form."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    media_types: ClassVar[tuple[str, ...]] = ("multipart/form-data",)
    large: ClassVar[bool] = True

    @classmethod
    def from_request(cls, request: Request, limit: int) -> Self:
        return validated(cls, gather(cls, _parts(request, BodyStream(request, limit))))

    @classmethod
    def schema_model(cls) -> type[BaseModel]:
        return cls


class _Object(RootModel[dict[str, Any]]):
    """Any JSON object."""


def _split(value: object) -> object:
    """A list of tags, each part one tag or several between commas."""
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        return value
    return [tag.strip() for part in value for tag in part.split(",") if tag.strip()]


def _json_object(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return strict_json.read(_Object, value.encode("utf-8", "surrogatepass")).root
    except AtomError:
        raise PydanticCustomError("json", "Input should be the text of a JSON object") from None


FormTags = Annotated[Tags, BeforeValidator(_split)]
"""Repeated, or separated by commas."""

FormMetadata = Annotated[
    Metadata,
    BeforeValidator(_json_object),
    WithJsonSchema(
        {
            "type": "string",
            "contentMediaType": "application/json",
            "pattern": r"^\s*\{[\s\S]*\}\s*$",
        },
        mode="validation",
    ),
]
"""The text of a JSON object."""


def _in_memory(*_: object, **__: object) -> IO[bytes]:
    """Where a file part is kept: the extractor needs all of it, so a disk would only add a copy."""
    return BytesIO()


def _parts(request: Request, stream: BodyStream) -> list[tuple[str, Any]]:
    parser = FormDataParser(
        stream_factory=_in_memory,
        max_form_memory_size=_FIELDS_SIZE,
        max_form_parts=_MOST_PARTS,
        silent=False,
    )
    try:
        _, fields, files = parser.parse(
            cast(IO[bytes], stream),
            request.mimetype,
            request.content_length,
            request.mimetype_params,
        )
    except ValueError:
        raise MalformedRequest("The multipart form cannot be read.") from None
    texts = list(fields.items(multi=True))
    for name, text in texts:
        if "\ufffd" in name + text:
            raise InvalidInput(problems=[FieldProblem(pointer((name,)), "Input should be UTF-8")])
    return texts + [
        (name, File(file.stream.read(), file.filename or None))
        for name, file in files.items(multi=True)
    ]
