"""Where canaries are planted, and every place that is searched for them afterwards.

Invariant: a canary is random, so that what is found can have come from nowhere else.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from tests.faults.environment.site import Site
from tests.promises.secrets import Place, columns, files, rows


class Nest:
    """``canaries``: the secrets by what they are. ``bodies``: of answers that refused something."""

    site: Site

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.canaries: dict[str, str] = {}
        self.bodies: list[str] = []

    def plant(self, what: str) -> str:
        """A new secret of 32 characters."""
        self.canaries[what] = secrets.token_urlsafe(24)
        return self.canaries[what]

    def settings(self) -> dict[str, str]:
        """Those that are secret."""
        return {
            "ATOM_SIGNING_KEY": self.plant("signing key"),
            "ATOM_OAUTH_ENCRYPTION_KEY": self.plant("encryption key"),
            "CANARY_CLIENT_SECRET": self.plant("client secret"),
        }

    def heard(self, answer: httpx.Response) -> httpx.Response:
        """The same; remembers what a refusal said, in its headers and in its body."""
        return self.told(answer) if answer.status_code >= 400 else answer

    def told(self, answer: httpx.Response) -> httpx.Response:
        """The same; remembers all of an answer that must tell no secret, whatever its status."""
        self.bodies.append(f"{answer.headers!r}\n{answer.text}")
        return answer

    def places(self) -> Iterator[Place]:
        """Everything that the service wrote, at this moment."""
        self.site.sql("checkpoint")
        for program in (self.site.deployment.web, self.site.deployment.worker):
            yield f"the log of the {program.name}", "".join(program.said).encode()
            for process in (psutil.Process(program.pid), *psutil.Process(program.pid).children()):
                words = "\0".join(process.cmdline())
                yield f"a command line of the {program.name}", words.encode()
        for number, body in enumerate(self.bodies):
            yield f"error body {number}", body.encode()
        yield "the metrics", httpx.get(f"{self.site.deployment.url}/metrics", timeout=20).content
        yield from columns(self.site.sql)
        yield from rows(self.site.lance)
        yield from files(self.folder)
