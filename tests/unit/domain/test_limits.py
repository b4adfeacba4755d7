"""What passes the drafts' check can be stored, whichever way it comes in."""

from __future__ import annotations

from typing import Any

import pytest

from atom_backend.domain.documents import DocumentDraft
from atom_backend.domain.limits import check_draft
from atom_backend.errors import InvalidInput


def draft(metadata: dict[str, Any]) -> DocumentDraft:
    return DocumentDraft("Tea", "Green tea.", "text/plain", 10, metadata=metadata)


@pytest.mark.parametrize("metadata", [{"a": "x\x00"}, {"x\x00": 1}, {"a": [{"b": "\x00"}]}])
def test_a_nul_anywhere_in_the_metadata_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        check_draft(draft(metadata))


def test_text_that_only_looks_like_an_escaped_nul_is_kept() -> None:
    check_draft(draft({"a": "\\u0000"}))
