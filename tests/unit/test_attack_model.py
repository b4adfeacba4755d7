"""Every line of the attack model in SECURITY.md names tests, and each of those exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODEL = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_HEADING = ["", "what", "test"]

ATTACKERS = {
    "A dump of the database",
    "LanceDB's folder",
    "A stolen access token",
    "A stolen refresh token",
    "A stolen API key",
    "An account of one's own",
    "No account",
    "A position on the network",
    "The application's login",
    "A malicious file",
    "A malicious OAuth provider",
    "A stolen backup",
    "A dishonest operator",
}


def sections() -> dict[str, list[list[str]]]:
    """The cells of every line of every table below a heading of the third level."""
    parts = re.split(r"^### ", MODEL.partition("## What does not hold")[0], flags=re.MULTILINE)[1:]
    return {part.splitlines()[0]: list(_lines(part)) for part in parts}


def _lines(part: str) -> Iterator[list[str]]:
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and cells != _HEADING and set(line) != set("|-"):
            yield cells


LINES = [(name, *cells) for name, lines in sections().items() for cells in lines]


@cache
def named_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("line", LINES, ids=[f"{line[0]}: {line[2][:40]}" for line in LINES])
def test_a_line_says_what_can_or_cannot_be_done_and_names_tests_that_exist(
    line: tuple[str, ...],
) -> None:
    _, whether, what, tests = line
    assert whether.partition(",")[0] in {"can", "cannot"}
    assert what
    named = _NAMED.findall(tests)
    assert named, "no test is named"
    assert _NAMED.sub("", tests).strip(", ") == "", "something else than tests stands here"
    for path, name in named:
        assert name.startswith("test_")
        assert (ROOT / path).is_file(), path
        assert name in named_in(path), f"{path} has no test {name}"


def test_every_attacker_is_told_what_can_be_done_and_what_not() -> None:
    names = sections().keys()
    for attacker in ATTACKERS:
        assert any(name.startswith(attacker) for name in names), attacker
    for name, lines in sections().items():
        whether = {cells[0].partition(",")[0] for cells in lines}
        assert whether == {"can", "cannot"}, name


def test_it_is_said_that_texts_and_embeddings_are_not_encrypted() -> None:
    assert "**Texts and embeddings are plaintext on disk.**" in MODEL
