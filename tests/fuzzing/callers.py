"""Who asks: nobody, a user, an administrator, and a program with a key for little.

Invariant: a caller whose credentials were ended by what it asked for has new ones before it asks
for something else.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

import httpx

PASSWORD = "correct horse battery"
PATIENCE = 60.0
_FEW_SCOPES = ["records:read", "search"]
_A_READ = "/v1/tasks"

MakeAdmin = Callable[[str, str], None]
"""Makes an administrator's account with this address and password."""


class Caller:
    """Somebody without an account. ``name`` stands in the figures."""

    name = "nobody"

    def headers(self) -> dict[str, str]:
        """Those that say who asks."""
        return {}


class User(Caller):
    """Somebody with an account of the own; a new one where the last is gone."""

    name = "user"

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=PATIENCE)
        self._token = ""

    def headers(self) -> dict[str, str]:
        if not self._works(self._token):
            self._token = self.arrive()
        return {"Authorization": f"Bearer {self._token}"}

    def arrive(self) -> str:
        """A credential of a new account."""
        given = {"email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD}
        answer = self._found(given)
        assert answer.status_code in {200, 201}, answer.text
        return str(answer.json()["access_token"])

    def _found(self, given: dict[str, str]) -> httpx.Response:
        """Make the account; the answer that has its first access token."""
        return self._http.post("/v1/auth/register", json=given)

    def _works(self, token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        return bool(token) and self._http.get(_A_READ, headers=headers).status_code == 200

    def close(self) -> None:
        self._http.close()


class Admin(User):
    """An administrator, made by the operator."""

    name = "admin"

    def __init__(self, url: str, make: MakeAdmin) -> None:
        super().__init__(url)
        self._make = make

    def _found(self, given: dict[str, str]) -> httpx.Response:
        self._make(given["email"], given["password"])
        return self._http.post("/v1/auth/login", json=given)


class Program(User):
    """A user's API key that may read and search."""

    name = "key"

    def arrive(self) -> str:
        headers = {"Authorization": f"Bearer {super().arrive()}"}
        body = {"name": "fuzz", "scopes": _FEW_SCOPES}
        answer = self._http.post("/v1/api-keys", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])
