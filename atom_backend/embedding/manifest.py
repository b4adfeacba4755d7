"""What an exported model says about itself: ``manifest.json`` beside ``model.onnx``.

Invariant: a folder is accepted only when its files have the hashes that the manifest names, so
that a half-written or damaged export never encodes anything.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from atom_backend.errors import EmbedderUnavailable

MANIFEST = "manifest.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Cosine between the exported model and its source, over the samples."""

    mean: float
    lowest: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """An exported model; ``recipe`` names how the file was made from the source."""

    name: str
    recipe: str
    source_sha256: str
    model_sha256: str
    tokenizer_sha256: str
    dimension: int
    max_tokens: int
    agreement: Agreement | None = None

    @property
    def fingerprint(self) -> str:
        """Name, engine and the files' hash: other files, another fingerprint."""
        files = f"{self.model_sha256}{self.tokenizer_sha256}".encode()
        return f"{self.name}/{self.recipe}/{hashlib.sha256(files).hexdigest()[:8]}"

    @property
    def folder_name(self) -> str:
        return self.fingerprint.replace("/", "_")

    def write(self, folder: Path) -> None:
        content = {"fingerprint": self.fingerprint, **asdict(self)}
        (folder / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an exported model. Raises EmbedderUnavailable."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        fingerprint, agreement = content.pop("fingerprint"), content.pop("agreement")
        manifest = Manifest(**content, agreement=agreement and Agreement(**agreement))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise EmbedderUnavailable(f"{folder} holds no exported model: {error}") from error
    if fingerprint != manifest.fingerprint:
        raise EmbedderUnavailable(f"{folder / MANIFEST} contradicts itself: export the model again")
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raises EmbedderUnavailable unless the files are those that the manifest names."""
    expected = {MODEL: manifest.model_sha256, TOKENIZER: manifest.tokenizer_sha256}
    for name, sha256 in expected.items():
        file = folder / name
        if not file.is_file() or file_sha256(file) != sha256:
            raise EmbedderUnavailable(f"{file} is missing or damaged: export the model again")


def file_sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
