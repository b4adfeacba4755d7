"""Whether what is said to PostgreSQL can be read, or answered by somebody else, on the way.

Judged by connections as they are, not by the URL: libpq also reads its environment, and by default
takes TLS where the server offers it and goes on without where it does not.
"""

from __future__ import annotations

import ipaddress
import logging
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

logger = logging.getLogger(__name__)

_VERIFIED = {"verify-ca", "verify-full"}


def warn_of_exposure(engine: Engine) -> None:
    """Have the engine's first connection that is exposed leave a line in the log."""
    said: list[str] = []

    def look(connection: Any, _: object) -> None:
        parameters = connection.info.dsn_parameters
        host = parameters.get("host") or parameters.get("hostaddr") or ""
        risk = exposure(host, connection.info.ssl_in_use, parameters.get("sslmode", "prefer"))
        if risk and not said:
            said.append(risk)
            logger.warning("the connection to PostgreSQL %s", risk)

    event.listen(engine, "connect", look)


def exposure(host: str, encrypted: bool, sslmode: str) -> str | None:
    """What is wrong with a connection to this host; None where nothing is."""
    if _is_this_machine(host):
        return None
    if not encrypted:
        return "is not encrypted: set sslmode=verify-full and sslrootcert in DATABASE_URL"
    if sslmode not in _VERIFIED:
        return "does not check who answers: set sslmode=verify-full and sslrootcert in DATABASE_URL"
    return None


def _is_this_machine(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
