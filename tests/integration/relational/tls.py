"""A TLS server in front of PostgreSQL, and the certificates that it shows.

The embedded server is built without TLS, so this speaks the beginning of its protocol (SSLRequest,
PostgreSQL's manual, section 54.2.11) and passes on what comes through the tunnel. It keeps what it
was sent outside the tunnel, and inside.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
_LOOK_EVERY = 0.05
_PATIENCE = 20.0
_AT_ONCE = 1 << 16


class Authority:
    """Makes certificates; ``root`` is the file that a client checks them by."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        made = _certificate(self._name, self._name, self._key, timedelta(days=1))
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.root = self._folder / "root.crt"
        self.root.write_bytes(_pem(made.sign(self._key, hashes.SHA256())))

    def serving(self, host: str, lasts: timedelta = timedelta(days=1)) -> ssl.SSLContext:
        """What a server of this name shows; it has been out of date where ``lasts`` is negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(_named(host), self._name, key, lasts)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        file = self._folder / "server.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file.write_bytes(secret + _pem(made.sign(self._key, hashes.SHA256())))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


class Front:
    """Listens on 127.0.0.1; without a context it says that it has no TLS."""

    def __init__(self, upstream: Path, context: ssl.SSLContext | None) -> None:
        self._upstream = upstream
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._clients: list[socket.socket] = []
        self._ended = threading.Event()
        self.port = self._listener.getsockname()[1]
        self.outside = b""
        self.inside = b""

    @contextmanager
    def listening(self) -> Iterator[Front]:
        with self._listener:
            self._threads[0].start()
            try:
                yield self
            finally:
                self._ended.set()
                for waiting in (self._listener, *self._clients):
                    with suppress(OSError):  # it was closed already
                        waiting.shutdown(socket.SHUT_RDWR)
                for thread in self._threads:
                    thread.join(_PATIENCE)

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                self._clients.append(client)
                thread = threading.Thread(target=self._serve, args=(client,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(_PATIENCE)
        # A client that does not trust us hangs up.
        with client, suppress(OSError):
            first = client.recv(len(SSL_REQUEST))
            self.outside += first
            if self._context is None or first != SSL_REQUEST:
                client.sendall(b"N")
                self.outside += client.recv(_AT_ONCE)
                return
            client.sendall(b"S")
            with (
                self._context.wrap_socket(
                    client, server_side=True, do_handshake_on_connect=False
                ) as tunnel,
                socket.socket(socket.AF_UNIX) as server,
            ):
                self._clients.append(tunnel)
                tunnel.do_handshake()
                server.connect(str(self._upstream))
                self._pass_on(tunnel, server)

    def _pass_on(self, tunnel: ssl.SSLSocket, server: socket.socket) -> None:
        while not self._ended.is_set():
            readable, _, _ = select.select([tunnel, server], [], [], _LOOK_EVERY)
            if server in readable:
                if not (answer := server.recv(_AT_ONCE)):
                    return
                tunnel.sendall(answer)
            if tunnel in readable:
                # Until nothing is left that was decrypted already: select does not see that.
                while said := tunnel.recv(_AT_ONCE):
                    self.inside += said
                    server.sendall(said)
                    if not tunnel.pending():
                        break
                else:
                    return


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + lasts)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
