"""How gunicorn runs the service: one process, sixteen threads.

One process, because the stores must be opened after the fork and the metrics are those of one
process; more machines, or more processes on other ports, are what scales it. A slow client holds
a thread while it sends, for half a minute and a second for each kilobyte at most: put a proxy that
buffers requests in front of it where strangers connect.
"""

from __future__ import annotations

import sys
from typing import Any

bind = "127.0.0.1:8765"
worker_class = "atom_backend.http.serving.DiscreetWorker"
workers = 1
threads = 16
preload_app = False
control_socket_disable = True

timeout = 120
"""Seconds without a sign of life from the process; opening the stores on a slow disk counts."""
graceful_timeout = 12
"""Seconds for requests under way when it is told to stop; the supervisor waits 15."""
keepalive = 30
limit_request_line = 8190
"""Bytes, the most that gunicorn allows: a question of 4,000 letters fits into a GET."""

accesslog = None
"""The service writes its own access log, which names no path and no query."""


def worker_exit(server: Any, worker: Any) -> None:
    """Close the stores when the process stops; a crash leaves nothing that needs closing."""
    opened = sys.modules.get("wsgi")
    if opened is not None:
        opened.runtime.close()
