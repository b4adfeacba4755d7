"""How good the rankings are: vector, text and hybrid search over REST, beside BM25.

    .venv/bin/python benchmarks/quality.py DATA_FOLDER

Invariant: every ranking of a set is of the same documents for the same questions, and is judged
by the same measures.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import Any

import bm25s
import click
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measures import ndcg, recall
from benchmarks.report import show_machine, show_table
from benchmarks.retrieval_sets import RetrievalSet, SetQuery, read_set
from benchmarks.service import Service, running_service

MODES = ("vector", "text", "hybrid")
CUT = 10

Ranker = Callable[[SetQuery], Sequence[str]]


@click.command()
@click.argument("data_folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--set",
    "names",
    multiple=True,
    default=("scifact-subset", "clinc150"),
    show_default=True,
    help="A folder of DATA_FOLDER; may be repeated.",
)
def main(data_folder: Path, names: tuple[str, ...]) -> None:
    """Measure nDCG@10 and recall@10 of every search mode on the sets in DATA_FOLDER.

    Each set is a folder with corpus.jsonl, queries.jsonl and qrels.tsv. A service of its own is
    started, loaded with the documents and asked the judged questions; BM25 (bm25s with its
    defaults, on title and text) is measured on the same. Takes about ten minutes on two cores.
    """
    show_machine()
    with (
        tempfile.TemporaryDirectory(prefix="atom-quality-") as folder,
        running_service(Path(folder)) as service,
    ):
        for name in names:
            _measure(service, read_set(data_folder / name))


def _measure(service: Service, chosen: RetrievalSet) -> None:
    click.echo(f"{chosen.name}: {len(chosen.documents)} documents, {len(chosen.queries)} questions")
    scores = {**_search_modes(service, chosen), **_bm25(chosen)}
    rows = [[name, f"{gain:.4f}", f"{found:.4f}"] for name, (gain, found) in scores.items()]
    show_table(["ranking", f"nDCG@{CUT}", f"recall@{CUT}"], rows)
    click.echo(_verdict(scores) + "\n")


def _search_modes(service: Service, chosen: RetrievalSet) -> dict[str, tuple[float, float]]:
    with service.client(service.register()) as client:
        names = client.load(chosen.documents)
        client.wait_until_indexed()

        def ranker(mode: str) -> Ranker:
            return lambda query: [names[found] for found in client.search(query.text, mode)]

        return {mode: _score(chosen, ranker(mode), mode) for mode in MODES}


def _bm25(chosen: RetrievalSet) -> dict[str, tuple[float, float]]:
    """bm25s as it comes and, where PyStemmer is installed, with English stemming."""
    stemmers: dict[str, Any] = {"bm25s": None}
    if find_spec("Stemmer"):
        stemmers["bm25s, stemmed"] = import_module("Stemmer").Stemmer("english")
    return {name: _bm25_scores(chosen, name, stemmer) for name, stemmer in stemmers.items()}


def _bm25_scores(chosen: RetrievalSet, name: str, stemmer: Any) -> tuple[float, float]:
    texts = [f"{document.title}\n{document.text}" for document in chosen.documents]
    index = bm25s.BM25()
    index.index(bm25s.tokenize(texts, stemmer=stemmer, show_progress=False), show_progress=False)

    def ranking(query: SetQuery) -> Sequence[str]:
        words = bm25s.tokenize([query.text], stemmer=stemmer, show_progress=False)
        places, scores = index.retrieve(words, k=CUT, show_progress=False)
        found = zip(places[0], scores[0], strict=True)
        return [chosen.documents[int(place)].name for place, score in found if score > 0]

    return _score(chosen, ranking, name)


def _score(chosen: RetrievalSet, rank: Ranker, name: str) -> tuple[float, float]:
    """Mean nDCG and mean recall over all questions."""
    gains, found = [], []
    for query in tqdm(chosen.queries, desc=name, leave=False):
        ranking = rank(query)
        gains.append(ndcg(ranking, query.judged, CUT))
        found.append(recall(ranking, query.judged, CUT))
    return fmean(gains), fmean(found)


def _verdict(scores: Mapping[str, tuple[float, float]]) -> str:
    legs = max(scores["vector"][0], scores["text"][0])
    difference = scores["hybrid"][0] - legs
    where = "not below" if difference >= 0 else "BELOW"
    return f"hybrid is {where} the better leg ({difference:+.4f} nDCG@{CUT})"


if __name__ == "__main__":
    main()
