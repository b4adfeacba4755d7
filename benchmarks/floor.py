"""What the parts cost without a service: gunicorn, Flask and psycopg2, and a handful of lines.

It answers the questions of ``records`` from the same rows by the same bare SQL: under the role and
the owner of a request, in one transaction, as JSON. No sign-in, no checks, no ETags, no log, no
deadlines. What the service takes beyond this is its own; what this takes beyond SQL is the stack's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any
from uuid import UUID

import psycopg2
from flask import Flask, Response, request

from benchmarks.bare_records import BareRecords
from benchmarks.service import PROJECT, await_ready, free_port, stop

_DSN, _OWNER = "FLOOR_DSN", "FLOOR_OWNER"
_BEGIN = "select set_config('role', 'atom_app', true), set_config('atom.owner_id', %s, true)"

_here = local()


def create_app() -> Flask:
    """One owner's tasks, all that there is to them."""
    app = Flask(__name__)

    @app.get("/readyz")
    def ready() -> Response:
        return Response(status=204)

    @app.get("/v1/tasks")
    def listed() -> Response:
        with _transaction() as tasks:
            return _json({"items": tasks.listed(int(request.args["limit"]))})

    @app.get("/v1/tasks/<item_id>")
    def read(item_id: str) -> Response:
        with _transaction() as tasks:
            return _json(tasks.read(item_id))

    @app.post("/v1/tasks")
    def create() -> Response:
        with _transaction() as tasks:
            tasks.create(request.get_json()["title"])
        return _json({}, 201)

    return app


@contextmanager
def running_floor(dsn: str, owner: UUID) -> Iterator[str]:
    """The address of this application, under the gunicorn of the service."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
    command += ["--bind", f"127.0.0.1:{port}", "benchmarks.floor:create_app()"]
    environment = {**os.environ, _DSN: dsn, _OWNER: str(owner)}
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        await_ready(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


@contextmanager
def _transaction() -> Iterator[BareRecords]:
    """One connection a thread, which needs no pool."""
    if not hasattr(_here, "postgres"):
        _here.postgres = psycopg2.connect(os.environ[_DSN])
    with _here.postgres, _here.postgres.cursor() as cursor:
        cursor.execute(_BEGIN, (os.environ[_OWNER],))
        yield BareRecords(cursor, os.environ[_OWNER])


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, default=str), status, mimetype="application/json")
