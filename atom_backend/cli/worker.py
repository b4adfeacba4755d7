"""``worker``: one process that brings LanceDB into step with PostgreSQL."""

from __future__ import annotations

import logging
import signal
from threading import Event, Thread

import click

from atom_backend.bootstrap import open_worker, prepare_vectors
from atom_backend.errors import DependencyError
from atom_backend.settings import Settings
from atom_backend.telemetry.logs import configure_logging
from atom_backend.workers.loop import Worker

logger = logging.getLogger(__name__)

_PAUSE = 2.0
"""Seconds between attempts to prepare LanceDB."""


@click.command()
@click.option("--prepare", is_flag=True, help="First make LanceDB's tables where they are missing.")
def command(prepare: bool) -> None:
    """Run one worker until SIGTERM or Ctrl-C; any number may run at once."""
    settings = Settings.from_environment()
    configure_logging(settings.log_level, settings.log_format)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if prepare:
        _prepare(settings, stop)
    with open_worker(settings) as worker:
        # On a thread of its own: a signal's handler may run in the midst of the very wait.
        Thread(target=_end_wait, args=(worker, stop), daemon=True).start()
        worker.run(stop)


def _prepare(settings: Settings, stop: Event) -> None:
    """Make what is missing of LanceDB, as soon as both stores answer."""
    while not stop.is_set():
        try:
            click.echo(prepare_vectors(settings))
            return
        except DependencyError as error:
            logger.warning("LanceDB is not prepared yet, trying again: %s", error.message)
        stop.wait(_PAUSE)


def _end_wait(worker: Worker, stop: Event) -> None:
    stop.wait()
    worker.end_wait()
