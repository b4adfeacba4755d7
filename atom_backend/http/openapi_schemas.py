"""The schemas of the API document: every model of every route, under one name each.

Invariant: inputs are described as they are checked and outputs as they are written; all
references point into ``#/components/schemas``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from atom_backend.http.contract import Route
from atom_backend.http.problems import Problem

_PREFIX = "#/components/schemas/"
_Key = tuple[type[BaseModel], JsonSchemaMode]


class Schemas:
    """The schemas that these routes need."""

    def __init__(self, routes: Iterable[Route]) -> None:
        routes = list(routes)
        self._queries = [route.query for route in routes]
        wanted: list[_Key] = [(Problem, "serialization")]
        for route in routes:
            wanted.append((route.query, "validation"))
            wanted += [(kind.schema_model(), "validation") for kind in route.bodies]
            wanted += [
                (answer.model, "serialization")
                for answer in route.answers
                if answer.model is not None and issubclass(answer.model, BaseModel)
            ]
        self._references, document = models_json_schema(
            list(dict.fromkeys(wanted)), ref_template=_PREFIX + "{model}"
        )
        self._definitions: dict[str, Any] = document["$defs"]

    def components(self) -> dict[str, Any]:
        """All schemas by name, but for those of queries, which stand as parameters."""
        queries = {self._name(query, "validation") for query in self._queries}
        return {name: schema for name, schema in self._definitions.items() if name not in queries}

    def input(self, model: type[BaseModel]) -> dict[str, Any]:
        """The reference to a request's model."""
        return dict(self._references[model, "validation"])

    def output(self, model: type[BaseModel] | type[str]) -> dict[str, Any]:
        """The reference to an answer's model; plain text has none."""
        if not issubclass(model, BaseModel):
            return {"type": "string"}
        return dict(self._references[model, "serialization"])

    def query(self, model: type[BaseModel]) -> dict[str, Any]:
        """The whole schema of a query model, whose fields become parameters."""
        return dict(self._definitions[self._name(model, "validation")])

    def _name(self, model: type[BaseModel], mode: JsonSchemaMode) -> str:
        return str(self._references[model, mode]["$ref"]).removeprefix(_PREFIX)
