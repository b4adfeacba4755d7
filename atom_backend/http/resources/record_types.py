"""The field types of resources as requests say them and as answers show them.

Invariant: what is shown was checked when it came in, so showing checks nothing again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model

from atom_backend.domain.resources import fields as declared
from atom_backend.http import fields as checked


class _Part(BaseModel):
    """The base of an object within a list."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def asked(kind: declared.FieldType) -> Any:
    """The type of what a request may say."""
    match kind:
        case declared.Text(longest, blank, pattern):
            return checked.text_of(longest, blank=blank, pattern=pattern)
        case declared.Choice(words):
            return Literal[words]
        case declared.Whole(least, most):
            return Annotated[checked.Integer, Field(ge=least, le=most)]
        case declared.Structure():
            return _part(kind)
        case declared.Many(of, most):
            return Annotated[tuple[asked(of), ...], Field(max_length=most)]  # type: ignore[misc]
        case _:
            return _ASKED[type(kind)]


def shown(kind: declared.FieldType) -> Any:
    """The type of what is answered."""
    match kind:
        case declared.Choice(words, open):
            return str if open else Literal[words]
        case declared.Structure():
            return _shown_part(kind)
        case declared.Many(of, _):
            return tuple[shown(of), ...]  # type: ignore[misc]
        case _:
            return _SHOWN[type(kind)]


def given(field: declared.Field) -> tuple[Any, Any]:
    """A field of a request: its type, and its default."""
    kind = asked(field.type)
    if field.required:
        return kind, Field(description=field.about)
    if field.nullable:
        return kind | None, Field(None, description=field.about)
    return kind, Field(default_factory=lambda: field.default, description=field.about)


def answered(field: declared.Field) -> tuple[Any, Any]:
    """A field of an answer."""
    kind = shown(field.type)
    return kind | None if field.nullable else kind, Field(description=field.about)


@cache
def _part(of: declared.Structure) -> type[BaseModel]:
    fields: dict[str, Any] = {one.name: given(one) for one in of.fields}
    return create_model(of.name, __base__=_Part, **fields)


@cache
def _shown_part(of: declared.Structure) -> type[BaseModel]:
    fields: dict[str, Any] = {one.name: answered(one) for one in of.fields}
    return create_model(f"{of.name}Answer", __base__=BaseModel, **fields)


_ASKED: Mapping[type[declared.FieldType], Any] = {
    declared.Share: Annotated[checked.Number, Field(ge=0, le=1)],
    declared.Truth: checked.Truth,
    declared.Amount: checked.Amount,
    declared.Moment: checked.Moment,
    declared.WallTime: checked.WallTime,
    declared.Reference: checked.Identifier,
    declared.Tags: checked.Tags,
    declared.Json: checked.Metadata,
    declared.Anything: checked.JsonValue,
}
_SHOWN: Mapping[type[declared.FieldType], Any] = {
    declared.Text: str,
    declared.Whole: int,
    declared.Share: float,
    declared.Truth: bool,
    declared.Amount: checked.Total,
    declared.Moment: checked.Moment,
    declared.WallTime: checked.ZonedTime,
    declared.Reference: UUID,
    declared.Tags: tuple[str, ...],
    declared.Json: dict[str, Any],
    declared.Anything: Any,
}
