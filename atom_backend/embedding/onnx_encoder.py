"""The encoder that serves: onnxruntime on an exported int8 file, without torch.

Each text is one call of one intra-op thread, ``threads`` of them at a time. Larger calls would be
a little faster for short texts, but quantisation scales depend on everything in a call: this way
a text has the same vector whatever stands beside it. Invariant: a session is used only by the
process that opened it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atom_backend.domain.items import Vectors
from atom_backend.embedding.checked import check_vectors
from atom_backend.embedding.manifest import (
    MODEL,
    TOKENIZER,
    Manifest,
    check_files,
    read_manifest,
)
from atom_backend.embedding.tokens import ModelTokenizer
from atom_backend.errors import EmbedderUnavailable


class OnnxEmbedder:
    """An exported model (see ``export``); opened at the first use, safe to share among threads.

    Raises EmbedderUnavailable here when ``model_folder`` has no manifest, and at the first use
    when its files are damaged.
    """

    def __init__(self, model_folder: Path, *, threads: int = 2) -> None:
        self._folder = model_folder
        self._threads = threads
        self._manifest = read_manifest(model_folder)
        # Keyed by process: after a fork neither a copied session nor a lock that another thread
        # held at that moment may be touched.
        self._engines: dict[int, _Engine] = {}
        self._locks: dict[int, threading.Lock] = {}

    @property
    def fingerprint(self) -> str:
        return self._manifest.fingerprint

    @property
    def dimension(self) -> int:
        return self._manifest.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text. Raises EmbedderUnavailable or RefusedVector."""
        rows = self._engine().encode(texts) if texts else []
        stacked = np.stack(rows) if rows else np.empty((0, self.dimension), dtype=np.float32)
        return check_vectors(stacked, len(texts), self.dimension)

    def _engine(self) -> _Engine:
        process = os.getpid()
        engine = self._engines.get(process)
        if engine is None:
            with self._locks.setdefault(process, threading.Lock()):
                engine = self._engines.get(process)
                if engine is None:
                    engine = _Engine(self._folder, self._manifest, self._threads)
                    self._engines[process] = engine
        return engine


class _Engine:
    """One open session with its tokenizer and threads."""

    def __init__(self, folder: Path, manifest: Manifest, threads: int) -> None:
        check_files(folder, manifest)
        self._tokenizer = ModelTokenizer(folder / TOKENIZER)
        self._limit = manifest.max_tokens
        self._session = _open_session(folder / MODEL)
        self._failures = _engine_failures()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="encoder")

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        if len(texts) == 1:
            return [self._encode_one(texts[0])]
        return list(self._pool.map(self._encode_one, texts))

    def _encode_one(self, text: str) -> NDArray[np.float32]:
        ids = np.array([self._tokenizer.ids(text, self._limit)], dtype=np.int64)
        try:
            [vectors] = self._session.run(None, {"input_ids": ids})
        except self._failures as error:
            raise EmbedderUnavailable(f"the model could not encode a text: {error}") from error
        row: NDArray[np.float32] = vectors[0]
        return row


def _open_session(file: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena never gives memory back
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except _engine_failures() as error:
        raise EmbedderUnavailable(f"{file} cannot be opened: {error}") from error


def _engine_failures() -> tuple[type[Exception], ...]:
    """Every error of onnxruntime, which have no common class of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = [value for value in vars(state).values() if isinstance(value, type)]
    return (MemoryError, *(kind for kind in found if issubclass(kind, Exception)))
