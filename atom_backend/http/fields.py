"""The types of single values in requests and answers, each with its rule and its JSON Schema.

They hold in JSON bodies, query parameters and forms alike: the last two give texts, which the
types for numbers, truth and time read themselves. Invariant: a rule that the schema can state
stands in the schema.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from atom_backend.domain import limits as contents
from atom_backend.domain import metadata as metadata_rules
from atom_backend.domain.finance import money
from atom_backend.errors import InvalidInput
from atom_backend.http import limits
from atom_backend.http.cursors import PATTERN as CURSOR_PATTERN
from atom_backend.http.cursors import SORTED_PATTERN
from atom_backend.http.paths import UUID_PATTERN

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d([Tt]\d\d:\d\d:\d\d(\.\d{1,6})?)?", re.ASCII)
_PRINTABLE: JsonDict = {"pattern": r"^[^\u0000]*$"}
_NOT_BLANK: JsonDict = {"pattern": r"^[^\u0000]*[^\s\u001c-\u001f\u0000][^\u0000]*$"}


def optional() -> Any:
    """A field of a patch; whether it was there is in ``model_fields_set``, for null is a value."""
    return Field(default_factory=lambda: None)


def _integer(value: object, info: ValidationInfo) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if _is_text(value, info) and _INTEGER.fullmatch(str(value)):
        return int(str(value))
    return value


def _number(value: object, info: ValidationInfo) -> object:
    if _is_text(value, info) and _NUMBER.fullmatch(str(value)):
        return float(str(value))
    return value


def _truth(value: object, info: ValidationInfo) -> object:
    if _is_text(value, info):
        return {"true": True, "false": False}.get(str(value), value)
    return value


def _is_text(value: object, info: ValidationInfo) -> bool:
    """Whether this is how a query or a form writes any value; in JSON a text is a text."""
    return info.mode == "python" and isinstance(value, str)


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and _RFC3339.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise PydanticCustomError("moment", "Input should be a time as in 2030-01-31T09:30:00Z")


def _wall_time(value: object) -> datetime:
    if isinstance(value, str) and _LOCAL.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            pass
    try:
        return _moment(value)
    except PydanticCustomError:
        why = (
            "Input should be a day, or a time as in 2030-01-31T09:30:00, with an offset or without"
        )
        raise PydanticCustomError("wall_time", why) from None


def _amount(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str):
        try:
            return money.parse(value)
        except InvalidInput as error:
            raise PydanticCustomError("amount", "{why}", {"why": error.message}) from None
    raise PydanticCustomError("amount", "Input should be a decimal number as text, as in '-12.50'")


def _identifier(value: object) -> UUID:
    if isinstance(value, UUID):
        return value
    if isinstance(value, str) and re.fullmatch(UUID_PATTERN, value):
        return UUID(value)
    raise PydanticCustomError("identifier", "Input should be a UUID")


def _rfc3339(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _with_offset(value: datetime) -> str:
    return value.isoformat(timespec="microseconds")


def _in_digits(value: Decimal) -> str:
    return f"{value:f}"


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "Input should not be blank")
    return value


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("not_unique", "Items should be unique")
    return values


def _email(value: str) -> str:
    try:
        validate_email(value, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise PydanticCustomError("email", "Input should be an e-mail address") from None
    return value


def _metadata(value: Any) -> Any:
    try:
        return metadata_rules.check(value)
    except ValueError as error:
        raise PydanticCustomError("metadata", "{why}", {"why": str(error)}) from None


Integer = Annotated[int, Field(strict=True), BeforeValidator(_integer)]
"""Also 40.0, which is an integer to JSON Schema."""

Number = Annotated[float, Field(allow_inf_nan=False, strict=True), BeforeValidator(_number)]
Truth = Annotated[bool, Field(strict=True), BeforeValidator(_truth)]

Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(_rfc3339, return_type=str, when_used="json"),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]
"""A time with its zone (RFC 3339), UTC inside."""

WallTime = Annotated[
    datetime,
    BeforeValidator(_wall_time),
    PlainSerializer(_with_offset, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^({_LOCAL.pattern}|{_RFC3339.pattern})$"}),
]
"""A time with its zone, or without: that of a clock on the wall. A day is its midnight."""

ZonedTime = Annotated[
    datetime,
    PlainSerializer(_with_offset, return_type=str, when_used="json"),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]
"""A time that is answered with the offset that it has."""

Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    PlainSerializer(_in_digits, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": money.PATTERN, "examples": ["-12.50"]}),
]
"""An exact decimal number, in JSON a string."""

Total = Annotated[
    Decimal,
    PlainSerializer(_in_digits, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": money.TOTAL_PATTERN, "examples": ["-12.50"]}),
]
"""The same in an answer: a sum may have more digits than what was added up."""

Identifier = Annotated[
    UUID,
    BeforeValidator(_identifier),
    Field(json_schema_extra={"type": "string", "format": "uuid", "pattern": f"^{UUID_PATTERN}$"}),
]
"""A UUID in its usual spelling (RFC 9562, section 4)."""


def _words(longest: int) -> Any:
    return Field(min_length=1, max_length=longest, json_schema_extra=_NOT_BLANK)


def text_of(longest: int, *, blank: bool = False, pattern: str | None = None) -> Any:
    """The type of a text of at most so many code points; not a blank one, unless ``blank``."""
    if pattern is not None:
        return Annotated[str, Field(max_length=longest, pattern=pattern)]
    if blank:
        return Annotated[str, Field(max_length=longest, json_schema_extra=_PRINTABLE)]
    return Annotated[str, _words(longest), AfterValidator(_not_blank)]


Title = Annotated[str, _words(contents.TITLE_CHARS), AfterValidator(_not_blank)]
Name = Annotated[str, _words(contents.NAME_CHARS), AfterValidator(_not_blank)]
"""Of a source, or an external identifier."""
Tag = Annotated[str, _words(contents.TAG_CHARS), AfterValidator(_not_blank)]
Tags = Annotated[
    tuple[Tag, ...],
    Field(max_length=contents.TAGS, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_unique),
]
Question = Annotated[str, _words(contents.QUERY_CHARS), AfterValidator(_not_blank)]
DisplayName = Annotated[str, _words(limits.DISPLAY_NAME_CHARS), AfterValidator(_not_blank)]

Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
"""A JSON object of at most 64 kB and 16 levels."""
JsonValue = Annotated[Any, AfterValidator(_metadata)]
"""Any JSON value within the same bounds."""

Email = Annotated[
    str,
    Field(max_length=limits.EMAIL_CHARS, json_schema_extra={"format": "email"}),
    AfterValidator(_email),
]
"""Kept as typed. Addresses of private networks pass: the name server is not asked."""

NewPassword = Annotated[
    SecretStr,
    Field(
        min_length=contents.PASSWORD_FEWEST_CHARS,
        max_length=limits.PASSWORD_CHARS,
        json_schema_extra=_PRINTABLE,
    ),
]
Secret = Annotated[
    SecretStr,
    Field(min_length=1, max_length=limits.TOKEN_CHARS, json_schema_extra=_PRINTABLE),
]
"""A password or token to compare with what is known."""

Cursor = Annotated[str, Field(json_schema_extra={"pattern": f"^{CURSOR_PATTERN}$"})]
"""Where the next page begins; from ``next_cursor`` of the page before."""

SortedCursor = Annotated[str, Field(json_schema_extra={"pattern": f"^{SORTED_PATTERN}$"})]
"""The same of a list whose order the caller chooses."""
