"""The encoder that others are measured against: sentence-transformers on torch.

Reads any local sentence-transformers model. Invariant: nothing is ever downloaded.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atom_backend.domain.items import Vectors
from atom_backend.embedding.checked import check_vectors
from atom_backend.embedding.source import source_sha256
from atom_backend.errors import EmbedderUnavailable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH = 32


class SentenceTransformerEmbedder:
    """A local model, opened at the first use; one call at a time. Not to be used before a fork.

    ``threads`` is the number of torch's threads, which belong to the whole process.
    """

    def __init__(self, model_path: Path, *, threads: int | None = None) -> None:
        self._path = model_path
        self._threads = threads
        self._lock = threading.Lock()
        self._model: SentenceTransformer | None = None
        self._fingerprint = f"{model_path.name}/torch/{source_sha256(model_path)[:8]}"

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def dimension(self) -> int:
        with self._lock:
            return dimension_of(self._opened())

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text. Raises EmbedderUnavailable or RefusedVector."""
        with self._lock:
            model = self._opened()
            dimension = dimension_of(model)
            if not texts:
                return np.empty((0, dimension), dtype=np.float32)
            try:
                vectors = model.encode(
                    list(texts),
                    batch_size=_BATCH,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            except RuntimeError as error:
                raise EmbedderUnavailable(f"torch could not encode: {error}") from error
        return check_vectors(np.asarray(vectors, dtype=np.float32), len(texts), dimension)

    def _opened(self) -> SentenceTransformer:
        if self._model is None:
            self._model = open_model(self._path)
            if self._threads is not None:
                import torch

                torch.set_num_threads(self._threads)
        return self._model


def open_model(path: Path, *, attention: str | None = None) -> SentenceTransformer:
    """A local sentence-transformers model on the CPU. Raises EmbedderUnavailable.

    ``attention`` names an implementation of transformers; None leaves the choice to it.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(
            str(path),
            device="cpu",
            local_files_only=True,
            model_kwargs={"attn_implementation": attention},
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise EmbedderUnavailable(f"{path} cannot be opened as a model: {error}") from error


def dimension_of(model: SentenceTransformer) -> int:
    dimension = model.get_embedding_dimension()
    if dimension is None:
        raise EmbedderUnavailable("the model does not say how many dimensions its vectors have")
    return int(dimension)
