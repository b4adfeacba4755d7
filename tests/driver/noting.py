"""What clients note about their operations, for the promises to judge."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import httpx

from tests.driver.accounts import Account, Session
from tests.driver.asking import Attempts
from tests.driver.recorder import Recorder
from tests.driver.steps import Operation
from tests.promises.history import Hit, Outcome, Reading, Removal, Search, Write

_UNAVAILABLE = 503

Told = dict[str, Any]
"""A document, or a line of a batch, as an answer shows it."""


class Notes:
    """One client's."""

    def __init__(self, account: Account, recorder: Recorder) -> None:
        self._account = account
        self._recorder = recorder

    def write(
        self,
        operation: Operation,
        session: Session,
        attempts: Attempts,
        item: UUID | None = None,
        *,
        based_on: int | None = None,
    ) -> None:
        """A write of one document, of ``item`` where that was named."""
        if item is not None:
            self.absence(operation, session, attempts, item)
        outcome = attempts.outcome
        told = attempts.said if outcome is Outcome.ACKNOWLEDGED else None
        self._write(
            operation,
            session,
            attempts,
            outcome=outcome,
            told=told,
            item=item,
            based_on=based_on,
        )

    def line(
        self, line: Operation, session: Session, attempts: Attempts, told: Told | None
    ) -> None:
        """A line of a batch; what no line answers may have been taken in all the same."""
        document = told.get("document") if told else None
        refused = told is not None and document is None and told["status"] != _UNAVAILABLE
        outcome = Outcome.UNKNOWN
        if document is not None:
            outcome = Outcome.ACKNOWLEDGED
        elif not attempts.doubts and (refused or attempts.outcome is Outcome.REFUSED):
            outcome = Outcome.REFUSED
        self._write(line, session, attempts, outcome=outcome, told=document)

    def removal(
        self, operation: Operation, session: Session, attempts: Attempts, item: UUID
    ) -> None:
        self.absence(operation, session, attempts, item)
        common = _common(operation, session, attempts)
        self._recorder.add(Removal(**common, outcome=attempts.outcome, item=item))

    def reading(
        self, operation: Operation, session: Session, attempts: Attempts, told: Told
    ) -> None:
        self._recorder.add(
            Reading(
                **_common(operation, session, attempts),
                item=UUID(told["id"]),
                revision=told["revision"],
                indexed=told.get("index_state") == "indexed",
                text=told.get("text"),
            )
        )

    def absence(
        self, operation: Operation, session: Session, attempts: Attempts, item: UUID
    ) -> None:
        """If the answer said so: of a request that did not itself make it true."""
        if attempts.missing and not attempts.doubts:
            common = _common(operation, session, attempts)
            self._recorder.add(Reading(**common, item=item, revision=None))

    def search(
        self,
        operation: Operation,
        session: Session,
        attempts: Attempts,
        *,
        first_page: bool,
    ) -> None:
        found = attempts.said
        single = first_page and operation.mode == "text" and " " not in operation.query
        self._recorder.add(
            Search(
                **_common(operation, session, attempts),
                mode=operation.mode,
                legs=tuple(found["legs"]),
                degraded=tuple(found["degraded"]),
                hits=tuple(_hit(one) for one in found["results"]),
                word=operation.query if single else None,
            )
        )

    def similar(self, operation: Operation, session: Session, attempts: Attempts) -> None:
        """It has one leg, and no way to be answered without it."""
        self._recorder.add(
            Search(
                **_common(operation, session, attempts),
                mode=operation.mode,
                legs=("vector",),
                degraded=(),
                hits=tuple(_hit(one) for one in attempts.said["results"]),
            )
        )

    def _write(
        self,
        operation: Operation,
        session: Session,
        attempts: Attempts,
        *,
        outcome: Outcome,
        told: Told | None,
        item: UUID | None = None,
        based_on: int | None = None,
    ) -> None:
        if told is not None:
            item = UUID(told["id"])
            self._account.keep(session, operation.slot, item)
        self._recorder.add(
            Write(
                **_common(operation, session, attempts),
                outcome=outcome,
                fields=operation.fields,
                item=item,
                external_id=operation.slot if operation.named else None,
                revision=told["revision"] if told else None,
                once=attempts.doubts == 0,
                indexed=told is not None and told["index_state"] == "indexed",
                based_on=based_on,
            )
        )


def lines_told(answer: httpx.Response | None) -> dict[int, Told]:
    """The lines that answer a batch, by the number of the line that they answer."""
    if answer is None or not answer.is_success:
        return {}
    told: list[Told] = [json.loads(line) for line in answer.text.splitlines()]
    return {one["line"]: one for one in told if one["line"] is not None}


def _common(operation: Operation, session: Session, attempts: Attempts) -> dict[str, Any]:
    return {
        "number": operation.number,
        "owner": session.owner,
        "begun": attempts.begun,
        "ended": attempts.ended,
    }


def _hit(result: Told) -> Hit:
    return Hit(
        item=UUID(result["item_id"]),
        title=result["title"],
        passages=tuple(one["text"] for one in _chunks(result)),
        stale=bool(result["stale"]),
        enriched=result.get("enriched", True),
    )


def _chunks(result: Told) -> list[Told]:
    """None of an item that is similar as a whole."""
    return [result["chunk"], *result["chunks"]] if "chunk" in result else []
