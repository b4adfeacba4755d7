"""``serve``: the whole service on one machine, supervised.

    serve --- embedded PostgreSQL (unless DATABASE_URL names another)
          --- its schema
          --- worker, which makes LanceDB's tables first where they are missing
          --- web process (gunicorn, wsgi.py)

Ctrl-C or SIGTERM stops all of it; killing any part of it leaves nothing that blocks a next start.
Where PostgreSQL does not answer at the start, the web process says so to its callers, and the rest
follows when it does.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import urllib.request
from pathlib import Path
from threading import Event

import click

from atom_backend.cli.supervision import Child, stop_all
from atom_backend.errors import ConfigurationError, DatabaseUnavailable
from atom_backend.foundation import Foundation, lay_foundation, registered_providers
from atom_backend.settings import PROJECT, Settings
from atom_backend.telemetry.logs import configure_logging

logger = logging.getLogger(__name__)

_LOOK_EVERY = 0.5
_STOP_WITHIN = 15.0


@click.command()
@click.option("--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65_535), help="The port.  [default: 8765]")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is kept.  [default: .atom and lancedb_data in the project]",
)
def command(host: str | None, port: int | None, data_dir: Path | None) -> None:
    """Run the whole service until Ctrl-C: PostgreSQL, the web process and a worker."""
    given = {
        "ATOM_HOST": host,
        "ATOM_PORT": str(port) if port else None,
        "ATOM_DATA_DIR": str(data_dir.absolute()) if data_dir else None,
    }
    os.environ.update({name: value for name, value in given.items() if value})
    settings = Settings.from_environment()
    configure_logging(settings.log_level, settings.log_format)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    _require_free_port(settings)
    registered_providers(settings)
    click.echo("Starting ...")
    with lay_foundation(settings) as foundation:
        _supervise(settings, foundation, stop)
    click.echo("Stopped.")


def _supervise(settings: Settings, foundation: Foundation, stop: Event) -> None:
    schema = _Schema(foundation)
    web = Child("web", _command("gunicorn", *_listening(settings), "wsgi:app"), _environment())
    worker = Child("worker", _command("atom_backend", "worker", "--prepare"), _environment())
    announced = False
    try:
        while not stop.is_set():
            foundation.keep_running()
            migrated = schema.migrated()
            web.keep_running()
            if migrated:
                worker.keep_running()
            if not announced and _healthy(settings):
                announced = True
                click.echo(_welcome(_url(settings)))
            stop.wait(_LOOK_EVERY if announced else _LOOK_EVERY / 5)
    finally:
        click.echo("Stopping ...")
        stop_all([web, worker], _STOP_WITHIN)


class _Schema:
    """The migration, which is tried until PostgreSQL answers."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._done = False
        self._said = ""

    def migrated(self) -> bool:
        if not self._done:
            try:
                click.echo(self._foundation.migrate())
                self._done = True
            except DatabaseUnavailable as error:
                if error.message != self._said:
                    logger.warning("not migrated yet, trying again: %s", error.message)
                self._said = error.message
        return self._done


def _command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _environment() -> dict[str, str]:
    """Ours, such that the package is found from any folder."""
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _listening(settings: Settings) -> list[str]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return ["--config", str(PROJECT / "gunicorn.conf.py"), "--bind", f"{host}:{settings.port}"]


def _require_free_port(settings: Settings) -> None:
    """Raises ConfigurationError when nobody could listen there, before anything is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Choose another with --host and --port."
        ) from None


def _healthy(settings: Settings) -> bool:
    """Whether everything can be stored and found; the vault of tokens may lack its key."""
    try:
        with urllib.request.urlopen(f"{_url(settings)}/healthz", timeout=5) as answer:
            said = json.load(answer)
            return {*said["database"].values(), said["embedder"]} == {"healthy"}
    except (OSError, ValueError):
        return False


def _url(settings: Settings) -> str:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
    host = everywhere.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host and '[' not in host else host}:{settings.port}"


def _welcome(url: str) -> str:
    return f"""
Atom Backend listens on {url}   (API: {url}/docs, health: {url}/healthz)

Make an account:
  curl -s {url}/v1/auth/register -H 'Content-Type: application/json' \\
    -d '{{"email": "me@example.com", "password": "correct horse battery"}}'

Then store and find something, with the access_token from the answer as $TOKEN:
  curl -s {url}/v1/documents -H "Authorization: Bearer $TOKEN" -H 'Prefer: wait=5' \\
    -H 'Content-Type: application/json' -d '{{"title": "Tea", "text": "Green tea wants 80 C."}}'
  curl -s "{url}/v1/search?q=hot+drink" -H "Authorization: Bearer $TOKEN"

Ctrl-C stops everything.
"""
