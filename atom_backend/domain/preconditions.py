"""``If-Match`` (RFC 9110, section 13.1.1) as a value: which revisions a write may replace."""

from __future__ import annotations

from dataclasses import dataclass

from atom_backend.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class IfMatch:
    """``revisions`` as named by the caller; ``None`` stands for ``*``: any that exists."""

    revisions: frozenset[int] | None

    def check(self, current: int | None) -> None:
        """Raises PreconditionFailed unless the current revision is one of those named."""
        if current is None:
            raise PreconditionFailed("If-Match was given, but there is nothing to replace.")
        if self.revisions is not None and current not in self.revisions:
            raise PreconditionFailed(
                f'The current ETag is "{current}": fetch the resource again, and repeat the '
                "request with that."
            )
