"""Nothing is missed because something was cut off before it was looked at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from atom_backend.domain.search import SearchFilter, SearchMode
from atom_backend.services import search
from tests.integration.coordinator.stage import Stage
from tests.integration.services.searching import MODES, ask, fill, found

TAGGED = SearchFilter(tags=("rare",))


def crowd(stage: Stage, size: int) -> list[UUID]:
    """Many that match well, and three, with the tag, that match worst of all."""
    fill(stage, [f"tides moon number{number}" for number in range(size - 3)])
    weak = "tides with very many other words that make it a poor match indeed, number"
    return fill(stage, [f"{weak}{number}" for number in range(3)], tags=("rare",))


@pytest.mark.parametrize("narrowest", [search.MOST_NARROWED, 2], ids=["narrowed", "deepened"])
def test_a_filter_finds_all_that_satisfy_it_among_300_better_matches(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, narrowest: int
) -> None:
    """By listing the three to LanceDB, and by looking deeper until they come up."""
    rare = crowd(stage, 300)
    monkeypatch.setattr(search, "MOST_NARROWED", narrowest)
    for mode in MODES:
        answer = ask(stage, "tides moon", mode=mode, filter=TAGGED)
        assert sorted(found(answer)) == sorted(rare)
        assert answer.next_offset is None
        assert answer.degraded == ()


@pytest.mark.parametrize("mode", MODES)
def test_a_match_behind_the_first_look_is_found_when_all_before_it_are_gone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, mode: SearchMode
) -> None:
    monkeypatch.setattr(search, "FIRST_DEPTH", 8)
    monkeypatch.setattr(search, "DEEPER", 2)
    rare = crowd(stage, 40)
    stage.sql("delete from items where not 'rare' = any(tags)")
    assert sorted(found(ask(stage, "tides moon", mode=mode))) == sorted(rare)


@pytest.mark.parametrize("mode", MODES)
def test_pages_neither_repeat_nor_skip(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, mode: SearchMode
) -> None:
    monkeypatch.setattr(search, "FIRST_DEPTH", 8)
    monkeypatch.setattr(search, "DEEPER", 2)
    texts = [f"tides {'moon ' * (number % 7)} number{number}" for number in range(40)]
    items = fill(stage, texts)
    for gone in items[::9]:
        stage.documents.remove(stage.owner, gone)
    walked: list[UUID] = []
    offset: int | None = 0
    while offset is not None:
        page = ask(stage, "tides moon", mode=mode, limit=7, offset=offset)
        assert len(page.results) == 7 or page.next_offset is None
        walked += found(page)
        offset = page.next_offset
    assert len(walked) == len(set(walked))
    assert set(walked) == set(items) - set(items[::9])
    assert walked == found(ask(stage, "tides moon", mode=mode, limit=100))


class Looks:
    """A vector store that remembers how deep it was asked."""

    def __init__(self, stage: Stage) -> None:
        self._vectors = stage.vectors
        self.depths: list[int] = []

    def search(self, *scope: Any, **asked: Any) -> Any:
        self.depths.append(asked["depth"])
        return self._vectors.search(*scope, **asked)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vectors, name)


@pytest.mark.parametrize("mode", MODES)
def test_a_lowest_score_cuts_the_ranking_and_ends_the_looking(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, mode: SearchMode
) -> None:
    monkeypatch.setattr(search, "FIRST_DEPTH", 8)
    monkeypatch.setattr(search, "DEEPER", 2)
    fill(stage, [f"tides {'moon ' * (number % 7)} number{number}" for number in range(40)])
    everything = ask(stage, "tides moon", mode=mode, limit=100).results
    lowest = everything[3].score
    looks = Looks(stage)
    answer = ask(stage, "tides moon", mode=mode, limit=100, min_score=lowest, vectors=looks)
    assert [one.score for one in answer.results] == [
        one.score for one in everything if one.score >= lowest
    ]
    assert answer.next_offset is None
    assert looks.depths[-1] <= 16
