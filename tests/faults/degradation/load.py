"""A steady load of searches and writes, and a ledger of what came of it.

Request n is sent at its own time, however long others take (an open loop), and does what its number
says: half of them search for words that were there from the beginning; the others create, change
and delete, each document at most once of each. So what every document must be in the end follows
from the answers alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition, Event, Thread
from typing import Any

import httpx

from tests.faults.degradation.caller import Caller, items

RATE = 20.0
"""Requests a second."""

_THREADS = 48
_ROUND = 20
_WRITES = {17: "change", 18: "change", 19: "delete"}
_BACK = 47
"""A change or deletion is of the document that was created so many requests ago."""

FIXED = 10
"""Documents that are there from the beginning, each with a word of its own."""


@dataclass
class Ledger:
    """Answers by request number. Only ``unexpected`` ones of searches are kept."""

    created: dict[int, httpx.Response] = field(default_factory=dict)
    changed: dict[int, httpx.Response] = field(default_factory=dict)
    deleted: dict[int, httpx.Response] = field(default_factory=dict)
    searches: dict[tuple[str, ...], int] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)


class Load:
    """``sent`` requests have been answered; ``wait`` until there are more."""

    def __init__(self, caller: Caller) -> None:
        self.ledger = Ledger()
        self._caller = caller
        self._fixed = [
            caller.write(f"The {word(-n)} is always there.") for n in range(1, FIXED + 1)
        ]
        self._answered = 0
        self._more = Condition()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Under load until the context ends and all that was sent is answered."""
        stop = Event()
        with ThreadPoolExecutor(_THREADS) as pool:
            pending: list[Future[None]] = []
            clock = Thread(target=self._tick, args=(pool, stop, pending))
            clock.start()
            try:
                yield
            finally:
                stop.set()
                clock.join()
        for one in pending:
            one.result()

    def wait(self, seconds: float) -> None:
        """Until so many seconds' worth of requests have been answered."""
        with self._more:
            enough = self._answered + seconds * RATE
            patience = 60 + 3 * seconds
            assert self._more.wait_for(lambda: self._answered >= enough, patience)

    def create(self, number: int) -> httpx.Response:
        """Also sent again by the same number it is the same request, by its idempotency key."""
        body = {"title": f"Entry {number}", "text": f"The {word(number)} was seen."}
        headers = {"Idempotency-Key": f'"{number}"'}
        return self._caller.http.post("/v1/documents", json=body, headers=headers)

    def _tick(self, pool: ThreadPoolExecutor, stop: Event, pending: list[Future[None]]) -> None:
        begun = time.monotonic()
        while not stop.wait(max(0.0, begun + len(pending) / RATE - time.monotonic())):
            pending.append(pool.submit(self._send, len(pending)))

    def _send(self, number: int) -> None:
        place = number % _ROUND
        if place < _ROUND // 2:
            self._search(number)
        elif place in _WRITES:
            self._write(_WRITES[place], number - _BACK)
        else:
            self.ledger.created[number] = self.create(number)
        with self._more:
            self._answered += 1
            self._more.notify_all()

    def _search(self, number: int) -> None:
        wanted = number % len(self._fixed)
        mode = ("hybrid", "text", "vector")[number % 3]
        answer = self._caller.search(query=word(-wanted - 1), mode=mode, limit=20)
        if answer.status_code != httpx.codes.OK:
            self.ledger.unexpected.append(f"{answer.status_code} {answer.text}")
            return
        found = answer.json()
        reasons = tuple(found["degraded"])
        self.ledger.searches[reasons] = self.ledger.searches.get(reasons, 0) + 1
        # By meaning alone, words that are not words are near to anything.
        missing = not items(found) if mode == "vector" else self._fixed[wanted] not in items(found)
        if missing:
            self.ledger.unexpected.append(f"{mode} did not find {word(-wanted - 1)}: {found}")

    def _write(self, how: str, number: int) -> None:
        created = self.ledger.created.get(number)
        if created is None or not created.is_success:
            return
        place = f"/v1/documents/{created.json()['id']}"
        if how == "delete":
            self.ledger.deleted[number] = self._caller.http.delete(place)
        else:
            body: dict[str, Any] = {"text": f"The {word(number)} was seen again."}
            self.ledger.changed[number] = self._caller.http.patch(place, json=body)


def word(number: int) -> str:
    """A word that no other text has, without digits, which tokenizers cut apart."""
    letters = "bcdfghjklm"
    sign = "old" if number < 0 else "new"
    return sign + "".join(f"{letters[int(digit)]}a" for digit in f"{abs(number):05d}")
