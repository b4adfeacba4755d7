"""What requests about bank statements say, and what they are answered."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from atom_backend.domain.finance.statements import (
    DateFormat,
    DebitSign,
    DecimalMark,
    Delimiter,
    Encoding,
    Preview,
    RefusedRow,
    Role,
    StatementMapping,
)
from atom_backend.errors import AtomError, InvalidInput
from atom_backend.http import fields as checked
from atom_backend.http import strict_json
from atom_backend.http.forms import FormBody, UploadedFile
from atom_backend.services.statements import Imported

REFUSED_SHOWN = 100
_MOST_COLUMNS = 60
_Column = Annotated[int, Field(ge=0, lt=_MOST_COLUMNS)]


class Mapping(BaseModel):
    """How a statement is read; null where that is still to be decided.

    `header` are the names above the rows, `columns` the places of columns, from 0, by role.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)

    encoding: Encoding | None = None
    delimiter: Delimiter | None = None
    header: Annotated[tuple[str, ...], Field(max_length=_MOST_COLUMNS)] = ()
    columns: dict[Role, _Column] = Field(default_factory=dict)
    date_format: DateFormat | None = None
    decimal_mark: DecimalMark | None = None
    debit_sign: DebitSign | None = None

    def chosen(self) -> StatementMapping:
        return StatementMapping(**self.model_dump())


def _mapping(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return strict_json.read(Mapping, value.encode("utf-8", "surrogatepass"))
    except AtomError as error:
        problems = error.problems if isinstance(error, InvalidInput) else ()
        places = "; ".join(f"{one.pointer}: {one.detail}" for one in problems)
        why = {"why": places or error.message}
        raise PydanticCustomError("mapping", "{why}", why) from None


FormMapping = Annotated[
    Mapping,
    BeforeValidator(_mapping),
    WithJsonSchema(
        {
            "type": "string",
            "contentMediaType": "application/json",
            "pattern": r"^\s*\{[\s\S]*\}\s*$",
        },
        mode="validation",
    ),
]
"""The text of a JSON object, shaped like the ``mapping`` of a preview."""

Zone = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        description="An IANA name: whose days and clocks the file's times are.",
        json_schema_extra={"pattern": r"^[^\u0000]*[^\s\u001c-\u001f\u0000][^\u0000]*$"},
    ),
]


class StatementPreview(FormBody):
    """A CSV file of at most 4 MiB; `mapping` says what is decided already."""

    file: UploadedFile
    time_zone: Zone = "UTC"
    mapping: FormMapping = Field(default_factory=Mapping)


class StatementUpload(FormBody):
    """A CSV file, and the mapping of its preview with every question answered."""

    file: UploadedFile
    mapping: FormMapping
    time_zone: Zone = "UTC"


class QuestionAnswer(BaseModel):
    """What the file does not say: a field of the mapping, or the role of a column."""

    model_config = ConfigDict(from_attributes=True)

    about: str
    detail: str
    choices: tuple[str, ...]


class RefusedRowAnswer(BaseModel):
    """A row that is not imported; `line` counts from 1, and a row may have several lines."""

    model_config = ConfigDict(from_attributes=True)

    line: int
    last_line: int
    reason: str


class SampleAnswer(BaseModel):
    """What a row would become."""

    model_config = ConfigDict(from_attributes=True)

    amount: checked.Total
    posted_at: checked.Moment
    category: str | None
    counterparty: str | None
    description: str | None
    external_id: str


class PreviewAnswer(BaseModel):
    """How a file is read. `cells` are the first rows as they stand; `sample` is what they become,
    and empty as long as there are `questions`. `notes` say what could be decided otherwise.
    """

    mapping: Mapping
    questions: list[QuestionAnswer]
    notes: tuple[str, ...]
    rows: int
    cells: tuple[tuple[str, ...], ...]
    sample: list[SampleAnswer | RefusedRowAnswer]


class ImportAnswer(BaseModel):
    """`known` rows were there before and are left alone; the first 100 `refused` ones are named."""

    rows: int
    added: int
    known: int
    refused: int
    refused_rows: list[RefusedRowAnswer]


def preview_answer(found: Preview) -> PreviewAnswer:
    return PreviewAnswer(
        mapping=Mapping(**asdict(found.mapping)),
        questions=[QuestionAnswer.model_validate(one) for one in found.questions],
        notes=found.notes,
        rows=found.rows,
        cells=found.cells,
        sample=[_sample(one) for one in found.sample],
    )


def import_answer(done: Imported) -> ImportAnswer:
    named = done.refused[:REFUSED_SHOWN]
    return ImportAnswer(
        rows=done.rows,
        added=done.added,
        known=done.known,
        refused=len(done.refused),
        refused_rows=[RefusedRowAnswer.model_validate(one) for one in named],
    )


def _sample(row: Any) -> SampleAnswer | RefusedRowAnswer:
    kind = RefusedRowAnswer if isinstance(row, RefusedRow) else SampleAnswer
    return kind.model_validate(row)
