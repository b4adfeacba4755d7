"""The tables of docs/permissions.md: as they must be, and as the document has them.

``python -m tests.integration.http.permission_table`` writes them anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from atom_backend.domain.permissions import ABOUT, NEVER_BY_KEY, SCOPES, Role, Scope
from atom_backend.http.application import RESOURCES

DOCUMENT = Path(__file__).parents[3] / "docs" / "permissions.md"
PUBLIC = "public"
EVERYBODY = "everybody"
_SCOPES = ("scope", "what it opens", *Role, "API key")
_ROUTES = ("route", "scope", "who")


def scope_rows() -> Iterator[tuple[str, ...]]:
    for scope in Scope:
        roles = ("yes" if scope in SCOPES[role] else "" for role in Role)
        yield f"`{scope}`", ABOUT[scope], *roles, "" if scope in NEVER_BY_KEY else "yes"


def route_rows() -> Iterator[tuple[str, ...]]:
    for route in sorted(
        (route for group in RESOURCES for route in group.declared),
        key=lambda route: (route.path, route.method),
    ):
        label = f"`{route.method} {route.path}`"
        if route.needs is None:
            yield label, PUBLIC, EVERYBODY
        else:
            who = [role for role in Role if route.needs in SCOPES[role]]
            yield label, f"`{route.needs}`", ", ".join(who)


def read(first_column: str) -> list[tuple[str, ...]]:
    """The rows of the document's table whose first column is called so."""
    lines = iter(DOCUMENT.read_text().splitlines())
    for line in lines:
        if line.startswith(f"| {first_column} |"):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
    return rows


def _table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    ruled = "|---" * len(columns) + "|"
    return "\n".join([_line(columns), ruled, *map(_line, rows)]) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


if __name__ == "__main__":
    told = DOCUMENT.read_text().partition("## Scopes\n")[0]
    scopes, routes = _table(_SCOPES, scope_rows()), _table(_ROUTES, route_rows())
    DOCUMENT.write_text(f"{told}## Scopes\n\n{scopes}\n## Routes\n\n{routes}")
