"""A network between the service and PostgreSQL that fails on demand.

It listens on TCP and passes everything on to the server's unix socket. Invariant: what it was told
holds for every connection, also for those that were open before, from the moment that the call
returns.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy.engine import make_url

T = TypeVar("T")

_COMMIT = b"COMMIT\0"
_PREPARE = re.compile(rb"^Q....prepare (\w+) as (.*)", re.DOTALL)
_EXECUTE = re.compile(rb"^Q....execute (\w+)", re.DOTALL)
_AT_ONCE = 1 << 16
_PATIENCE = 20.0


class Moment(Enum):
    """What happens to a connection that has a statement to carry."""

    BEFORE = auto()
    """It breaks; the server never hears of the statement."""
    AFTER = auto()
    """It breaks once the server has carried the statement out; the answer is lost."""
    STALL = auto()
    """It keeps the statement back, and from then on the whole network is as after ``stall``."""


@dataclass
class Cut:
    """What is to happen to one connection, at a statement or at its transaction's commit."""

    words: bytes
    moment: Moment
    at_commit: bool
    happened: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        assert self.happened.wait(_PATIENCE), f"nobody sent {self.words!r}"


@dataclass(eq=False)
class _Wire:
    """One client's connection and the one that was made for it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    commits: Cut | None = None
    """This wire's transaction is the one to break at its commit."""
    answers: Cut | None = None
    """This wire breaks as soon as the server has answered."""
    prepared: dict[bytes, bytes] = field(default_factory=dict)
    has_lost: bool = False
    """Nobody can make sense any more of what would come next on this wire."""

    def meant(self, said: bytes) -> bytes:
        """What the server is to do: of a prepared statement, the text that it was prepared with."""
        if prepares := _PREPARE.search(said):
            self.prepared[prepares[1]] = prepares[2]
            return b""
        executes = _EXECUTE.search(said)
        return self.prepared[executes[1]] if executes else said

    def close(self) -> None:
        for end in (self.client, self.server):
            if end is not None:
                end.transport.abort()


class Proxy:
    """Passes everything on until it is told otherwise; ``close`` ends it."""

    def __init__(self, upstream: Path) -> None:
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._listener: asyncio.Server | None = None
        self._wires: set[_Wire] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._deaf = False
        self._cut: Cut | None = None
        self.port = 0
        self._run(self._listen())

    def url(self, behind: str) -> str:
        """The same URL of the server behind this, by way of this."""
        reached = make_url(behind).set(host="127.0.0.1", port=self.port, query={})
        return reached.render_as_string(hide_password=False)

    def refuse(self) -> None:
        """Break every connection, and let nobody connect."""
        self._run(self._refuse())

    def stall(self) -> None:
        """Let connections be made and keep back what is said on them, in both directions."""
        self._run(self._set(flows=False, deaf=False))

    def deafen(self) -> None:
        """Let connections be made and lose what is said on them."""
        self._run(self._set(flows=True, deaf=True))

    def heal(self) -> None:
        """Pass everything on again, first of all what was kept back.

        Connections on which something was lost are broken, as a network that comes up again does.
        """
        self._run(self._heal())

    def cut_at(self, words: str, moment: Moment, *, at_commit: bool = False) -> Cut:
        """Do this to the next connection that sends a statement with these words, once.

        ``at_commit``: not at the statement, but where its transaction is committed.
        """
        cut = Cut(words.encode(), moment, at_commit)
        self._run(self._arm(cut))
        return cut

    def close(self) -> None:
        self._run(self._set(flows=True, deaf=True))
        self._run(self._refuse())
        self._run(_until_all_have_ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, step: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(step, self._loop).result(_PATIENCE)

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for wire in list(self._wires):
            wire.close()

    async def _heal(self) -> None:
        await self._set(flows=True, deaf=False)
        for wire in list(self._wires):
            if wire.has_lost:
                wire.close()
        if self._listener is None:
            await self._listen()

    async def _set(self, *, flows: bool, deaf: bool) -> None:
        self._deaf = deaf
        (self._flows.set if flows else self._flows.clear)()

    async def _arm(self, cut: Cut) -> None:
        self._cut = cut

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = _Wire(writer)
        self._wires.add(wire)
        try:
            await self._flows.wait()
            answers, wire.server = await asyncio.open_unix_connection(str(self._upstream))
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump_questions(wire, reader))
                pumps.create_task(self._pump_answers(wire, answers))
        except* OSError:
            pass  # one of the ends is gone, and so will the other be
        finally:
            wire.close()
            self._wires.discard(wire)

    async def _pump_questions(self, wire: _Wire, reader: asyncio.StreamReader) -> None:
        assert wire.server is not None
        while said := await reader.read(_AT_ONCE):
            await self._flows.wait()
            if self._deaf:
                wire.has_lost = True
                continue
            if cut := self._due_cut(wire, said):
                match cut.moment:
                    case Moment.BEFORE:
                        wire.close()
                        cut.happened.set()
                        return
                    case Moment.AFTER:
                        wire.answers = cut
                    case Moment.STALL:
                        self._flows.clear()
                        cut.happened.set()
                        await self._flows.wait()
            wire.server.write(said)
            await wire.server.drain()
        wire.close()

    def _due_cut(self, wire: _Wire, said: bytes) -> Cut | None:
        said = wire.meant(said)
        if self._cut is not None and self._cut.words in said:
            cut, self._cut = self._cut, None
            if not cut.at_commit:
                return cut
            wire.commits = cut
        if _COMMIT in said:
            cut_here, wire.commits = wire.commits, None
            return cut_here
        return None

    async def _pump_answers(self, wire: _Wire, reader: asyncio.StreamReader) -> None:
        while said := await reader.read(_AT_ONCE):
            await self._flows.wait()
            if wire.answers is not None:
                wire.close()
                wire.answers.happened.set()
                return
            if not self._deaf:
                wire.client.write(said)
                await wire.client.drain()
        wire.close()


async def _until_all_have_ended() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*tasks, return_exceptions=True)
