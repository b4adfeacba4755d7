"""Problem details (RFC 9457): the body of every answer that is not a success."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel, Field

from atom_backend.telemetry.context import current_request_id

PROBLEM_JSON = "application/problem+json"


class FieldError(BaseModel):
    """One thing wrong with one place of the input."""

    pointer: str = Field(description="A JSON pointer (RFC 6901) into the body or parameters.")
    detail: str


class Problem(BaseModel):
    """What went wrong, for programs (`code`) and for people (`detail`)."""

    type: str = Field(description="Identifies the kind of problem, as `code` does.")
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; programs may rely on it.")
    request_id: str | None = Field(description="Stands in the service's log, too.")
    errors: list[FieldError] | None = None
    existing_id: str | None = Field(
        None, description="What is in the way of a create: the resource that already exists."
    )
    scope: str | None = Field(None, description="What the caller would have to have.")


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    existing_id: str | None = None,
    scope: str | None = None,
) -> Problem:
    """A problem of the request that this thread works for."""
    return Problem(
        type=f"urn:atom-backend:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=current_request_id(),
        errors=errors or None,
        existing_id=existing_id,
        scope=scope,
    )
