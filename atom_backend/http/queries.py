"""Query strings (RFC 3986), read strictly into a model.

Invariant: an unknown, repeated or undecodable parameter is refused, never ignored: a mistyped
filter must not answer everything.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict

from atom_backend.errors import MalformedRequest
from atom_backend.http.gathering import gather
from atom_backend.http.validation import validated

_MOST_PARAMETERS = 200


class Parameters(BaseModel):
    """The base of every query model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lenient: ClassVar[bool] = False
    """Whether parameters that are not known are ignored, where a specification says so."""


Model = TypeVar("Model", bound=Parameters)


def read(model: type[Model], query_string: bytes) -> Model:
    """The model of a query string. Raises MalformedRequest or InvalidInput."""
    pairs = _pairs(query_string)
    if model.lenient:
        pairs = [pair for pair in pairs if pair[0] in model.model_fields]
    unknown = [name for name, _ in pairs if name not in model.model_fields]
    if unknown:
        raise MalformedRequest(
            f"There is no query parameter '{unknown[0][:100]}' here.", code="unknown_parameter"
        )
    return validated(model, gather(model, pairs))


def following(query: Parameters, cursor: str) -> str:
    """The query string that asks for the page after the one that ``query`` asked for."""
    given = query.model_dump(mode="json", exclude_defaults=True) | {"cursor": cursor}
    truths = {True: "true", False: "false"}
    said = {n: truths[v] if isinstance(v, bool) else v for n, v in given.items()}
    return urlencode(said, doseq=True)


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query_string.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except UnicodeDecodeError:
        raise MalformedRequest("The query string is not UTF-8.") from None
    except ValueError:
        raise MalformedRequest("The query string has too many parameters.") from None
