"""What holds for every file of the house, whoever wrote it.

Layers and cycles are import-linter's, style is ruff's, types are mypy's: here stands the rest.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from atom_backend.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "atom_backend"
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LONGEST = 400
MAY_CATCH_EVERYTHING = {"atom_backend/workers/loop.py", "atom_backend/http/errors.py"}
MAY_HOLD_SECRETS = [
    path
    for path in MODULES
    if {"http", "services", "vault", "providers"} & {*path.parts, path.stem}
]
SECRET_WORDS = {"digest", "hash", "mac", "password", "secret", "signature", "token", "verifier"}
COMPARES_WHAT_IS_NO_SECRET = {
    "atom_backend/http/cursors.py",  # which question a cursor belongs to
}
EMPTY_WORDS = {"manager", "handler", "helper", "util", "processor"}
EMPTY_ENDINGS = {"data", "info"}
LEFT_TO_DO = re.compile(r"\b(T[O]DO|FIX[M]E)\b")
DIRECT_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[.*\])?==\S+\s+# (?P<who>[^:]+): (?P<why>.+)")
WRITTEN_BY_HAND_UNTIL = "# ---- written by "


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def says_nothing(name: str) -> bool:
    """Whether a CamelCase or snake_case name holds a word that fits everything."""
    words = [word.lower().removesuffix("s") for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)]
    return bool(EMPTY_WORDS & set(words) or EMPTY_ENDINGS & set(words[-1:]))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(tree(path))


def imported_packages(path: Path) -> set[str]:
    """The top-level names of everything that a file imports, at any depth."""
    names: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def written_by_hand(requirements: str) -> list[str]:
    """The lines of a requirement file that name a direct dependency."""
    head, marker, _ = (ROOT / requirements).read_text().partition(WRITTEN_BY_HAND_UNTIL)
    assert marker, f"{requirements} lacks the line that ends the part written by hand"
    return [line for line in head.splitlines() if line and not line.startswith(("#", "-r "))]


def normal(distribution: str) -> str:
    """The name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def direct_pins(requirements: str) -> set[str]:
    pins = (DIRECT_PIN.fullmatch(line) for line in written_by_hand(requirements))
    return {normal(pin["name"]) for pin in pins if pin}


@pytest.mark.parametrize("path", MODULES + TESTS, ids=name_of)
def test_no_file_is_longer_than_can_be_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", MODULES + TESTS, ids=name_of)
def test_every_module_opens_by_saying_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path)), "a module opens with its purpose"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_loop_and_the_table_of_errors_swallow_everything(path: Path) -> None:
    blind = [
        node.lineno
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler)
        and not _raises_again(node)
        and {"Exception", "BaseException"} & _names_caught(node)
    ]
    assert not blind or name_of(path) in MAY_CATCH_EVERYTHING, f"lines {blind}"


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _names_caught(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {"BaseException"}
    return {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}


@pytest.mark.parametrize("path", MODULES + TESTS, ids=name_of)
def test_nothing_is_left_to_do_in_a_comment(path: Path) -> None:
    assert not LEFT_TO_DO.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_classes_are_named_after_what_they_are(path: Path) -> None:
    classes = [node.name for node in nodes(path) if isinstance(node, ast.ClassDef)]
    empty = [name for name in [path.stem, *classes] if says_nothing(name)]
    assert not empty


def _last_word(node: ast.expr) -> str:
    """Of what is compared: a name, an attribute or a call of one."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr.rpartition("_")[2]
    return node.id.rpartition("_")[2] if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("path", MAY_HOLD_SECRETS, ids=name_of)
def test_secrets_are_compared_in_constant_time(path: Path) -> None:
    """``==`` stops at the first difference; ``hmac.compare_digest`` and Argon2id's own do not."""
    compared = [
        node.lineno
        for node in nodes(path)
        if isinstance(node, ast.Compare)
        and any(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops)
        and not any(isinstance(one, ast.Constant) for one in [node.left, *node.comparators])
        and SECRET_WORDS & {_last_word(one) for one in [node.left, *node.comparators]}
    ]
    assert not compared or name_of(path) in COMPARES_WHAT_IS_NO_SECRET, f"lines {compared}"


def test_every_setting_is_explained_where_operators_look() -> None:
    explained = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    names = {str(field.alias) for field in Settings.model_fields.values()}
    unexplained = {name for name in names if not re.search(rf"\b{name}\b", explained)}
    assert not unexplained


def test_no_setting_is_explained_that_nobody_reads() -> None:
    explained = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    names = {str(field.alias) for field in Settings.model_fields.values()} | {"LANCEDB_LOG"}
    assert set(re.findall(r"\b(?:ATOM|DB|LANCEDB)_[A-Z_]*[A-Z]\b", explained)) <= names


@pytest.mark.parametrize("requirements", ["requirements.txt", "requirements-dev.txt"])
def test_every_direct_dependency_is_pinned_and_says_who_needs_it_what_for(
    requirements: str,
) -> None:
    assert [line for line in written_by_hand(requirements) if not DIRECT_PIN.fullmatch(line)] == []


@pytest.mark.parametrize(
    ("paths", "files"),
    [
        (MODULES, ["requirements.txt"]),
        (TESTS, ["requirements.txt", "requirements-dev.txt"]),
    ],
    ids=["service", "tests"],
)
def test_everything_imported_is_a_direct_pin(paths: list[Path], files: list[str]) -> None:
    ours = {"atom_backend", "tests", "migrations", "benchmarks", "wsgi"}
    imported = set().union(*map(imported_packages, paths)) - ours - sys.stdlib_module_names
    pinned = set().union(*map(direct_pins, files))
    providers = packages_distributions()
    unpinned = {
        name for name in imported if not {normal(one) for one in providers.get(name, ())} & pinned
    }
    assert not unpinned


@pytest.mark.parametrize("requirements", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_that_those_need_in_turn_is_pinned_too(requirements: str) -> None:
    _, _, tail = (ROOT / requirements).read_text().partition(WRITTEN_BY_HAND_UNTIL)
    lines = tail.splitlines()[1:]
    assert lines
    assert [line for line in lines if not re.match(r"[a-z0-9.-]+(\[.*\])?==\S+ ", line)] == []
