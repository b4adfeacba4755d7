"""A provider that answers what a test tells it to, byte for byte, and notes what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

Headers = Mapping[str, str]
Play = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; ``form`` and ``json`` are its body read as either."""

    method: str
    path: str
    headers: Headers
    body: bytes = field(repr=False)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), strict_parsing=bool(self.body)))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedServer:
    """Each request is answered by the next part of the script; without one, with 500."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self._script: deque[Play] = deque()
        server = self

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self._answer
                raise AttributeError(name)

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                server.asked.append(Asked(self.command, self.path, dict(self.headers), body))
                play = server._script.popleft() if server._script else said(b"", 500)
                play(self)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self._http.daemon_threads = True
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()

    def play(self, *script: Play) -> None:
        """Do this with the next requests."""
        self._script.extend(script)

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def said(body: bytes | str | object, status: int = 200, **headers: str) -> Play:
    """An answer with these bytes, this text, or this as JSON; ``Set_Cookie`` is a header, too."""
    if isinstance(body, bytes):
        content = body
    else:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()

    def play(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return play


def dripping(ended: threading.Event) -> Play:
    """An answer that comes byte by byte and never ends, until the test does."""

    def play(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        request.send_response(200)
        request.end_headers()
        while not ended.wait(0.02):
            try:
                request.wfile.write(b" ")
                request.wfile.flush()
            except OSError:
                return

    return play
