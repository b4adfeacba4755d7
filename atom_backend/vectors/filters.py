"""The only place where LanceDB filters are made.

A stray quote in a LanceDB filter returns every row of everyone. Invariant: a filter contains
nothing but column names and operators written in this file, identifiers printed as hexadecimal
digits, integers, and names of ``Kind`` members; no text that came from a user or from a document.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import NewType
from uuid import UUID

from atom_backend.domain.items import Kind
from atom_backend.domain.principals import OwnerScope

Filter = NewType("Filter", str)

BATCH = 5_000
"""Identifiers in one filter, at most."""

PAIRS = 200
"""The same where each has a condition of its own."""


def visible(
    scope: OwnerScope,
    kinds: Collection[Kind] = (),
    item_ids: Collection[UUID] | None = None,
) -> Filter:
    """The owner's rows, of these kinds (none given: all) and items (``None``: all)."""
    conditions = [f"owner_id = {_literal(scope.owner_id)}"]
    if kinds:
        conditions.append(f"kind IN ({', '.join(_quoted(kind) for kind in sorted(kinds))})")
    if item_ids is not None:
        conditions.append(_is_one_of("document_id", item_ids))
    return Filter(" AND ".join(conditions))


def items(item_ids: Collection[UUID]) -> Filter:
    """Every row of these items."""
    return Filter(_is_one_of("document_id", item_ids))


def older(item_ids: Collection[UUID], fence: int) -> Filter:
    """These items' rows that were written under a lower fence."""
    return Filter(f"{items(item_ids)} AND fence < {fence:d}")


def fenced(item_ids: Collection[UUID], fence: int) -> Filter:
    """These items' rows that were written under exactly this fence."""
    return Filter(f"{items(item_ids)} AND fence = {fence:d}")


def foreign(owners: Mapping[UUID, UUID]) -> Filter:
    """Rows of these items that belong to somebody else than the owner who is named.

    At most ``PAIRS`` items.
    """
    arms = (
        f"({items([item_id])} AND owner_id <> {_literal(owner_id)})"
        for item_id, owner_id in owners.items()
    )
    return Filter(" OR ".join(arms) or "false")


def batches(identifiers: Iterable[UUID], size: int = BATCH) -> Iterator[tuple[UUID, ...]]:
    """The distinct identifiers, in groups that fit into one filter."""
    distinct = iter(dict.fromkeys(identifiers))
    while batch := tuple(islice(distinct, size)):
        yield batch


def _is_one_of(column: str, identifiers: Collection[UUID]) -> str:
    if not identifiers:
        return "false"
    return f"{column} IN ({', '.join(_literal(identifier) for identifier in identifiers)})"


def _literal(identifier: UUID) -> str:
    return f"X'{identifier.int:032x}'"


def _quoted(kind: Kind) -> str:
    return f"'{Kind(kind).value}'"
