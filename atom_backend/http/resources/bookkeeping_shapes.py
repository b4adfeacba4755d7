"""What requests about transfers and sums say, and what they are answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from atom_backend.domain.finance import money
from atom_backend.domain.finance.ledger import DESCRIPTION_CHARS
from atom_backend.domain.finance.sums import GroupSum
from atom_backend.domain.resources.rules import Record
from atom_backend.domain.resources.transactions import TRANSACTIONS
from atom_backend.http import fields as checked
from atom_backend.http.bodies import JsonBody
from atom_backend.http.queries import Parameters
from atom_backend.http.resources.record_shapes import model_of
from atom_backend.http.resources.records import FACES

MONTH = "month"

_TRANSACTION = next(face.shapes for face in FACES if face.resource is TRANSACTIONS)
_Transaction: Any = _TRANSACTION.answer


class TransferInput(JsonBody):
    """What to move, and between which accounts."""

    from_account_id: checked.Identifier
    to_account_id: checked.Identifier
    amount: checked.Amount = Field(description="What leaves, above zero.")
    to_amount: checked.Amount | None = Field(
        None, description="What arrives; needed where the currencies differ."
    )
    posted_at: checked.Moment
    category: checked.Tag | None = None
    description: checked.text_of(DESCRIPTION_CHARS) | None = None  # type: ignore[valid-type]


TransferAnswer = model_of(
    "TransferAnswer",
    BaseModel,
    {"transfer_id": (UUID, ...), "outgoing": (_Transaction, ...), "incoming": (_Transaction, ...)},
    "Both sides of a transfer.",
)

SumQuery = model_of(
    "SumQuery",
    Parameters,
    {
        "by": (
            Literal["month", "category", "month,category"] | None,
            Field(None, description="What to tell apart; without it, only currencies."),
        ),
        "account_id": (checked.Identifier | None, Field(None, description="Of this account.")),
        "from": (checked.Moment | None, Field(None, description="Booked then or later.")),
        "to": (checked.Moment | None, Field(None, description="Booked earlier.")),
        "time_zone": (
            checked.text_of(64),
            Field("UTC", description="Whose clocks say which month it was: an IANA name."),
        ),
        "transfers": (
            checked.Truth,
            Field(True, description="Whether transfers between own accounts count."),
        ),
    },
    "Which transactions to add up.",
)


class SumAnswer(BaseModel):
    """The sum of some transactions: `net` is `income` plus `expenses`."""

    currency: str
    month: Annotated[
        str | None, Field(description="As in 2030-01; null where months are not told apart.")
    ]
    category: Annotated[
        str | None, Field(description="Null for what has none, or where they are not told apart.")
    ]
    count: int
    income: checked.Total
    expenses: checked.Total
    net: checked.Total


class SumPage(BaseModel):
    """All sums; there are no further pages."""

    items: list[SumAnswer]


def transfer_answer(outgoing: Record, incoming: Record) -> BaseModel:
    return TransferAnswer(
        transfer_id=outgoing.values["transfer_id"],
        outgoing=_TRANSACTION.show(outgoing),
        incoming=_TRANSACTION.show(incoming),
    )


def sum_answer(group: GroupSum) -> SumAnswer:
    def exact(amount: Decimal) -> Decimal:
        return Decimal(money.text(amount, group.currency))

    return SumAnswer(
        currency=group.currency.code,
        month=None if group.month is None else f"{group.month:%Y-%m}",
        category=group.category,
        count=group.sum.count,
        income=exact(group.sum.income),
        expenses=exact(group.sum.expenses),
        net=exact(group.sum.net),
    )
