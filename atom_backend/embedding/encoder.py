"""An embedder and the chunker that fits its window, opened together.

Invariant: the chunker counts with the very tokenizer of the model that reads the chunks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from atom_backend.domain.ports import Embedder
from atom_backend.embedding.chunker import MAX_TOKENS, PackingChunker
from atom_backend.embedding.export import ensure_exported
from atom_backend.embedding.manifest import TOKENIZER, read_manifest
from atom_backend.embedding.onnx_encoder import OnnxEmbedder
from atom_backend.embedding.reference_encoder import SentenceTransformerEmbedder
from atom_backend.embedding.source import model_source
from atom_backend.embedding.tokens import ModelTokenizer

_WINDOW_FILE = "sentence_bert_config.json"


@dataclass(frozen=True, slots=True)
class Encoder:
    """What turns text into chunks and vectors under one index spec."""

    embedder: Embedder
    chunker: PackingChunker


def open_onnx(exports: Path, *, model: Path | None, threads: int) -> Encoder:
    """The exported model below ``exports``, exported first if need be.

    ``model`` is a sentence-transformers folder, None for the installed one. Raises
    EmbedderUnavailable.
    """
    folder = ensure_exported(exports, model)
    tokenizer = ModelTokenizer(folder / TOKENIZER)
    window = read_manifest(folder).max_tokens
    return Encoder(
        OnnxEmbedder(folder, threads=threads), PackingChunker(tokenizer, max_tokens=window)
    )


def open_reference(*, model: Path | None, threads: int) -> Encoder:
    """The model as sentence-transformers runs it: slower, and loads torch. Raises
    EmbedderUnavailable."""
    folder = model_source(model).folder()
    tokenizer = ModelTokenizer(folder / "tokenizer.json")
    return Encoder(
        SentenceTransformerEmbedder(folder, threads=threads),
        PackingChunker(tokenizer, max_tokens=_window(folder)),
    )


def _window(folder: Path) -> int:
    file = folder / _WINDOW_FILE
    if not file.is_file():
        return MAX_TOKENS
    return int(json.loads(file.read_text(encoding="utf-8")).get("max_seq_length") or MAX_TOKENS)
