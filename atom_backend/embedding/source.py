"""Which model is meant: the installed one, or a folder that the operator names.

Invariant: two sources with one hash are the same model, weights and configuration alike.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from atom_backend.embedding.manifest import file_sha256
from atom_backend.embedding.packaged_model import MODEL_NAME, WEIGHTS_SHA256, packaged_model
from atom_backend.errors import EmbedderUnavailable

_CONFIGURATION = {".json", ".txt", ".model"}
_WEIGHTS = {".safetensors", ".bin"}
_OTHER_ENGINES = {"onnx", "openvino"}


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A sentence-transformers model: the installed one where ``path`` is None."""

    name: str
    sha256: str
    path: Path | None = None

    def folder(self) -> Path:
        """Where it lies. Raises EmbedderUnavailable when it is not installed or not genuine."""
        return self.path or packaged_model()


def model_source(path: Path | None = None) -> ModelSource:
    """Raises EmbedderUnavailable when ``path`` holds no model.

    The installed model is named by the hash of the published weights, so that nothing of it need
    be read to find its export.
    """
    if path is None:
        return ModelSource(MODEL_NAME, WEIGHTS_SHA256)
    return ModelSource(path.resolve().name, source_sha256(path), path)


def source_sha256(folder: Path) -> str:
    """One hash over the names and contents of a model's weights and configuration.

    Raises EmbedderUnavailable when the folder holds no weights.
    """
    files = [file for file in sorted(folder.rglob("*")) if _matters(file.relative_to(folder))]
    if not any(file.suffix in _WEIGHTS for file in files):
        raise EmbedderUnavailable(f"{folder} holds no weights of a sentence-transformers model")
    lines = [f"{file_sha256(file)}  {file.relative_to(folder).as_posix()}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _matters(file: Path) -> bool:
    return file.suffix in _WEIGHTS | _CONFIGURATION and not _OTHER_ENGINES & set(file.parts)
