"""Successful answers.

Invariant: an answer to one resource carries its revision as the ETag (RFC 9110, section 8.8.3).
"""

from __future__ import annotations

from flask import Response
from pydantic import BaseModel

from atom_backend.http.contract import JSON, Call
from atom_backend.http.request_headers import IF_NONE_MATCH, etag


def json_reply(model: BaseModel, status: int = 200, **headers: str) -> Response:
    """A JSON body; underscores in header names stand for hyphens."""
    response = Response(model.model_dump_json(), status=status, content_type=JSON)
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def no_content() -> Response:
    """204, for what is done and has nothing to say."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def not_modified(call: Call[None, None], revision: int) -> Response | None:
    """304 when the caller already holds this revision, else ``None``."""
    held = call.header(IF_NONE_MATCH)
    if held is None or not held.matches(etag(revision)):
        return None
    response = Response(status=304, headers={"ETag": etag(revision)})
    del response.headers["Content-Type"]
    return response
