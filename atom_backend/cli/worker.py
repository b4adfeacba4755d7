"""``worker``: one process that brings LanceDB into step with PostgreSQL."""

from __future__ import annotations

import signal
from threading import Event

import click

from atom_backend.bootstrap import open_worker
from atom_backend.settings import Settings
from atom_backend.telemetry.logs import configure_logging


@click.command()
def command() -> None:
    """Run one worker until SIGTERM or Ctrl-C; any number may run at once."""
    settings = Settings.from_environment()
    configure_logging(settings.log_level, settings.log_format)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with open_worker(settings) as worker:
        worker.run(stop)
