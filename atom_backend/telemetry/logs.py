"""Log lines: one a record on standard error, as text for people or as JSON for machines.

Modules log through the standard library; ``extra=`` becomes fields of the line. Invariant: a line
names its time (UTC), level, logger and, inside a request, the request's identifier.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from atom_backend.telemetry.context import current_request_id

LogFormat = Literal["plain", "json"]

_TALKATIVE = ("alembic", "httpcore2", "httpx2")
"""The first counts its steps at INFO; the others tell of requests and headers, which nobody may
see. What came of it all is said by whoever asked them."""


def configure_logging(level: str, format: LogFormat, stream: TextIO | None = None) -> None:
    """Send every record of ``level`` (``"INFO"``) or above to ``stream`` (standard error).

    Replaces what was configured before, so calling it twice does not double the lines.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _add_request_id,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(format),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _renderers(format: LogFormat) -> list[Processor]:
    if format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [
        structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    ]


def _add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    request_id = current_request_id()
    if request_id is not None:
        event["request_id"] = request_id
    return event
