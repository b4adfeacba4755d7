"""Requests to providers: one pool of connections, hard limits on time and size, no surprises.

Redirects are not followed, cookies not kept, proxies and passwords of the environment not used;
certificates are verified against those that the operating system trusts. Invariant: whatever goes
wrong on the way is a ProviderUnavailable that holds nothing of request or answer.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from atom_backend import __version__
from atom_backend.errors import ProviderUnavailable
from atom_backend.providers.loop import LoopThread

MOST_BYTES = 256 * 1024
"""Of an answer's body: a hundred times what is usual."""

_CONNECT_SECONDS = 5.0
_LONGEST_RETRY_AFTER = 3600.0
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"atom-backend/{__version__}",
}


@dataclass(frozen=True, slots=True)
class Question:
    """A request; ``form`` or ``json`` is its body."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever it is."""

    status: int
    body: bytes = field(repr=False)
    retry_after: float | None = None


class HttpClient:
    """Opened at its first request; may be used by many threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: LoopThread | None = None
        self._client: httpx2.AsyncClient | None = None

    def ask(self, question: Question, deadline: float) -> Answer:
        """The answer, of any status. Raises ProviderUnavailable after ``deadline`` seconds."""
        loop, client = self._opened()
        try:
            return loop.run(_ask(client, question), deadline)
        except ssl.SSLError as error:
            reason = f"TLS failed: {error.reason}"
        except httpx2.ConnectError as error:
            reason = f"no connection: {error}"
        except TimeoutError:
            reason = f"no answer within {deadline:g} seconds"
        except (httpx2.HTTPError, httpx2.InvalidURL, _TooLong) as error:
            reason = type(error).__name__
        except CancelledError:
            reason = "the service is stopping"
        raise ProviderUnavailable(f"{_host(question.url)}: {reason}.")

    def close(self) -> None:
        with self._lock:
            if self._loop is not None and self._client is not None:
                self._loop.run(self._client.aclose(), _CONNECT_SECONDS)
                self._loop.close()
            self._loop = self._client = None

    def _opened(self) -> tuple[LoopThread, httpx2.AsyncClient]:
        with self._lock:
            if self._loop is None or self._client is None:
                self._loop, self._client = LoopThread(), _open()
            return self._loop, self._client


class _TooLong(Exception):
    """The answer is longer than any that makes sense."""


def _open() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        headers=_HEADERS,
        timeout=httpx2.Timeout(None, connect=_CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


async def _ask(client: httpx2.AsyncClient, question: Question) -> Answer:
    request = client.build_request(
        question.method,
        question.url,
        headers=dict(question.headers),
        data=dict(question.form) if question.form is not None else None,
        json=dict(question.json) if question.json is not None else None,
    )
    response = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > MOST_BYTES:
                raise _TooLong
        retry_after = _retry_after(response.headers.get("Retry-After"))
        return Answer(response.status_code, bytes(body), retry_after)
    finally:
        await response.aclose()


def _retry_after(value: str | None) -> float | None:
    """Seconds (RFC 9110, section 10.2.3), an hour at most; None where it is not said clearly."""
    if value is None:
        return None
    try:
        if value.strip().isascii() and value.strip().isdigit():
            seconds = float(value)
        else:
            moment = parsedate_to_datetime(value)
            seconds = (
                moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
            ).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def _host(url: str) -> str:
    return httpx2.URL(url).host
