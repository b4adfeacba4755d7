"""The API document and a page that shows it, without anything from another host.

Invariant: the page runs under a Content-Security-Policy that lets scripts come from this service
only; so its few lines of script stand in a file of their own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from flask import Flask, Response, abort, send_from_directory

from atom_backend.http.contract import JSON, Routes
from atom_backend.http.openapi import document

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_ASSETS = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Atom Backend API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
_START = """\
window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
"""


def install(app: Flask, groups: Sequence[Routes], version: str) -> None:
    """Serve ``/``, ``/openapi.json`` and ``/docs`` for these routes."""
    described = json.dumps(document(groups, version), ensure_ascii=False)
    links = {"documentation": "docs", "openapi": "openapi.json", "health": "healthz"}
    about = json.dumps({"name": "Atom Backend", "version": version, "links": links})
    folder = Path(str(files("flask_swagger_ui") / "dist"))

    def index() -> Response:
        return Response(about, content_type=JSON)

    def openapi() -> Response:
        return _public(Response(described, content_type=JSON))

    def page() -> Response:
        return _page(_PAGE, "text/html; charset=utf-8")

    def start() -> Response:
        return _page(_START, "text/javascript; charset=utf-8")

    def asset(name: str) -> Response:
        if name not in _ASSETS:
            abort(404)
        return _public(send_from_directory(folder, name))

    for path, view in (
        ("/", index),
        ("/openapi.json", openapi),
        ("/docs", page),
        ("/docs/start.js", start),
        ("/docs/<name>", asset),
    ):
        app.add_url_rule(path, view_func=view, methods=["GET"])


def _page(body: str, content_type: str) -> Response:
    response = Response(body, content_type=content_type)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    return _public(response)


def _public(response: Response) -> Response:
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
