"""Every request gets a name, a line in the log and a place in the metrics.

Invariant: log and metrics name the route's template, never the path, query or body, which hold
what users wrote. An answer is observed when its last byte has left, which no caller waits for.
"""

from __future__ import annotations

import logging
import re
import time
from functools import cache

from flask import Flask, Response, g, request

from atom_backend.clock import new_id
from atom_backend.http.client_address import TrustedProxies
from atom_backend.telemetry.context import bind_request_id, current_request_id
from atom_backend.telemetry.metrics import Metrics

logger = logging.getLogger("atom_backend.access")

_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RULE_PARAMETER = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNMATCHED = "unmatched"
_PROBES = frozenset({"/healthz", "/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: their lines would hide the others."""


def install(app: Flask, metrics: Metrics, proxies: TrustedProxies) -> None:
    """Observe every request of the application; ``proxies`` tell where one came from."""

    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        name = given if _SANE.fullmatch(given) else new_id().hex
        said = request.headers.get(proxies.header)
        bind_request_id(name, proxies.address_of(request.remote_addr, said))
        g.begun = time.perf_counter()

    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = current_request_id() or ""
        method = request.method if request.method in _METHODS else "other"
        route = _template(request.url_rule.rule) if request.url_rule else _UNMATCHED
        begun = g.begun

        def observe() -> None:
            seconds = time.perf_counter() - begun
            metrics.request_answered(method, route, response.status_code, seconds)
            logger.log(
                logging.DEBUG if route in _PROBES else logging.INFO,
                "%s %s %d",
                method,
                route,
                response.status_code,
                extra={"milliseconds": round(seconds * 1000, 1)},
            )

        response.call_on_close(observe)
        return response

    app.before_request(begin)
    app.after_request(end)


@cache
def _template(rule: str) -> str:
    return _RULE_PARAMETER.sub(r"{\1}", rule)
