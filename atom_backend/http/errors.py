"""The one table from error to status, and the one place where unexpected errors end.

Invariant: the body of a 5xx answer holds no text of an exception, whose words may come from a
driver or from another user's data; the log has it, under the same request id.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from atom_backend import errors as e
from atom_backend.http.authentication import challenge, missing_scope
from atom_backend.http.problems import PROBLEM_JSON, FieldError, Problem, problem

logger = logging.getLogger(__name__)

RETRY_AFTER = 5
"""Seconds after which a caller may try again what failed because something was down, unless the
error knows better."""

_STATUS_BY_CODE = {"idempotency_key_reused": 422}
_STATUS_BY_CLASS: tuple[tuple[type[e.AtomError], int], ...] = (
    (e.InvalidInput, 422),
    (e.MalformedRequest, 400),
    (e.Unauthenticated, 401),
    (e.Forbidden, 403),
    (e.NotFound, 404),
    (e.Conflict, 409),
    (e.PreconditionFailed, 412),
    (e.TooLarge, 413),
    (e.UnsupportedMedia, 415),
    (e.TooManyRequests, 429),
    (e.RequestError, 400),
    (e.ProviderRefused, 502),
    (e.DependencyError, 503),
)
_HTTP_CODES = {
    400: "malformed_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_HTTP_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not know that method.",
    413: "The request is larger than this service accepts.",
}
_INTERNAL = "The service failed to answer. Its log says why, under this request id."


def status_of(error: e.AtomError) -> int:
    """The status that answers this error."""
    if error.code in _STATUS_BY_CODE:
        return _STATUS_BY_CODE[error.code]
    return next((status for kind, status in _STATUS_BY_CLASS if isinstance(error, kind)), 500)


def problem_of(error: Exception) -> Problem:
    """What a caller is told about this error; logs what is not the caller's own doing."""
    if isinstance(error, HTTPException):
        return _http_problem(error)
    if not isinstance(error, e.AtomError):
        logger.error("unexpected error", exc_info=error)
        return problem(500, "internal_error", _INTERNAL)
    status = status_of(error)
    if status == 500:
        logger.error("%s: %s", error.code, error.message, exc_info=error)
        return problem(500, "internal_error", _INTERNAL)
    if status in {502, 503}:
        logger.warning("%s: %s", error.code, error.message)
        return problem(status, error.code, type(error)().message)
    fields = error.problems if isinstance(error, e.InvalidInput) else ()
    return problem(
        status,
        error.code,
        error.message,
        errors=[FieldError(pointer=one.pointer, detail=one.detail) for one in fields],
        existing_id=error.existing_id if isinstance(error, e.Conflict) else None,
        scope=error.scope if isinstance(error, e.InsufficientScope) else None,
    )


def install(app: Flask) -> None:
    """Answer every error of the application by this table."""
    app.register_error_handler(Exception, _answer)


def to_the_end(lines: Iterator[bytes], last: Callable[[Problem], bytes]) -> Iterator[bytes]:
    """The same lines; where making one fails, ``last`` makes the final line of the problem.

    An answer that has begun cannot change its status any more, so the problem goes into its body.
    """
    try:
        yield from lines
    except Exception as error:
        yield last(problem_of(error))


def _answer(error: Exception) -> Response:
    found = problem_of(error)
    body = found.model_dump_json(exclude_none=True)
    response = Response(body, status=found.status, content_type=PROBLEM_JSON)
    if found.status == 401:
        response.headers["WWW-Authenticate"] = challenge(request.headers.get("Authorization"))
    if found.scope:
        response.headers["WWW-Authenticate"] = missing_scope(found.scope)
    if found.status in (429, 503):
        response.headers["Retry-After"] = str(_retry_after(error))
    if isinstance(error, HTTPException):
        allowed = [pair for pair in error.get_headers() if pair[0] == "Allow"]
        response.headers.extend(allowed)
    return response


def _retry_after(error: Exception) -> int:
    """Whole seconds, one at least, so that nobody is told to come back at once."""
    known = None
    if isinstance(error, e.DependencyError | e.TooManyRequests):
        known = error.retry_after
    return RETRY_AFTER if known is None else max(1, math.ceil(known))


def _http_problem(error: HTTPException) -> Problem:
    status = error.code or 500
    if status >= 500:
        logger.error("unexpected HTTP error", exc_info=error)
        return problem(500, "internal_error", _INTERNAL)
    detail = _HTTP_DETAILS.get(status, "The request could not be read.")
    return problem(status, _HTTP_CODES.get(status, f"http_{status}"), detail)
