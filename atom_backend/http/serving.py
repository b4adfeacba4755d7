"""gunicorn's worker, which says nothing of what it was sent, and waits for nobody for long.

What cannot be read as HTTP never reaches the application, and gunicorn would log and send back the
piece that it did not understand: a token, where somebody left out a colon. Invariants: of such a
request only the kind of its fault is told, as a problem like every other; a request has to arrive
at a modest speed, so that one that trickles does not keep a thread.
"""

from __future__ import annotations

import contextlib
import re
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from atom_backend.clock import new_id
from atom_backend.http.browsers import HEADERS
from atom_backend.http.patient_socket import PatientSocket
from atom_backend.http.problems import PROBLEM_JSON, problem
from atom_backend.telemetry.context import bind_request_id

_BETWEEN_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_OUR_OWN = (
    errors.ConfigurationProblem,
    errors.InvalidResponseHeader,
    errors.InvalidResponseHeaderName,
)
_REFUSALS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (errors.LimitRequestLine, 414, "address_too_long", "The address is too long."),
    (
        errors.LimitRequestHeaders,
        431,
        "headers_too_large",
        "There are too many headers, or one is too long.",
    ),
    (errors.ExpectationFailed, 417, "expectation_failed", "Expect may only say 100-continue."),
    (
        errors.UnsupportedTransferCoding,
        501,
        "unsupported_transfer_coding",
        "Transfer-Encoding may only be chunked.",
    ),
    (errors.ForbiddenProxyRequest, 403, "forbidden", "This proxy may not connect."),
    (errors.ParseException, 400, "malformed_request", "This is no HTTP: {}."),
)


class DiscreetWorker(ThreadWorker):  # type: ignore[misc]
    """``gthread`` in everything else."""

    def enqueue_req(self, conn: Any) -> None:
        """Before a thread takes the connection, for its first request or a later one."""
        if not isinstance(conn.sock, PatientSocket):
            conn.sock = PatientSocket(fileno=conn.sock.detach())
        conn.sock.expect_request()
        super().enqueue_req(conn)

    def handle_error(self, _req: Any, client: Any, _addr: Any, exc: BaseException) -> None:
        """Without the request, whose address gunicorn would log when the application fails."""
        # The name of the request that this thread served before is still bound.
        name = new_id().hex
        bind_request_id(name)
        status, code, detail = _refusal(exc)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            self.log.error("unexpected error while serving", exc_info=exc)
        else:
            self.log.warning("request that is no HTTP: %s", detail)
        with contextlib.suppress(OSError):
            said = problem(status, code, detail).model_dump_json(exclude_none=True)
            client.sendall(_written(status, name, said))


def _refusal(error: BaseException) -> tuple[int, str, str]:
    """Status, code, and the kind of the fault in words."""
    if isinstance(error, errors.ParseException) and not isinstance(error, _OUR_OWN):
        _, status, code, detail = next(one for one in _REFUSALS if isinstance(error, one[0]))
        return status, code, detail.format(_BETWEEN_WORDS.sub(" ", type(error).__name__).lower())
    return 500, "internal_error", "The service failed to answer."


def _written(status: int, request_id: str, body: str) -> bytes:
    headers = HEADERS | {
        "Connection": "close",
        "Content-Type": PROBLEM_JSON,
        "Content-Length": str(len(body.encode())),
        "X-Request-Id": request_id,
    }
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", body]).encode()
