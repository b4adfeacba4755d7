"""What the processes of these tests run: the service's own wiring, over ports that can strike.

A worker is opened as ``bootstrap`` opens it, except that its ports announce their effects, that
its model is a small deterministic one, and that it logs into the test's file. Nothing is opened on
import, because processes are forked from one that has imported this.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from random import Random
from threading import Event, Thread, Timer

from flask import Flask
from werkzeug.serving import make_server

from atom_backend.app import create_app
from atom_backend.bootstrap import Runtime
from atom_backend.converging import assemble_worker
from atom_backend.extraction.extractor import SubprocessExtractor
from atom_backend.relational.engine import create_engine
from atom_backend.relational.transactions import PostgresTransactions, TimeLimits
from atom_backend.relational.wakeup import PostgresWakeup
from atom_backend.serving import assemble_services, importing_of, open_providers, readers_of
from atom_backend.settings import Settings
from atom_backend.stores import Stores
from tests.deterministic import BagOfWords, ParagraphChunker
from tests.faults.effects.processes import Failure, Place, Strike
from tests.faults.effects.users import SIGNING_KEY
from tests.stores import open_generations, open_store
from tests.watching import Announce, Moment, watched_transactions, watched_vectors

Strikes = Sequence[Strike | Failure]

_PR_SET_PDEATHSIG = 1
_LIMITS = TimeLimits(idle=2.0)
"""A process that is stopped within a transaction is given up so soon."""


class Striking:
    """Announced to, it does what is to happen at each moment, once."""

    def __init__(self, strikes: Strikes) -> None:
        self._to_come = list(strikes)
        self.begun = Event()

    def __call__(self, moment: Moment) -> None:
        for strike in self._to_come:
            if strike.moment == moment:
                self._to_come.remove(strike)
                self._happen(strike)
                return

    def _happen(self, strike: Strike | Failure) -> None:
        if isinstance(strike, Failure):
            raise strike.error
        self.begun.set()
        if strike.delay:
            timer = Timer(strike.delay, _hit, [strike])
            # Not even a process that is done by then may end unhit, so its end waits for the timer.
            timer.daemon = False
            timer.start()
        else:
            _hit(strike)


class Dawdling:
    """Announced to, it takes a little time, more or less of it as the seed says."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)

    def __call__(self, moment: Moment) -> None:
        if moment[0] == "after":
            time.sleep(self._chance.choice([0.0, 0.0, 0.05]))


def _hit(strike: Strike) -> None:
    os.kill(os.getpid(), strike.signal)


def work(place: Place, strikes: Strikes = (), batch: int = 32) -> None:
    """A worker until SIGTERM; one that was struck and lives on ends after that turn."""
    striking, stop = Striking(strikes), Event()
    _when(striking.begun, stop.set)
    _run_worker(place, striking, stop, batch)


def dawdle(place: Place, seed: int, batch: int) -> None:
    """A worker until SIGTERM that now and then is slow."""
    _run_worker(place, Dawdling(seed), Event(), batch)


def _run_worker(place: Place, announce: Announce, stop: Event, batch: int) -> None:
    _become_process(place)
    settings = _settings(place, ATOM_RELAY_BATCH=str(batch))
    with _stores(place, announce) as stores, closing(PostgresWakeup(place.database)) as wakeup:
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        worker = assemble_worker(settings, stores, wakeup)
        _when(stop, worker.end_wait)
        worker.run(stop)


def serve(place: Place, strikes: Strikes, port: int) -> None:
    """A web process for ever."""
    _become_process(place)
    with application(place, Striking(strikes)) as app:
        make_server("127.0.0.1", port, app, threaded=True).serve_forever()


@contextmanager
def application(place: Place, announce: Announce) -> Iterator[Flask]:
    """The web application as ``bootstrap`` and ``app`` make it, on watched ports."""
    settings = _settings(place)
    with _stores(place, announce) as stores, closing(SubprocessExtractor()) as extractor:
        services = assemble_services(
            settings, stores, readers_of(extractor), open_providers(settings)
        )
        with closing(services.health):
            yield create_app(Runtime(services, importing_of(services), settings))


@contextmanager
def _stores(place: Place, announce: Announce) -> Iterator[Stores]:
    """As ``bootstrap`` opens them, watched."""
    engine = create_engine(place.database)
    with (
        closing(open_store(place.lance)) as vectors,
        closing(open_generations(place.lance)) as generations,
    ):
        yield Stores(
            watched_transactions(PostgresTransactions(engine, limits=_LIMITS), announce),
            watched_vectors(vectors, announce),
            BagOfWords(),
            ParagraphChunker(),
            generations,
            place.database,
        )
    engine.dispose()


def _when(event: Event, act: Callable[[], None]) -> None:
    """Act on a thread of its own when the event is set."""

    def wait_and_act() -> None:
        event.wait()
        act()

    Thread(target=wait_and_act, daemon=True).start()


def _become_process(place: Place) -> None:
    """What concerns a process of ours and not its parent: how it ends, and where it logs."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # LanceDB warns of what it may have been doing while forked: it was imported, and nothing more.
    warnings.filterwarnings("ignore", "lancedb fork support", RuntimeWarning)
    logging.basicConfig(
        filename=place.log,
        level=logging.INFO,
        format="%(process)d %(levelname)s %(name)s: %(message)s",
    )


def _settings(place: Place, **more: str) -> Settings:
    return Settings.from_environment(
        {
            "DATABASE_URL": place.database,
            "ATOM_SIGNING_KEY": SIGNING_KEY,
            "LANCEDB_URI": str(place.lance),
            **more,
        }
    )
