"""What is answered of an item that a search found."""

from __future__ import annotations

from atom_backend.domain.fusion import Candidate
from atom_backend.domain.search import Hit, SearchRequest, SearchResult
from atom_backend.services.passages import passage_of
from atom_backend.services.survivors import Survivor


def result_of(survivor: Survivor[Candidate], request: SearchRequest) -> SearchResult:
    """The item as PostgreSQL has it, with the passages that were found."""
    shown = _shown(survivor, request.chunks)
    stored = survivor.stored
    return SearchResult(
        item_id=stored.id,
        kind=survivor.candidate.kind,
        title=stored.title,
        score=survivor.candidate.score,
        revision=stored.revision,
        stale=shown[0].revision != stored.content_revision,
        passages=tuple(passage_of(request, hit) for hit in shown),
        stored=stored,
    )


def _shown(survivor: Survivor[Candidate], count: int) -> list[Hit]:
    """The best chunks of the present text, or of an older one while that is all there is."""
    candidate, wanted = survivor.candidate, survivor.stored.content_revision
    revisions = candidate.revisions
    return candidate.hits(wanted if wanted in revisions else max(revisions), count)
