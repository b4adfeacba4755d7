"""The clients: they carry out operations over HTTP and note what they were told.

An operation that gets no answer is repeated if it is a persistent one, as a good client would: it
carries an idempotency key, or does the same thing when done twice. Invariant: whatever is noted
as acknowledged or refused was said by an answer; everything else is noted as unknown.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote
from uuid import UUID

from tests.driver.accounts import Account, Session
from tests.driver.asking import Asking
from tests.driver.noting import Notes, lines_told
from tests.driver.recorder import Recorder
from tests.driver.steps import Operation
from tests.promises.history import Outcome

_PAGES = 3


class Client:
    """One client of one account; used by one thread."""

    def __init__(self, account: Account, url: str, recorder: Recorder) -> None:
        self._account = account
        self._recorder = recorder
        self._asking = Asking(url, recorder)
        self._notes = Notes(account, recorder)

    def close(self) -> None:
        self._asking.close()

    def perform(self, operation: Operation) -> None:
        """Carry out an operation of any kind."""
        getattr(self, f"_{operation.kind}")(operation, self._account.session)

    def _create(self, operation: Operation, session: Session) -> None:
        body = _content(operation)
        headers = {"Idempotency-Key": f'"{operation.slot}"'}
        attempts = self._asking.send(
            operation, session, "POST", "/v1/documents", body=body, headers=headers
        )
        self._notes.write(operation, session, attempts)

    def _put(self, operation: Operation, session: Session) -> None:
        body = _content(operation)
        path = f"/v1/documents/by-external-id/{quote(body.pop('external_id'), safe='')}"
        attempts = self._asking.send(operation, session, "PUT", path, body=body)
        self._notes.write(operation, session, attempts)

    def _patch(self, operation: Operation, session: Session) -> None:
        item = self._account.find(operation.slot)
        if item is None:
            return self._recorder.count("skipped")
        seen = self._revision(session, item) if operation.conditional else None
        headers = {"If-Match": f'"{seen}"'} if seen else {}
        body = _content(operation)
        body.pop("external_id", None)
        attempts = self._asking.send(
            operation, session, "PATCH", f"/v1/documents/{item}", body=body, headers=headers
        )
        return self._notes.write(operation, session, attempts, item, based_on=seen)

    def _revision(self, session: Session, item: UUID) -> int | None:
        answer = self._asking.once(session, "GET", f"/v1/documents/{item}")
        return answer.json()["revision"] if answer is not None and answer.is_success else None

    def _delete(self, operation: Operation, session: Session) -> None:
        item = self._account.find(operation.slot)
        if item is None:
            return self._recorder.count("skipped")
        attempts = self._asking.send(operation, session, "DELETE", f"/v1/documents/{item}")
        return self._notes.removal(operation, session, attempts, item)

    def _batch(self, operation: Operation, session: Session) -> None:
        """Sent again only if every line has a name, and so does no harm a second time."""
        lines = [json.dumps(_content(line)) + "\n" for line in operation.lines]
        attempts = self._asking.send(
            operation,
            session,
            "POST",
            "/v1/documents/batch",
            body="".join(lines),
            headers={"Content-Type": "application/x-ndjson"},
            repeat=all(line.named for line in operation.lines),
        )
        told = lines_told(attempts.answer)
        for number, line in enumerate(operation.lines, start=1):
            self._notes.line(line, session, attempts, told.get(number))

    def _search(self, operation: Operation, session: Session) -> None:
        body = {"query": operation.query, "mode": operation.mode}
        for page in range(_PAGES):
            attempts = self._asking.send(
                operation, session, "POST", "/v1/search", body=body, repeat=False
            )
            if attempts.outcome is not Outcome.ACKNOWLEDGED:
                return
            self._notes.search(operation, session, attempts, first_page=page == 0)
            cursor = attempts.said["next_cursor"]
            if cursor is None:
                return
            body["cursor"] = cursor

    def _similar(self, operation: Operation, session: Session) -> None:
        item = self._account.find(operation.slot)
        if item is None:
            return self._recorder.count("skipped")
        path = f"/v1/items/{item}/similar"
        attempts = self._asking.send(operation, session, "GET", path, repeat=False)
        if attempts.missing:
            self._notes.absence(operation, session, attempts, item)
        elif attempts.outcome is Outcome.ACKNOWLEDGED:
            self._notes.similar(operation, session, attempts)
        return None

    def _read(self, operation: Operation, session: Session) -> None:
        item = self._account.find(operation.slot)
        if item is None:
            return self._recorder.count("skipped")
        path = f"/v1/documents/{item}{'/text' if operation.mode == 'text' else ''}"
        attempts = self._asking.send(operation, session, "GET", path)
        if attempts.missing:
            self._notes.absence(operation, session, attempts, item)
        elif attempts.outcome is Outcome.ACKNOWLEDGED:
            self._notes.reading(operation, session, attempts, attempts.said)
        return None

    def _list(self, operation: Operation, session: Session) -> None:
        attempts = self._asking.send(operation, session, "GET", "/v1/documents?limit=50")
        if attempts.outcome is Outcome.ACKNOWLEDGED:
            for document in attempts.said["items"]:
                self._notes.reading(operation, session, attempts, document)

    def _login(self, _: Operation, __: Session) -> None:
        self._account.log_in()

    def _refresh(self, _: Operation, __: Session) -> None:
        self._account.refresh()

    def _leave(self, operation: Operation, _: Session) -> None:
        self._account.leave(operation.number)


def _content(operation: Operation) -> dict[str, Any]:
    """What an operation writes, as the API names it."""
    content: dict[str, Any] = dict(operation.fields)
    if "note" in content:
        content["metadata"] = {"note": content.pop("note")}
    if operation.named:
        content["external_id"] = operation.slot
    return content
