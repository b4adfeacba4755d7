"""What requests about a resource say and what they are answered, made from its declaration.

Invariant: every rule that a request is checked by stands in the declaration, and in the API
document that is made from these models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, create_model

from atom_backend.domain.index_state import IndexState
from atom_backend.domain.resources import fields as declared
from atom_backend.domain.resources.resource import Filter, Match, Record, Resource
from atom_backend.http import fields as checked
from atom_backend.http.bodies import JsonBody, MergePatch
from atom_backend.http.limits import PAGE_DEFAULT, PAGE_LARGEST
from atom_backend.http.queries import Parameters

Model = TypeVar("Model", bound=BaseModel)
NEWEST_FIRST = "-created_at"


class _Written(JsonBody):
    large = True


class _Patched(MergePatch):
    large = True


@dataclass(frozen=True, slots=True)
class Shapes:
    """The models of one resource. ``content`` is ``input`` without the external identifier."""

    input: type[JsonBody]
    content: type[JsonBody]
    patch: type[MergePatch]
    query: type[Parameters]
    answer: type[BaseModel]
    page: type[BaseModel]

    def show(self, record: Record) -> BaseModel:
        """How a record is answered."""
        index = {
            "index_state": record.index_state,
            "index_reason": record.index_reason,
            "chunk_count": record.chunk_count,
        }
        times = {"created_at": record.created_at, "updated_at": record.updated_at}
        return self.answer(
            id=record.id, revision=record.revision, **record.values, **index, **times
        )


def shapes_of(resource: Resource) -> Shapes:
    """The models; make them once, because the API document wants one of each name."""
    name = resource.kind.capitalize()
    given = [one for one in resource.fields if one.given]
    whole = {one.name: _input(one) for one in given}
    answer = model_of(f"{name}Answer", BaseModel, _answer(resource), f"A {resource.kind}.")
    listed = {"items": (list[answer], ...), "next_cursor": (str | None, ...)}  # type: ignore[valid-type]
    return Shapes(
        input=model_of(f"{name}Input", _Written, whole, f"A {resource.kind} to store."),
        content=model_of(
            f"{name}Content",
            _Written,
            {key: value for key, value in whole.items() if key != "external_id"},
            f"A {resource.kind} whose external identifier stands in the address.",
        ),
        patch=model_of(
            f"{name}Patch",
            _Patched,
            {one.name: _patch(one) for one in given},
            "A JSON merge patch: null clears a field, `metadata` is merged name by name.",
        ),
        query=model_of(f"{name}Query", Parameters, _query(resource), "Which to list."),
        answer=answer,
        page=model_of(f"{name}Page", BaseModel, listed, "`next_cursor` is null on the last page."),
    )


def model_of(name: str, base: type[Model], fields: Mapping[str, Any], about: str) -> type[Model]:
    """A model made of fields by name: a type, and a default or pydantic's ``Field``."""
    model: type[Model] = create_model(name, __base__=base, __doc__=about, **fields)
    return model


def _input(field: declared.Field) -> tuple[Any, Any]:
    kind = _type(field.type)
    if field.required:
        return kind, Field(description=field.about)
    if field.nullable:
        return kind | None, Field(None, description=field.about)
    return kind, Field(default_factory=lambda: field.default, description=field.about)


def _patch(field: declared.Field) -> tuple[Any, Any]:
    """Whether it was there is in ``model_fields_set``, for null is a value."""
    kind = dict[str, Any] if isinstance(field.type, declared.Json) else _type(field.type)
    about = Field(default_factory=lambda: None, description=field.about)
    return (kind if field.required else kind | None), about


def _answer(resource: Resource) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": (UUID, ...), "revision": (int, ...)}
    for field in resource.fields:
        kind = _shown(field.type)
        about = Field(description=field.about)
        shown[field.name] = (kind | None if field.nullable else kind, about)
    shown |= {"index_state": (IndexState, ...), "index_reason": (str | None, ...)}
    shown |= {"chunk_count": (int, ...), "created_at": (checked.Moment, ...)}
    return shown | {"updated_at": (checked.Moment, ...)}


def _query(resource: Resource) -> dict[str, Any]:
    sorts = [sign + name for name in ("created_at", *resource.sorts) for sign in ("-", "")]
    order = "The field to sort by; with a minus from the highest to the lowest."
    asked: dict[str, Any] = {
        "cursor": (checked.SortedCursor | None, None),
        "limit": (checked.Integer, Field(PAGE_DEFAULT, ge=1, le=PAGE_LARGEST)),
        "sort": (Literal[tuple(sorts)], Field(NEWEST_FIRST, description=order)),
    }
    for one in every_filter(resource):
        about = Field(None, description=one.about)
        asked[one.name] = (_asked(resource, one) | None, about)
    for flag in resource.flags:
        asked[flag.name] = (checked.Truth | None, Field(None, description=flag.about))
    return asked


def every_filter(resource: Resource) -> tuple[Filter, ...]:
    """Its own filters, and those that every resource has."""
    return (
        *resource.filters,
        Filter("tag", "tags", Match.HOLDS, "Has this tag."),
        Filter("source", "source", Match.EQUAL, "Comes from this system."),
        Filter("updated_since", "updated_at", Match.FROM, "Written then or later."),
    )


def _asked(resource: Resource, one: Filter) -> Any:
    if one.test is Match.WORDS:
        return checked.Question
    if one.test is Match.HOLDS:
        return checked.Tag
    if one.field == "updated_at":
        return checked.Moment
    return _type(resource.field(one.field).type)


def _type(kind: declared.FieldType) -> Any:
    """What a request may say."""
    match kind:
        case declared.Text(longest):
            return checked.text_of(longest)
        case declared.Choice(words):
            return Literal[words]
        case declared.Whole(least, most):
            return Annotated[checked.Integer, Field(ge=least, le=most)]
        case _:
            return _ASKED[type(kind)]


def _shown(kind: declared.FieldType) -> Any:
    """What is answered, which was checked when it came in."""
    return Literal[kind.words] if isinstance(kind, declared.Choice) else _SHOWN[type(kind)]


_ASKED: Mapping[type[declared.FieldType], Any] = {
    declared.Share: Annotated[checked.Number, Field(ge=0, le=1)],
    declared.Moment: checked.Moment,
    declared.Reference: checked.Identifier,
    declared.Tags: checked.Tags,
    declared.Json: checked.Metadata,
}
_SHOWN: Mapping[type[declared.FieldType], Any] = {
    declared.Text: str,
    declared.Whole: int,
    declared.Share: float,
    declared.Moment: checked.Moment,
    declared.Reference: UUID,
    declared.Tags: tuple[str, ...],
    declared.Json: dict[str, Any],
}
