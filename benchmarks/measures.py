"""The measures: ranking quality as trec_eval computes it, and percentiles.

Invariant: pure functions of what they are given; an item that is ranked twice counts once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def ndcg(ranking: Sequence[str], judged: Mapping[str, int], k: int) -> float:
    """Normalised discounted cumulative gain of the first ``k`` ranks, in [0, 1].

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4),
    2002, in the form of trec_eval's ``ndcg_cut``: the gain is the judged grade, divided by
    log2(rank + 1); the ideal ranking is made of all judged items. 0 where nothing is relevant.
    """
    ideal = _dcg(sorted(judged.values(), reverse=True)[:k])
    distinct = list(dict.fromkeys(ranking))[:k]
    return _dcg([judged.get(item, 0) for item in distinct]) / ideal if ideal else 0.0


def recall(ranking: Sequence[str], judged: Mapping[str, int], k: int) -> float:
    """Which part of all relevant items stands in the first ``k`` ranks; 0 where none is relevant.

    Where more than ``k`` items are relevant, even a perfect ranking stays below 1.
    """
    relevant = {item for item, grade in judged.items() if grade > 0}
    found = relevant.intersection(list(dict.fromkeys(ranking))[:k])
    return len(found) / len(relevant) if relevant else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of ``values`` lies, interpolated linearly.

    Definition 7 of Hyndman and Fan, "Sample quantiles in statistical packages", The American
    Statistician 50(4), 1996; numpy's default. Raises ValueError when there are no values.
    """
    if not values:
        raise ValueError("no values, no percentile")
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def _dcg(grades: Sequence[int]) -> float:
    return sum(max(grade, 0) / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))
