"""The clients: they carry out operations over HTTP and note what they were told.

An operation that gets no answer is repeated if it is a persistent one, as a good client would: it
carries an idempotency key, or does the same thing when done twice. Invariant: whatever is noted
as acknowledged or refused was said by an answer; everything else is noted as unknown.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from tests.driver.accounts import Account, Session
from tests.driver.plan import Operation
from tests.driver.recorder import Recorder
from tests.promises.history import Hit, Outcome, Reading, Removal, Search, Write

_TIMEOUT = 20.0
_PERSISTENT_FOR = 30.0
_PAUSE = 0.3
_PAGES = 3
_NOT_FOUND, _UNAVAILABLE = 404, 503


@dataclass
class Attempts:
    """What became of one operation's requests: the answer that settled it, if there was one."""

    begun: float
    ended: float
    answer: httpx.Response | None
    doubts: int

    @property
    def outcome(self) -> Outcome:
        if self.answer is not None and self.answer.is_success:
            return Outcome.ACKNOWLEDGED
        return Outcome.UNKNOWN if self.doubts else Outcome.REFUSED

    @property
    def missing(self) -> bool:
        return self.answer is not None and self.answer.status_code == _NOT_FOUND


class Client:
    """One client of one account; used by one thread."""

    def __init__(self, account: Account, url: str, recorder: Recorder) -> None:
        self._account = account
        self._recorder = recorder
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT)

    def close(self) -> None:
        self._http.close()

    def perform(self, operation: Operation) -> None:
        """Carry out an operation of any kind."""
        getattr(self, f"_{operation.kind}")(operation, self._account.session)

    def _create(self, operation: Operation, session: Session) -> None:
        body = _content(operation)
        if operation.named:
            body["external_id"] = operation.slot
        headers = {"Idempotency-Key": f'"{operation.slot}"'}
        attempts = self._send(
            operation, session, "POST", "/v1/documents", body=body, headers=headers
        )
        self._note_write(operation, session, attempts)

    def _put(self, operation: Operation, session: Session) -> None:
        path = f"/v1/documents/by-external-id/{quote(operation.slot, safe='')}"
        attempts = self._send(operation, session, "PUT", path, body=_content(operation))
        self._note_write(operation, session, attempts)

    def _patch(self, operation: Operation, session: Session) -> None:
        item = self._account.find(operation.slot)
        if item is None:
            return self._recorder.count("skipped")
        seen = self._revision(session, item) if operation.conditional else None
        headers = {"If-Match": f'"{seen}"'} if seen else {}
        path, body = f"/v1/documents/{item}", _content(operation)
        attempts = self._send(operation, session, "PATCH", path, body=body, headers=headers)
        return self._note_write(operation, session, attempts, item, based_on=seen)

    def _revision(self, session: Session, item: UUID) -> int | None:
        answer = self._once(session, "GET", f"/v1/documents/{item}")
        return answer.json()["revision"] if answer is not None and answer.is_success else None

    def _delete(self, operation: Operation, session: Session) -> None:
        item = self._account.find(operation.slot)
        if item is None:
            return self._recorder.count("skipped")
        attempts = self._send(operation, session, "DELETE", f"/v1/documents/{item}")
        if attempts.missing and not attempts.doubts:
            self._note_absence(operation, session, attempts, item)
        return self._recorder.add(
            Removal(
                number=operation.number,
                owner=session.owner,
                begun=attempts.begun,
                ended=attempts.ended,
                outcome=attempts.outcome,
                item=item,
            )
        )

    def _batch(self, operation: Operation, session: Session) -> None:
        """Lines that no line answers may have been taken in all the same."""
        lines = [{"external_id": line.slot, **_content(line)} for line in operation.lines]
        named = all(line.named for line in operation.lines)
        for line, body in zip(operation.lines, lines, strict=True):
            if not line.named:
                del body["external_id"]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        attempts = self._send(
            operation,
            session,
            "POST",
            "/v1/documents/batch",
            body=text,
            headers={"Content-Type": "application/x-ndjson"},
            repeat=named,
        )
        answers: dict[int, dict[str, Any]] = {}
        if attempts.answer is not None and attempts.answer.is_success:
            told = [json.loads(line) for line in attempts.answer.text.splitlines()]
            answers = {one["line"]: one for one in told if one["line"] is not None}
        for number, line in enumerate(operation.lines, start=1):
            self._note_line(line, session, attempts, answers.get(number))

    def _note_line(
        self, line: Operation, session: Session, attempts: Attempts, told: dict[str, Any] | None
    ) -> None:
        document = (told or {}).get("document")
        refused = told is not None and document is None and told["status"] != _UNAVAILABLE
        outcome = Outcome.UNKNOWN
        if document is not None:
            outcome = Outcome.ACKNOWLEDGED
        elif not attempts.doubts and (refused or attempts.outcome is Outcome.REFUSED):
            outcome = Outcome.REFUSED
        self._note(line, session, attempts, outcome, told=document)

    def _search(self, operation: Operation, session: Session) -> None:
        cursor: str | None = None
        for _ in range(_PAGES):
            body: dict[str, Any] = {"query": operation.query, "mode": operation.mode}
            if cursor is not None:
                body["cursor"] = cursor
            begun = time.monotonic()
            answer = self._once(session, "POST", "/v1/search", body)
            if answer is None or not answer.is_success:
                return
            found, ended = answer.json(), time.monotonic()
            single = cursor is None and " " not in operation.query and operation.mode == "text"
            self._recorder.add(
                Search(
                    number=operation.number,
                    owner=session.owner,
                    begun=begun,
                    ended=ended,
                    mode=operation.mode,
                    legs=tuple(found["legs"]),
                    degraded=tuple(found["degraded"]),
                    hits=tuple(_hit(one) for one in found["results"]),
                    word=operation.query if single else None,
                )
            )
            cursor = found["next_cursor"]
            if cursor is None:
                return

    def _read(self, operation: Operation, session: Session) -> None:
        item = self._account.find(operation.slot)
        if item is None:
            return self._recorder.count("skipped")
        path = f"/v1/documents/{item}{'/text' if operation.mode == 'text' else ''}"
        attempts = self._send(operation, session, "GET", path)
        if attempts.missing:
            self._note_absence(operation, session, attempts, item)
        elif attempts.outcome is Outcome.ACKNOWLEDGED:
            assert attempts.answer is not None
            self._note_reading(operation, session, attempts, attempts.answer.json())
        return None

    def _list(self, operation: Operation, session: Session) -> None:
        attempts = self._send(operation, session, "GET", "/v1/documents?limit=50")
        if attempts.outcome is Outcome.ACKNOWLEDGED:
            assert attempts.answer is not None
            for document in attempts.answer.json()["items"]:
                self._note_reading(operation, session, attempts, document)

    def _login(self, _: Operation, __: Session) -> None:
        self._account.log_in()

    def _refresh(self, _: Operation, __: Session) -> None:
        self._account.refresh()

    def _leave(self, operation: Operation, _: Session) -> None:
        self._account.leave(operation.number)

    def _send(
        self,
        operation: Operation,
        session: Session,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: dict[str, str] | None = None,
        repeat: bool = True,
    ) -> Attempts:
        """The request, and again while nothing is certain and the operation is persistent."""
        more = dict(headers or {})
        if operation.wait:
            more["Prefer"] = f"wait={operation.wait}"
        begun, doubts = time.monotonic(), 0
        while True:
            answer = self._once(session, method, path, body, more)
            if answer is not None and not _is_doubtful(answer):
                return Attempts(begun, time.monotonic(), answer, doubts)
            doubts += 1
            late = time.monotonic() - begun > _PERSISTENT_FOR
            if late or not (operation.persistent and repeat):
                return Attempts(begun, time.monotonic(), None, doubts)
            time.sleep(_PAUSE)

    def _once(
        self,
        session: Session,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response | None:
        sent: dict[str, Any] = {"content": body} if isinstance(body, str) else {"json": body}
        try:
            answer = self._http.request(
                method,
                path,
                headers={**session.headers, **(headers or {})},
                **(sent if body is not None else {}),
            )
        except httpx.TransportError:
            self._recorder.count("no answer")
            return None
        self._recorder.answered(answer)
        return answer

    def _note_write(
        self,
        operation: Operation,
        session: Session,
        attempts: Attempts,
        item: UUID | None = None,
        *,
        based_on: int | None = None,
    ) -> None:
        if item is not None and attempts.missing and not attempts.doubts:
            self._note_absence(operation, session, attempts, item)
        told = None
        if attempts.outcome is Outcome.ACKNOWLEDGED:
            assert attempts.answer is not None
            told = attempts.answer.json()
        self._note(
            operation,
            session,
            attempts,
            attempts.outcome,
            told=told,
            item=item,
            based_on=based_on,
        )

    def _note(
        self,
        operation: Operation,
        session: Session,
        attempts: Attempts,
        outcome: Outcome,
        *,
        told: dict[str, Any] | None,
        item: UUID | None = None,
        based_on: int | None = None,
    ) -> None:
        if told is not None:
            item = UUID(told["id"])
            self._account.keep(session, operation.slot, item)
        self._recorder.add(
            Write(
                number=operation.number,
                owner=session.owner,
                begun=attempts.begun,
                ended=attempts.ended,
                outcome=outcome,
                fields=operation.fields,
                item=item,
                external_id=operation.slot if operation.named else None,
                revision=told["revision"] if told else None,
                once=attempts.doubts == 0,
                indexed=bool(told) and told["index_state"] == "indexed",  # type: ignore[index]
                based_on=based_on,
            )
        )

    def _note_reading(
        self, operation: Operation, session: Session, attempts: Attempts, told: dict[str, Any]
    ) -> None:
        self._recorder.add(
            Reading(
                number=operation.number,
                owner=session.owner,
                begun=attempts.begun,
                ended=attempts.ended,
                item=UUID(told["id"]),
                revision=told["revision"],
                indexed=told.get("index_state") == "indexed",
                text=told.get("text"),
            )
        )

    def _note_absence(
        self, operation: Operation, session: Session, attempts: Attempts, item: UUID
    ) -> None:
        self._recorder.add(
            Reading(
                number=operation.number,
                owner=session.owner,
                begun=attempts.begun,
                ended=attempts.ended,
                item=item,
                revision=None,
            )
        )


def _content(operation: Operation) -> dict[str, Any]:
    fields: dict[str, Any] = dict(operation.fields)
    if "note" in fields:
        fields["metadata"] = {"note": fields.pop("note")}
    return fields


def _is_doubtful(answer: httpx.Response) -> bool:
    """Whether the answer leaves open what happened, or only says to come back."""
    in_progress = answer.status_code == 409 and answer.json()["code"] == "idempotency_in_progress"
    return answer.status_code >= 500 or in_progress


def _hit(result: dict[str, Any]) -> Hit:
    return Hit(
        item=UUID(result["item_id"]),
        title=result["title"],
        passages=tuple(one["text"] for one in [result["chunk"], *result["chunks"]]),
        stale=bool(result["stale"]),
        enriched=result["enriched"],
    )
