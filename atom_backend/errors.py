"""Every error of the service, in four families that say who must act.

``RequestError``: the caller must change the request. ``DependencyError``: something outside
failed and the same call may succeed later. ``StoredDataError``: our own data is wrong.
``ConfigurationError``: the operator must change a setting before the service can start.

The class's docstring is its default message, ``code`` is stable and part of the public API.
Invariant: no other module decides whether an error is worth a retry; it asks ``retryable``.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class AtomError(Exception):
    """Something went wrong in the service."""

    code: str = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)) or type(self).__name__)
        if code is not None:
            self.code = code

    @property
    def message(self) -> str:
        return str(self.args[0])


class RequestError(AtomError):
    """The request cannot be served as it is."""

    code = "bad_request"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one place of the input; ``pointer`` is a JSON pointer (RFC 6901)."""

    pointer: str
    detail: str


def pointer(place: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a place; empty for the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)


class InvalidInput(RequestError):
    """The input is not valid."""

    code = "invalid_input"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        problems: Sequence[FieldProblem] = (),
    ) -> None:
        super().__init__(message, code=code)
        self.problems = tuple(problems)


class MalformedRequest(RequestError):
    """The request could not be read."""

    code = "malformed_request"


class Unauthenticated(RequestError):
    """A valid access token is needed: send it as 'Authorization: Bearer TOKEN'."""

    code = "unauthenticated"


class Forbidden(RequestError):
    """This account may not do that."""

    code = "forbidden"


class InsufficientScope(Forbidden):
    """The caller may not do that."""

    code = "insufficient_scope"

    def __init__(self, scope: str | None = None) -> None:
        super().__init__(scope and f"This needs the scope {scope}: neither role nor key gives it.")
        self.scope = scope


class NotFound(RequestError):
    """There is nothing here with that identifier."""

    code = "not_found"


class Conflict(RequestError):
    """The request conflicts with what is stored."""

    code = "conflict"

    def __init__(
        self, message: str | None = None, *, code: str | None = None, existing_id: str | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.existing_id = existing_id


class PreconditionFailed(RequestError):
    """The resource has changed: fetch it again and repeat the request with its new ETag."""

    code = "precondition_failed"


class GrantRefused(Conflict):
    """The provider does not accept this grant any more: authorize it again."""

    code = "grant_refused"


class TooLarge(RequestError):
    """The request is larger than this service accepts."""

    code = "too_large"


class UnsupportedMedia(RequestError):
    """This kind of content cannot be read."""

    code = "unsupported_media_type"


class TooManyRequests(RequestError):
    """Too many requests: wait before the next one."""

    code = "too_many_requests"

    def __init__(
        self, message: str | None = None, *, code: str | None = None, retry_after: float = 1.0
    ) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
        """Seconds after which the same request would be let through."""


class DependencyError(AtomError):
    """Something that the service depends on does not answer; try again later."""

    code = "dependency_unavailable"
    retryable = True

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
        """Seconds after which it may be asked again, where that is known."""


class DatabaseUnavailable(DependencyError):
    """PostgreSQL does not answer."""

    code = "postgresql_unavailable"


class FilterUnavailable(DatabaseUnavailable):
    """PostgreSQL does not answer, and only it knows what satisfies a filter."""

    code = "filter_unavailable"


class VectorStoreUnavailable(DependencyError):
    """LanceDB does not answer."""

    code = "lancedb_unavailable"


class EmbedderUnavailable(DependencyError):
    """The embedding model does not answer."""

    code = "embedder_unavailable"


class ProviderUnavailable(DependencyError):
    """The OAuth provider does not answer, or not in a way that can be understood."""

    code = "provider_unavailable"


class ProviderRefused(AtomError):
    """The OAuth provider refused what this service asked of it; its operator can see why."""

    code = "provider_refused"

    def __init__(
        self, message: str | None = None, *, code: str | None = None, error: str = "unknown"
    ) -> None:
        super().__init__(message, code=code)
        self.error = error
        """The provider's own code, as ``invalid_client`` (RFC 6749, section 5.2)."""


class VaultUnavailable(DependencyError):
    """OAuth tokens can be neither sealed nor opened here: the key for them is missing or wrong."""

    code = "vault_unavailable"


class StoredDataError(AtomError):
    """Stored data is not what it must be."""

    code = "stored_data_error"


class VectorStoreCorrupt(StoredDataError):
    """LanceDB holds data that cannot be read."""

    code = "lancedb_corrupt"


class RefusedVector(StoredDataError):
    """The embedder gave a vector that must not be stored: NaN, zero or of the wrong size."""

    code = "refused_vector"


class ConfigurationError(AtomError):
    """The service cannot start with these settings."""

    code = "configuration_error"

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems) or None)
        self.problems = problems
