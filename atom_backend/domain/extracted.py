"""What text extraction found in a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of a file; ``content_type`` is what its bytes are, not what its name says."""

    text: str
    content_type: str
    title: str | None
