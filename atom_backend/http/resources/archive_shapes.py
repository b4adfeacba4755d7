"""What the lines of an archive say: one JSON object each, told apart by ``type``.

The first line is ``export``, the second ``account``, the last ``end``; between them stands one for
each record, whose ``type`` is what its resource calls one. Invariant: a line that was written here
is read here again; what is read is checked by the same rules as a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model
from pydantic_core import PydanticCustomError

from atom_backend.domain.resources.registry import RESOURCES
from atom_backend.domain.resources.resource import Resource
from atom_backend.http.fields import DisplayName, Identifier, Integer, Moment
from atom_backend.http.problems import Problem
from atom_backend.http.resources.record_shapes import model_of, schema_name
from atom_backend.http.resources.record_types import answered, given

FORMAT = 1
_LARGEST_REVISION = 2**53 - 1
_VERSION = 7

_Counted = Annotated[Integer, Field(ge=0)]


def _of_our_kind(value: Any) -> Any:
    if value.version != _VERSION:
        raise PydanticCustomError("version", "Input should be a UUID of version 7")
    return value


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class ArchiveLine(BaseModel):
    """One line of an archive; docs/export.md says what each `type` holds."""

    model_config = ConfigDict(extra="allow")

    type: str


class HeaderLine(_Line):
    """Opens an archive."""

    type: Literal["export"] = "export"
    format: Integer
    exported_at: Moment


class AccountLine(_Line):
    """Whose it was; only the name is brought back."""

    type: Literal["account"] = "account"
    id: Identifier
    email: str
    display_name: DisplayName | None
    created_at: Moment
    updated_at: Moment


class EndLine(_Line):
    """Closes a whole archive: how many records of each type there are in it."""

    type: Literal["end"] = "end"
    counts: dict[str, _Counted]


class ProblemLine(_Line):
    """Ends an archive that could not be finished."""

    type: Literal["problem"] = "problem"
    problem: Problem


def written(resource: Resource) -> type[BaseModel]:
    """The line of a record as it is written."""
    name = f"{schema_name(resource)}Archived"
    values = {one.name: answered(one) for one in resource.fields}
    return _record(name, resource, BaseModel, values)


def read(resource: Resource) -> type[BaseModel]:
    """The line of a record as it is read, strictly."""
    values = {one.name: given(one) for one in resource.fields}
    return _record(f"{schema_name(resource)}Restored", resource, _Line, values)


def _record(
    name: str, resource: Resource, base: type[BaseModel], values: Mapping[str, Any]
) -> type[BaseModel]:
    return create_model(
        name,
        __base__=base,
        type=(_named(str(resource.one)), str(resource.one)),
        id=(Annotated[Identifier, AfterValidator(_of_our_kind)], ...),
        revision=(Annotated[Integer, Field(ge=1, le=_LARGEST_REVISION)], ...),
        created_at=(Moment, ...),
        updated_at=(Moment, ...),
        values=(model_of(f"{name}Values", base, values, "All fields."), ...),
    )


def _named(one: str) -> Any:
    return Literal[one]


WRITTEN = {resource.name: written(resource) for resource in RESOURCES}
READ = {str(resource.one): (resource, read(resource)) for resource in RESOURCES}
