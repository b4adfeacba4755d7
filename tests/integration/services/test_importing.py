"""Importing can be interrupted and repeated at will; what cannot be read fails alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from atom_backend.errors import RequestError
from atom_backend.extraction.extractor import SubprocessExtractor
from atom_backend.extraction.mails.confined import ConfinedMails
from atom_backend.services.importing import Importing
from atom_backend.services.mailing import Mailing, MailOptions
from atom_backend.services.records import RecordService
from atom_backend.services.uploads import Uploads
from tests.integration.coordinator.stage import Stage


@pytest.fixture(scope="module")
def extractor() -> Iterator[SubprocessExtractor]:
    with SubprocessExtractor() as extractor:
        yield extractor


def importing_into(stage: Stage, extractor: SubprocessExtractor) -> Importing:
    records, uploads = RecordService(stage.transactions), Uploads(extractor)
    mails = ConfinedMails(extractor.pool)
    mailing = Mailing(stage.transactions, mails, records, uploads)
    return Importing(records, uploads, mailing)


def run(stage: Stage, extractor: SubprocessExtractor, path: Path) -> dict[str, str]:
    """Import everything; by name, the outcome or the error's code."""
    importing = importing_into(stage, extractor)
    options = importing.addressed(stage.owner, MailOptions("shelf"))
    outcomes = {}
    for candidate in importing.candidates(path, "shelf"):
        try:
            outcomes[candidate.name] = importing.store(stage.owner, candidate, options).outcome
        except RequestError as error:
            outcomes[candidate.name] = error.code
    return outcomes


def lines(path: Path, *written: object) -> Path:
    rows = (row if isinstance(row, str) else json.dumps(row) for row in written)
    path.write_text("\n".join(rows))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "shelf"
    (path / "deep").mkdir(parents=True)
    (path / ".git").mkdir()
    (path / "tides.md").write_text("# Of tides\n\nThe tides follow the moon.")
    (path / "deep" / "moon.txt").write_text("The moon is far.")
    (path / "page.html").write_text("<title>Seas</title><p>The sea is wide.</p>")
    (path / "blank.txt").write_text("  \n")
    (path / "noise.bin").write_bytes(bytes(range(256)) * 8)
    (path / ".hidden").write_text("Not for reading.")
    (path / ".git" / "config").write_text("Not for reading either.")
    return path


def test_a_folder_is_imported_by_the_names_of_its_files(
    stage: Stage, extractor: SubprocessExtractor, folder: Path
) -> None:
    outcomes = run(stage, extractor, folder)
    assert {name for name, outcome in outcomes.items() if outcome == "new"} == {
        "tides.md",
        "deep/moon.txt",
        "page.html",
    }
    assert outcomes.keys() - {"tides.md", "deep/moon.txt", "page.html"} == {
        "blank.txt",
        "noise.bin",
    }
    document = stage.documents.named(stage.owner, "tides.md")
    assert (document.title, document.values["source"]) == ("Of tides", "shelf")
    stage.converge()
    stage.assert_in_step()


def test_a_second_import_changes_nothing_that_is_unchanged(
    stage: Stage, extractor: SubprocessExtractor, folder: Path
) -> None:
    run(stage, extractor, folder)
    stage.converge()
    (folder / "tides.md").write_text("# Of tides\n\nRewritten.")
    again = run(stage, extractor, folder)
    assert [again[name] for name in ("tides.md", "deep/moon.txt", "page.html")] == [
        "replaced",
        "unchanged",
        "unchanged",
    ]
    assert stage.converge().leased == 1
    stage.assert_in_step()


