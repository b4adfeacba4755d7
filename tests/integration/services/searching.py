"""Short ways to fill a partition and to ask it questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from atom_backend.clock import new_id
from atom_backend.domain.items import Kind
from atom_backend.domain.ports import Embedder, Transactions, VectorSearch
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.search import SearchAnswer, SearchMode, SearchRequest
from atom_backend.services.search import SearchService
from tests.deterministic import BagOfWords
from tests.integration.coordinator.stage import Stage
from tests.making import a_draft

MODES = list(SearchMode)


def fill(
    stage: Stage, texts: Sequence[str], owner: Principal | None = None, **fields: Any
) -> list[UUID]:
    """One document a text, all indexed."""
    owner = owner or stage.owner
    items = [new_id() for _ in texts]
    with stage.transactions.owner(owner) as work:
        for item_id, text in zip(items, texts, strict=True):
            work.records(DOCUMENTS).add(item_id, a_draft(text, **({"title": "Note"} | fields)))
            work.index.want(item_id, Kind.DOCUMENT, 1)
    stage.converge(stage.relay(batch=500))
    return items


def ask(
    stage: Stage,
    query: str,
    *,
    by: Principal | None = None,
    embedder: Embedder | None = None,
    vectors: VectorSearch | None = None,
    transactions: Transactions | None = None,
    **request: Any,
) -> SearchAnswer:
    service = SearchService(
        transactions or stage.transactions, vectors or stage.vectors, embedder or BagOfWords()
    )
    return service.search(by or stage.owner, SearchRequest(query, **request))


def found(answer: SearchAnswer) -> list[UUID]:
    return [result.item_id for result in answer.results]


def overwrite_manifests(lance: Path, content: bytes) -> None:
    """Damage every table beyond reading."""
    for manifest in lance.glob("*.lance/_versions/*"):
        manifest.write_bytes(content)
