"""What answers tell browsers: how to treat a body, and which sites may read it (CORS).

Invariants: every answer carries the headers, also one that is a problem; an origin that is not
configured gets no CORS header at all, and credentials are never allowed: a caller proves itself by
its bearer token, never by a cookie.
"""

from __future__ import annotations

from flask import Flask, Response, request

from atom_backend.http.exposure import Exposure

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer that does not say otherwise."""

TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}
"""RFC 6797: a year. Other names of the same domain may belong to others, so it is not for them."""

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_ASKED = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, X-Request-Id"
)
_EXPOSED = (
    "Content-Disposition, ETag, Idempotency-Replayed, Link, Location, Preference-Applied, "
    "RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id"
)
_PREFLIGHT_SECONDS = "600"


def install(app: Flask, exposure: Exposure) -> None:
    """Add the headers to every answer, and answer the preflight requests of allowed origins."""
    origins = exposure.origins
    always = HEADERS | (TRANSPORT if exposure.by_https else {})

    def preflight() -> Response | None:
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        response = Response(status=204)
        del response.headers["Content-Type"]
        if _allowed(origins):
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Allow-Headers"] = _ASKED
            response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
        return response

    def finish(response: Response) -> Response:
        for name, value in always.items():
            response.headers.setdefault(name, value)
        if origins:
            response.vary.add("Origin")
        if _allowed(origins):
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        return response

    app.before_request(preflight)
    app.after_request(finish)


def _allowed(origins: frozenset[str]) -> bool:
    """Compared byte by byte (Fetch, section 3.2.3). ``null`` is nobody's: any page can have it."""
    origin = request.headers.get("Origin")
    if origin is None or origin == "null":
        return False
    return origin in origins or "*" in origins
