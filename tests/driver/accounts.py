"""The driver's users: one account at a time each, its tokens, and what its documents are called.

Invariant: every secret that was ever used is remembered, as a canary.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from uuid import UUID

import httpx

from tests.driver.recorder import Recorder
from tests.promises.history import Arrival, Farewell

_PATIENCE = 90.0
_PAUSE = 0.3
CREATED, OK, ACCEPTED, CONFLICT, UNAUTHORIZED = 201, 200, 202, 409, 401


@dataclass(frozen=True)
class Session:
    """Who asks: the account's name in the history, and its present tokens."""

    owner: str
    access_token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


class Account:
    """One user over time: when the account was deleted, the next one has the same address."""

    def __init__(self, user: str, url: str, recorder: Recorder, seed: int) -> None:
        self._user = user
        self._recorder = recorder
        self._generation = 0
        self._password = f"canary {user} {seed} of the coal mine"
        self._lock = threading.Lock()
        self._slots: dict[str, UUID] = {}
        self._http = httpx.Client(base_url=url, timeout=20)
        self.session = self._arrive()

    def close(self) -> None:
        self._http.close()

    def find(self, slot: str) -> UUID | None:
        """The item in a slot, if anybody was told of one."""
        return self._slots.get(slot)

    def keep(self, session: Session, slot: str, item: UUID) -> None:
        with self._lock:
            if session.owner == self.session.owner:
                self._slots[slot] = item

    def log_in(self) -> None:
        """A new session beside the others."""
        tokens = self._ask("POST", "/v1/auth/login", json=self._credentials)
        if tokens is not None and tokens.status_code == OK:
            self.session = self._with_tokens(self.session.owner, tokens)

    def refresh(self) -> None:
        """Exchange the refresh token; where the answer is lost, the token may be used up."""
        session = self.session
        body = {"refresh_token": session.refresh_token}
        try:
            tokens = self._http.post("/v1/auth/refresh", json=body)
        except httpx.TransportError:
            return self.log_in()
        self._recorder.answered(tokens)
        if tokens.status_code != OK:
            return self.log_in()
        self.session = self._with_tokens(session.owner, tokens)
        return None

    def leave(self, number: int) -> None:
        """Delete the account and come back with a new one, at the same address."""
        session, begun = self.session, time.monotonic()
        answer = self._ask(
            "DELETE",
            "/v1/users/me",
            json={"password": self._password},
            headers=session.headers,
        )
        # A lost answer, and then the token is not valid any more: it had happened.
        assert answer is not None
        assert answer.status_code in {OK, ACCEPTED, UNAUTHORIZED}, answer.text
        ended = time.monotonic()
        self._recorder.add(Farewell(number=number, owner=session.owner, begun=begun, ended=ended))
        self._generation += 1
        with self._lock:
            self._slots = {}
        self.session = self._arrive(number)

    @property
    def _credentials(self) -> dict[str, str]:
        return {"email": f"{self._user}@example.org", "password": self._password}

    def _arrive(self, number: int = 0) -> Session:
        begun = time.monotonic()
        tokens = self._ask("POST", "/v1/auth/register", json=self._credentials)
        assert tokens is not None
        if tokens.status_code == CONFLICT:  # the answer to an earlier attempt was lost
            tokens = self._ask("POST", "/v1/auth/login", json=self._credentials)
        assert tokens is not None
        assert tokens.status_code in {OK, CREATED}, tokens.text
        owner = f"{self._user}.{self._generation}"
        session = self._with_tokens(owner, tokens)
        me = self._ask("GET", "/v1/users/me", headers=session.headers)
        assert me is not None
        self._recorder.add(
            Arrival(
                number=number,
                owner=owner,
                begun=begun,
                ended=time.monotonic(),
                user_id=UUID(me.json()["id"]),
            )
        )
        return session

    def _with_tokens(self, owner: str, answer: httpx.Response) -> Session:
        given = answer.json()
        session = Session(owner, given["access_token"], given["refresh_token"])
        self._recorder.canaries |= {
            f"the password of {self._user}": self._password,
            f"access token {len(self._recorder.canaries)}": session.access_token,
            f"refresh token {len(self._recorder.canaries) + 1}": session.refresh_token,
        }
        return session

    def _ask(self, method: str, path: str, **request: object) -> httpx.Response | None:
        """The first answer that says more than that something is down just now."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = self._http.request(method, path, **request)  # type: ignore[arg-type]
            except httpx.TransportError:
                time.sleep(_PAUSE)
                continue
            self._recorder.answered(answer)
            if answer.status_code < 500:
                return answer
            time.sleep(_PAUSE)
        return None
