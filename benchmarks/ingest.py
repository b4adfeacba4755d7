"""How fast documents become searchable, beside encoding alone.

    .venv/bin/python benchmarks/ingest.py DATA_FOLDER

The service: from the first byte of a bulk import to the moment when the last document is indexed.
The baseline: ``SentenceTransformer.encode`` of exactly the chunks that the service made. They take
turns and never run at once. Invariant: both are timed on the same texts in the same run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from atom_backend.domain.items import embedding_text
from atom_backend.embedding.encoder import open_onnx
from atom_backend.embedding.packaged_model import packaged_model
from benchmarks.report import show_machine, show_table
from benchmarks.retrieval_sets import SetDocument, read_set
from benchmarks.service import Service, models_folder, running_service

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BATCH = 32
TORCH_THREADS = 2
GOAL = 2.0


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of each: how many chunks, and how many seconds they took."""

    chunks: int
    service_seconds: float
    encode_seconds: float

    def row(self, name: str) -> list[str]:
        """Chunks per second of the service and of encoding alone, and their ratio."""
        service, encode = self.chunks / self.service_seconds, self.chunks / self.encode_seconds
        return [
            name,
            f"{self.chunks}",
            f"{service:.1f}",
            f"{encode:.1f}",
            f"{service / encode:.2f}",
        ]


@click.command()
@click.argument("data_folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--set", "name", default="scifact-subset", show_default=True, help="Which set.")
@click.option("--documents", default=300, show_default=True, help="How many in each round.")
@click.option("--rounds", default=3, show_default=True, help="Each with other documents.")
def main(data_folder: Path, name: str, documents: int, rounds: int) -> None:
    """Measure chunks per second of a bulk import, and of SentenceTransformer.encode alone.

    DATA_FOLDER holds the set's folder with its corpus.jsonl. Nothing else should be running on
    the machine. Takes about three minutes on two cores.
    """
    show_machine()
    chosen = read_set(data_folder / name).documents
    if len(chosen) < documents * rounds:
        raise click.BadParameter(f"{name} has only {len(chosen)} documents")
    model = _warm_model()
    with (
        tempfile.TemporaryDirectory(prefix="atom-ingest-") as folder,
        running_service(Path(folder)) as service,
    ):
        _ingest(service, chosen[:1])  # the first one opens the model
        measured = [
            _round(service, model, chosen[start : start + documents])
            for start in range(0, documents * rounds, documents)
        ]
    _show(measured)


def _warm_model() -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(TORCH_THREADS)
    model = SentenceTransformer(str(packaged_model()), device="cpu", local_files_only=True)
    model.encode(["warm up"], show_progress_bar=False)
    return model


def _round(service: Service, model: SentenceTransformer, documents: Sequence[SetDocument]) -> Round:
    seconds, texts = _ingest(service, documents)
    started = time.perf_counter()
    model.encode(texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
    return Round(len(texts), seconds, time.perf_counter() - started)


def _ingest(service: Service, documents: Sequence[SetDocument]) -> tuple[float, list[str]]:
    """Seconds of an import into a new account, and the texts that the model read for it."""
    with service.client(service.register()) as client:
        started = time.perf_counter()
        names = client.load(documents)
        client.wait_until_indexed()
        seconds = time.perf_counter() - started
        passages = {name: client.chunks(identifier) for identifier, name in names.items()}
    chunker = open_onnx(models_folder(), model=None, threads=1).chunker
    texts = [
        embedding_text(chunker.heading(document.title), passage)
        for document in documents
        for passage in passages[document.name]
    ]
    return seconds, texts


def _show(rounds: Sequence[Round]) -> None:
    total = Round(
        sum(one.chunks for one in rounds),
        sum(one.service_seconds for one in rounds),
        sum(one.encode_seconds for one in rounds),
    )
    rows = [one.row(f"{number}") for number, one in enumerate(rounds, start=1)]
    heading = ["round", "chunks", "service, chunks/s", "encode alone, chunks/s", "ratio"]
    show_table(heading, [*rows, total.row("all")])
    click.echo(f"goal: a ratio of at least {GOAL}")


if __name__ == "__main__":
    main()
