"""Transfers between accounts, and sums of transactions."""

from __future__ import annotations

from typing import Any

from flask import Response

from atom_backend.domain.calendar.local_time import zone
from atom_backend.domain.finance.sums import SumQuestion
from atom_backend.domain.finance.transfers import Transfer
from atom_backend.domain.owner_work import StoredResponse
from atom_backend.domain.permissions import Scope
from atom_backend.domain.resources.rules import Record
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.idempotency import fingerprint, receipt, replay
from atom_backend.http.replies import json_reply
from atom_backend.http.request_headers import IDEMPOTENCY_KEY
from atom_backend.http.resources.bookkeeping_shapes import (
    MONTH,
    SumPage,
    SumQuery,
    TransferAnswer,
    TransferInput,
    sum_answer,
    transfer_answer,
)

routes = Routes("bookkeeping", "Transfers between own accounts, and what transactions add up to.")

_WHERE = {"Location": "The list of the two transactions."}


@routes.add(
    "POST",
    "/v1/transactions/transfer",
    Answer(201, "Both sides.", TransferAnswer, headers=_WHERE),
    needs=Scope.RECORDS_WRITE,
    headers=(IDEMPOTENCY_KEY,),
)
def transfer(call: Call[None, TransferInput]) -> Response:
    """Move an amount from one own account to another: both sides are stored, or neither.

    `to_amount` is what arrives in an account of another currency. The two transactions share a
    `transfer_id`: removing one removes both, and neither changes its amount or account alone.
    """

    def render(made: tuple[Record, ...]) -> Response:
        reply = json_reply(transfer_answer(*made), 201)
        shared = made[0].values["transfer_id"]
        reply.headers["Location"] = f"{call.root}/v1/transactions?transfer_id={shared}"
        return reply

    def asked() -> bytes:
        return fingerprint([b"transfer", call.body.model_dump_json().encode()])

    outcome = call.services.bookkeeping.transfer(
        call.principal, Transfer(**call.body.model_dump()), receipt(call, asked, render)
    )
    return replay(outcome) if isinstance(outcome, StoredResponse) else render(outcome)


def sum_transactions(call: Call[Any, None]) -> Response:
    query = call.query
    question = SumQuestion(
        by_month=MONTH in (query.by or ""),
        by_category="category" in (query.by or ""),
        zone=zone(query.time_zone),
        account_id=query.account_id,
        since=getattr(query, "from"),
        until=query.to,
        transfers=query.transfers,
    )
    found = call.services.bookkeeping.sums(call.principal, question)
    return json_reply(SumPage(items=[sum_answer(one) for one in found]))


routes.made(
    "sum_transactions",
    "What came in and went out, by currency; and by month, category, or both.\n\n"
    "Currencies are never added together. 422 `too_many_sums` beyond 10,000.",
    "GET /v1/transactions/sums",
    Answer(200, "The sums, by currency, month and category.", SumPage),
    handler=sum_transactions,
    needs=Scope.RECORDS_READ,
    query=SumQuery,
)