def test_lines_are_imported_under_their_own_names(
    stage: Stage, extractor: SubprocessExtractor, tmp_path: Path
) -> None:
    path = lines(
        tmp_path / "shelf.jsonl",
        {"_id": "a", "title": "A", "text": "First.", "tags": ["x"], "metadata": {"n": 1}},
        {"external_id": "b", "text": "Second.\nIts second line.", "source": "elsewhere"},
        "",
        {"text": "Third, without a name."},
    )
    expected = ["shelf.jsonl:1", "shelf.jsonl:2", "shelf.jsonl:4"]
    assert run(stage, extractor, path) == dict.fromkeys(expected, "new")
    first = stage.documents.named(stage.owner, "a")
    assert {
        "title": "A",
        "tags": ("x",),
        "metadata": {"n": 1},
        "source": "shelf",
    }.items() <= first.values.items()
    second = stage.documents.named(stage.owner, "b")
    assert (second.title, second.values["source"]) == ("Second.", "elsewhere")
    assert stage.documents.named(stage.owner, "shelf.jsonl:4").title == ("Third, without a name.")
    assert run(stage, extractor, path) == dict.fromkeys(expected, "unchanged")


def test_a_bad_line_fails_alone(
    stage: Stage, extractor: SubprocessExtractor, tmp_path: Path
) -> None:
    path = lines(
        tmp_path / "shelf.jsonl",
        {"_id": "before", "text": "Good."},
        "{not json",
        "[1, 2]",
        {"title": "No text"},
        {"text": 7},
        {"text": "  "},
        {"text": "Tags", "tags": "x"},
        {"text": "Tags", "tags": [1]},
        {"text": "Metadata", "metadata": []},
        '{"text": "Not a number", "metadata": {"n": NaN}}',
        '{"text": "Half a character: \\ud800"}',
        '{"text": "NUL: \\u0000"}',
        "[" * 100_000,
        {"_id": "after", "text": "Good."},
    )
    outcomes = list(run(stage, extractor, path).values())
    assert outcomes[0] == outcomes[-1] == "new"
    assert set(outcomes[1:-1]) == {"malformed_line", "invalid_input"}
    assert len(outcomes) == 14
    assert stage.sql("select count(*) from documents") == [(2,)]


def test_a_single_file_and_an_unreadable_one(
    stage: Stage, extractor: SubprocessExtractor, tmp_path: Path
) -> None:
    path = tmp_path / "note.txt"
    path.write_text("A note.")
    assert run(stage, extractor, path) == {"note.txt": "new"}
    importing = importing_into(stage, extractor)
    (candidate,) = importing.candidates(path, "shelf")
    path.unlink()
    with pytest.raises(RequestError) as refused:
        importing.store(stage.owner, candidate, MailOptions())
    assert refused.value.code == "unreadable_file"


FIRST = b"""From: Ann <ann@example.org>
To: ben@example.org
Date: Mon, 1 Jan 2030 08:00:00 +0100
Message-ID: <1@example.org>
Subject: The train

Is it on time?
"""
REPLY = b"""From: ben@example.org
In-Reply-To: <1@example.org>
Message-ID: <2@example.org>
Subject: Re: The train

From what I hear it is late.
"""


def test_mails_of_a_folder_become_messages_in_their_conversation(
    stage: Stage, extractor: SubprocessExtractor, tmp_path: Path
) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    separator = b"From somebody Mon Jan  1 08:00:00 2030\n"
    (folder / "one.eml").write_bytes(FIRST)
    (folder / "both.mbox").write_bytes(
        separator + FIRST + b"\n" + separator + REPLY.replace(b"\nFrom what", b"\n>From what")
    )
    (folder / "none.eml").write_bytes(b"This is no mail.")
    (folder / "note.txt").write_text("A note.")
    expected = {"both.mbox:1": "new", "both.mbox:2": "new", "one.eml": "unchanged"}
    others = {"none.eml": "malformed_message", "note.txt": "new"}
    assert run(stage, extractor, folder) == expected | others
    rows = stage.sql("select subject, body, conversation_id from messages order by subject")
    assert [row.body for row in rows] == ["From what I hear it is late.", "Is it on time?"]
    assert len({row.conversation_id for row in rows}) == 1
    assert set(run(stage, extractor, folder).values()) == {"unchanged", "malformed_message"}
