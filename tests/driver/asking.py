"""Requests of one client, repeated as long as a good client would.

Invariant: whatever is called acknowledged or refused was said by an answer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.driver.accounts import Session
from tests.driver.recorder import Recorder
from tests.driver.steps import Operation
from tests.promises.history import Outcome

_TIMEOUT = 20.0
_PERSISTENT_FOR = 30.0
_PAUSE = 0.3
_NOT_FOUND, _CONFLICT = 404, 409


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
    def said(self) -> Any:
        """The JSON of the answer, of which there is one."""
        assert self.answer is not None
        return self.answer.json()

    @property
    def missing(self) -> bool:
        return self.answer is not None and self.answer.status_code == _NOT_FOUND


class Asking:
    """One connection; used by one thread."""

    def __init__(self, url: str, recorder: Recorder) -> None:
        self._recorder = recorder
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT)

    def close(self) -> None:
        self._http.close()

    def send(
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
            answer = self.once(session, method, path, body, more)
            if answer is not None and not _is_doubtful(answer):
                return Attempts(begun, time.monotonic(), answer, doubts)
            doubts += 1
            late = time.monotonic() - begun > _PERSISTENT_FOR
            if late or not (operation.persistent and repeat):
                return Attempts(begun, time.monotonic(), None, doubts)
            time.sleep(_PAUSE)

    def once(
        self,
        session: Session,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response | None:
        """One request; None where no answer came."""
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


def _is_doubtful(answer: httpx.Response) -> bool:
    """Whether the answer leaves open what happened, or only says to come back."""
    in_progress = (
        answer.status_code == _CONFLICT and answer.json()["code"] == "idempotency_in_progress"
    )
    return answer.status_code >= 500 or in_progress
