"""What requests about a resource say and what they are answered, made from its declaration.

Invariant: every rule that a request is checked by stands in the declaration, and in the API
document that is made from these models.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, create_model

from atom_backend.domain.index_state import IndexState
from atom_backend.domain.resources import fields as declared
from atom_backend.domain.resources.listing import INDEX_STATE, Filter, Match
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Record, Values
from atom_backend.http import fields as checked
from atom_backend.http.bodies import JsonBody, MergePatch
from atom_backend.http.limits import PAGE_DEFAULT, PAGE_LARGEST
from atom_backend.http.queries import Parameters
from atom_backend.http.resources.record_types import answered, asked, given

Model = TypeVar("Model", bound=BaseModel)
NEWEST_FIRST = "-created_at"
_STORED = {
    "id": (UUID, ...),
    "revision": (int, ...),
    "created_at": (checked.Moment, ...),
    "updated_at": (checked.Moment, ...),
}
_INDEXED = {
    "index_state": (IndexState, ...),
    "index_reason": (str | None, ...),
    "chunk_count": (int, ...),
}
_NO_FIELDS: Mapping[str, Any] = {"updated_at": checked.Moment, INDEX_STATE: IndexState}
"""What can be asked about besides the fields."""


class _Written(JsonBody):
    large = True


class _Patched(MergePatch):
    large = True


@dataclass(frozen=True, slots=True)
class Shapes:
    """The models of one resource. ``content`` is ``input`` without the external identifier.

    ``about``: what is answered of a record besides its fields. ``brief`` is ``answer`` without the
    long fields, and the same model where there are none.
    """

    input: type[JsonBody]
    content: type[JsonBody]
    patch: type[MergePatch]
    query: type[Parameters]
    answer: type[BaseModel]
    brief: type[BaseModel]
    page: type[BaseModel]
    resource: Resource
    about: Collection[str]

    def show(self, record: Record) -> BaseModel:
        """How a record is answered."""
        return self.answer(**self._told(record))

    def show_brief(self, record: Record) -> BaseModel:
        """How it is answered among others, in lists and searches."""
        return self.brief(**self._told(record))

    def _told(self, record: Record) -> dict[str, Any]:
        about = {name: getattr(record, name) for name in self.about}
        return {**about, **self.resource.shows(record.values)}


def shapes_of(resource: Resource) -> Shapes:
    """The models; make them once, because the API document wants one of each name."""
    name, one = schema_name(resource), resource.one.replace("_", " ")
    taken = [one for one in resource.fields if one.given]
    whole = {one.name: given(one) for one in taken}
    answer = model_of(f"{name}Answer", BaseModel, _answer(resource), f"One {one}, as it is kept.")
    brief = answer
    if any(one.long for one in resource.fields):
        left = f"One {one}, without its long fields."
        brief = model_of(f"{name}Brief", BaseModel, _answer(resource, brief=True), left)
    listed = {"items": (list[brief], ...), "next_cursor": (str | None, ...)}  # type: ignore[valid-type]
    return Shapes(
        input=model_of(
            f"{name}Input", _Written, whole, f"What to store as {one}.", resource.example
        ),
        content=model_of(
            f"{name}Content",
            _Written,
            {key: value for key, value in whole.items() if key != "external_id"},
            f"The same as {name}Input; the external identifier stands in the address.",
            resource.example,
        ),
        patch=model_of(
            f"{name}Patch",
            _Patched,
            {one.name: _patch(one) for one in taken},
            "A JSON merge patch: null clears a field, `metadata` is merged name by name.",
        ),
        query=model_of(f"{name}Query", Parameters, _query(resource), "Which to list."),
        answer=answer,
        brief=brief,
        page=model_of(f"{name}Page", BaseModel, listed, "`next_cursor` is null on the last page."),
        resource=resource,
        about=_about(resource).keys(),
    )


def model_of(
    name: str,
    base: type[Model],
    fields: Mapping[str, Any],
    about: str,
    example: Values | None = None,
) -> type[Model]:
    """A model made of fields by name: a type, and a default or pydantic's ``Field``."""
    config = {"json_schema_extra": {"examples": [example]}} if example else {}
    model: type[Model] = create_model(
        name, __base__=base, __doc__=about, __cls_kwargs__=config, **fields
    )
    return model


def schema_name(resource: Resource) -> str:
    """What its schemas' names begin with."""
    return "".join(part.capitalize() for part in resource.one.split("_"))


def _patch(field: declared.Field) -> tuple[Any, Any]:
    """Whether it was there is in ``model_fields_set``, for null is a value."""
    kind = dict[str, Any] if isinstance(field.type, declared.Json) else asked(field.type)
    about = Field(default_factory=lambda: None, description=field.about)
    return (kind if field.required else kind | None), about


def _answer(resource: Resource, *, brief: bool = False) -> dict[str, Any]:
    shown = (one for one in resource.fields if not (one.apart or (brief and one.long)))
    own = {one.name: answered(one) for one in shown}
    return {"id": (UUID, ...), "revision": (int, ...)} | own | _about(resource)


def _about(resource: Resource) -> dict[str, Any]:
    """What is answered besides the fields."""
    return _STORED | _INDEXED if resource.searchable else _STORED


def _query(resource: Resource) -> dict[str, Any]:
    sorts = [sign + name for name in ("created_at", *resource.sorts) for sign in ("-", "")]
    order = "The field to sort by; with a minus from the highest to the lowest."
    query: dict[str, Any] = {
        "cursor": (checked.SortedCursor | None, None),
        "limit": (checked.Integer, Field(PAGE_DEFAULT, ge=1, le=PAGE_LARGEST)),
        "sort": (Literal[tuple(sorts)], Field(NEWEST_FIRST, description=order)),
    }
    for one in every_filter(resource):
        about = Field(None, description=one.about)
        query[one.name] = (_asked(resource, one) | None, about)
    for flag in resource.flags:
        query[flag.name] = (checked.Truth | None, Field(None, description=flag.about))
    return query


def every_filter(resource: Resource) -> tuple[Filter, ...]:
    """Its own filters, and those that every resource has, or every searchable one."""
    indexed = Filter(INDEX_STATE, INDEX_STATE, Match.EQUAL, "How far the index is with it.")
    return (
        *resource.filters,
        *((indexed,) if resource.searchable else ()),
        Filter("tag", "tags", Match.HOLDS, "Has this tag."),
        Filter("source", "source", Match.EQUAL, "Comes from this system."),
        Filter("updated_since", "updated_at", Match.FROM, "Written then or later."),
    )


def _asked(resource: Resource, one: Filter) -> Any:
    if one.test is Match.WORDS:
        return checked.Question
    if one.test is Match.HOLDS:
        return checked.Tag
    if one.field in _NO_FIELDS:
        return _NO_FIELDS[one.field]
    kind = resource.field(one.field).type
    return checked.Moment if isinstance(kind, declared.WallTime) else asked(kind)
