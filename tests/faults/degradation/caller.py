"""A user who asks while stores come and go, and notices whether an answer is honest."""

from __future__ import annotations

import uuid
from typing import Any, Self

import httpx

from tests.faults.deployment import eventually

PATIENCE = 30.0
MODES = ("hybrid", "vector", "text")


class Caller:
    """A logged-in user of the service at ``url``."""

    def __init__(self, url: str) -> None:
        self.email = f"{uuid.uuid4().hex}@example.org"
        self.http = httpx.Client(base_url=url, timeout=PATIENCE)
        given = {"email": self.email, "password": "correct horse battery"}
        # PostgreSQL may have come back just now, and be believed a moment later.
        self.tokens = eventually(lambda: self._registered(given))
        self.http.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def _registered(self, given: dict[str, str]) -> dict[str, Any] | None:
        answer = self.http.post("/v1/auth/register", json=given)
        assert answer.status_code in {201, 503}, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens if answer.status_code == 201 else None

    def write(self, text: str, **fields: Any) -> str:
        """Store a document; its identifier."""
        body = {"title": "Note", "text": text} | fields
        answer = self.http.post("/v1/documents", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def search(self, **question: Any) -> httpx.Response:
        return self.http.post("/v1/search", json=question)

    def find(self, **question: Any) -> dict[str, Any]:
        """The answer of a search that must succeed."""
        answer = self.search(**question)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def pages(self, **question: Any) -> list[dict[str, Any]]:
        """All pages, one result each, up to the empty or last one."""
        pages = [self.find(limit=1, **question)]
        while (cursor := pages[-1]["next_cursor"]) is not None:
            pages.append(self.find(limit=1, cursor=cursor, **question))
        return pages

    def metric(self, name: str) -> float:
        """The value of a metric, given with its labels as the exposition spells them."""
        lines = self.http.get("/metrics").text.splitlines()
        (value,) = (line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} "))
        return float(value)


def items(*pages: dict[str, Any]) -> list[str]:
    return [result["item_id"] for page in pages for result in page["results"]]


def refused_for_now(answer: httpx.Response, code: str = "postgresql_unavailable") -> bool:
    """Whether it is a 503 of this code that says when to come back."""
    later = int(answer.headers.get("Retry-After", "0"))
    return answer.status_code == 503 and answer.json()["code"] == code and 1 <= later <= 10
