"""Requests that go wrong in every way while they hold secrets.

Invariant: none of them is one that stores what it is given; each is refused, or answers without it.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any
from urllib.parse import quote, urlsplit

from atom_backend import __version__
from atom_backend.http.application import RESOURCES
from atom_backend.http.openapi import document

Request = tuple[str, str, dict[str, Any]]
"""Method, path, and what httpx is given beside them."""

_PARAMETER = re.compile(r"\{\w+\}")
_JSON = {"Content-Type": "application/json"}
_NAMES = ("password", "access_token", "refresh_token", "api_key", "client_secret", "code", "state")


def operations() -> list[tuple[str, str]]:
    """Method and path of every operation of the API, but for those that need nothing to work."""
    paths = document(RESOURCES, __version__)["paths"]
    return [
        (method.upper(), path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if method == "get" or "requestBody" in operation or _PARAMETER.search(path)
    ]


def misplaced(secrets: Sequence[str]) -> Iterator[Request]:
    """Every operation, with secrets in all places where they do not belong."""
    turn = cycle(secrets)
    named = dict(zip(cycle(_NAMES), secrets, strict=False))
    query = "&".join(f"{name}={quote(secret)}" for name, secret in named.items())
    cut_short = json.dumps(named)[:-1]
    for method, template in operations():
        path = _PARAMETER.sub(lambda _: quote(next(turn), safe=""), template)
        yield method, f"{path}?{query}", {}
        yield method, f"{path}/{next(turn)}", {}
        yield method, path, {"headers": {"Authorization": f"Bearer x{next(turn)}"}}
        yield method, path, {"headers": {"Authorization": next(turn), "Cookie": query}}
        if method in {"POST", "PUT", "PATCH"}:
            yield method, path, {"content": cut_short, "headers": _JSON}
            yield method, path, {"json": {"unheard_of": named, "password": [next(turn)]}}
            yield method, path, {"json": list(secrets)}
            yield method, path, {"content": next(turn), "headers": {"Content-Type": next(turn)}}
            guarded = {"If-Match": next(turn), "Idempotency-Key": next(turn)}
            yield method, path, {"json": {"unheard_of": 1}, "headers": guarded | {"Prefer": query}}
    for secret in secrets:
        yield "GET", f"/{secret}", {}
        yield "GET", f"/v1/oauth/{secret}/callback?code={secret}&state={secret}", {}
        yield "PATCH", f"/healthz?token={secret}", {"content": secret}
        yield "BREW", f"/v1/users/me?{secret}", {}


def wrong_credentials(secrets: Sequence[str]) -> Iterator[Request]:
    """Where secrets do belong, but not these, or not in this shape."""
    for secret in secrets:
        wrong = f"x{secret}"
        for password in (wrong, secret * 100, [secret], {"is": secret}, f"{secret}\x00"):
            given = {"email": "nobody@example.org", "password": password}
            yield "POST", "/v1/auth/login", {"json": given}
            yield "POST", "/v1/auth/login", {"json": given | {"email": secret}}
            yield "POST", "/v1/auth/register", {"json": given | {"email": f"{secret}@"}}
            yield "POST", "/v1/auth/refresh", {"json": {"refresh_token": password}}
            yield "DELETE", "/v1/users/me", {"json": {"password": password}}


def broken_http(url: str, secrets: Sequence[str]) -> list[str]:
    """Send what is not HTTP, to whoever reads it first; what came back."""
    host = urlsplit(url)
    answers = []
    for secret in secrets:
        for words in (
            f"GET /{secret} HTTP/9.9\r\n\r\n",
            f"GET /{secret}\r\n\r\n",
            f"{secret} / HTTP/1.1\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization {secret}\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\x00\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: x\r\nBearer {secret}: x\r\n\r\n",
            f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {secret}\r\n\r\n",
            f"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {secret}\r\n\r\n",
            f"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{secret}\r\n",
            f"GET / HTTP/1.1\r\nHost: x\r\nExpect: {secret}\r\n\r\n",
            f"GET /{secret * 300} HTTP/1.1\r\nHost: x\r\n\r\n",
        ):
            with socket.create_connection((host.hostname, host.port), timeout=20) as connection:
                connection.sendall(words.encode())
                answers.append(connection.recv(1 << 16).decode(errors="replace"))
    return [answer for answer in answers if answer]
