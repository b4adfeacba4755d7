"""Which words become the title."""

from __future__ import annotations

import pytest

from atom_backend.extraction.titles import first_heading, from_name, sensible


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        ("  Annual\r\n report\x00 ", "Annual report"),
        ("Über uns", "Über uns"),
        ("x" * 5000, "x" * 300),
        ("untitled", None),
        ("Microsoft Word - draft.doc", None),
        ("---", None),
        ("\x00", None),
        ("", None),
        (None, None),
    ],
)
def test_only_what_a_person_meant_is_a_title(raw: str | None, title: str | None) -> None:
    assert sensible(raw) == title


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("report.final.pdf", "report.final"),
        ("C:\\docs\\Plan 2026.docx", "Plan 2026"),
        ("/home/me/notes", "notes"),
        (".md", None),
        ("untitled.txt", None),
        (None, None),
    ],
)
def test_the_name_gives_the_title_of_last_resort(name: str | None, title: str | None) -> None:
    assert from_name(name) == title


@pytest.mark.parametrize(
    ("markdown", "title"),
    [
        ("intro\n\n## Second *level* ##\n# First", "Second level"),
        ("# The [handbook](https://example.org) `v2`", "The handbook v2"),
        ("```\n# comment in code\n```\n# Real", "Real"),
        ("~~~~\n~~~\n# still code\n~~~~\n# Real", "Real"),
        ("The plan\n=====\n", "The plan"),
        ("\n-----\n", None),
        ("#hashtag", None),
        ("    # code", None),
        ("# " + " " * 100_000 + "x", None),
        ("text\n" * 100_000 + "# late", None),
    ],
)
def test_the_first_heading_outside_of_code_is_found(markdown: str, title: str | None) -> None:
    assert first_heading(markdown) == title
