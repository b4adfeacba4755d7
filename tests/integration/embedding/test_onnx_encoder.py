"""The encoder that serves, with the real model and with broken ones."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from atom_backend.embedding import onnx_encoder
from atom_backend.embedding.manifest import MANIFEST, MODEL, TOKENIZER
from atom_backend.embedding.onnx_encoder import OnnxEmbedder
from atom_backend.errors import EmbedderUnavailable, RefusedVector
from tests.integration.embedding.conftest import MakeModel

ROOT = Path(__file__).resolve().parents[3]
TEXTS = [
    "The plumber comes on Friday.",
    "",
    "A long walk by the sea. " * 30,
    "\ud800 lone",
    "naïve café",
]


def run_alone(code: str, *arguments: Path) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_text_gets_a_row_of_length_one(embedder: OnnxEmbedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension) == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(embedder: OnnxEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_a_vector_does_not_depend_on_its_neighbours(embedder: OnnxEmbedder) -> None:
    together = embedder.embed(TEXTS)
    alone = np.vstack([embedder.embed([text]) for text in TEXTS])
    np.testing.assert_array_equal(together, alone)


def test_what_exceeds_the_window_is_ignored(embedder: OnnxEmbedder) -> None:
    window = "word " * 254
    first, second, shorter = embedder.embed([window + "apple", window + "war", "word " * 253])
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, shorter)


def test_related_texts_are_nearer_than_others(embedder: OnnxEmbedder) -> None:
    question, answer, other = embedder.embed(
        ["When is my flight?", "Departure from Lisbon airport at 14:20", "Feed the cat twice a day"]
    )
    assert question @ answer > question @ other + 0.1


def test_threads_that_come_first_together_open_the_model_once(
    exported: Path, embedder: OnnxEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    open_session = onnx_encoder._open_session

    def counted(file: Path) -> object:
        opened.append(file)
        return open_session(file)

    monkeypatch.setattr(onnx_encoder, "_open_session", counted)
    fresh = OnnxEmbedder(exported)
    start = Barrier(8)

    def encode(_: int) -> bytes:
        start.wait(timeout=30)
        return fresh.embed(TEXTS[:3]).tobytes()

    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(encode, range(8)))
    assert answers == {embedder.embed(TEXTS[:3]).tobytes()}
    assert len(opened) == 1


def test_serving_does_not_import_torch() -> None:
    modules = run_alone(
        """
import sys
from pathlib import Path
from atom_backend.embedding.chunker import PackingChunker
from atom_backend.embedding.export import ensure_exported
from atom_backend.embedding.onnx_encoder import OnnxEmbedder
from atom_backend.embedding.reference_encoder import SentenceTransformerEmbedder
from atom_backend.embedding.tokens import ModelTokenizer

folder = ensure_exported(Path(".atom/models"))
PackingChunker(ModelTokenizer(folder / "tokenizer.json")).split("text")
OnnxEmbedder(folder).embed(["text", "more"])
print(*sys.modules)
"""
    ).split()
    assert "onnxruntime" in modules
    assert not {"torch", "transformers", "sentence_transformers", "onnx"} & set(modules)


def test_a_child_forked_after_the_first_use_encodes_too(exported: Path) -> None:
    answer = run_alone(
        """
import os, signal, sys
from pathlib import Path
from atom_backend.embedding.onnx_encoder import OnnxEmbedder

embedder = OnnxEmbedder(Path(sys.argv[1]))
before = embedder.embed(["one", "two"])
child = os.fork()
if child == 0:
    signal.alarm(30)  # a child that hangs dies of it
    os._exit(0 if (embedder.embed(["one", "two"]) == before).all() else 1)
print(os.waitpid(child, 0)[1])
""",
        exported,
    )
    assert answer == "0"


@pytest.mark.parametrize("row", [[0.0, 0.0], [np.nan, 1.0], [3.0, 4.0]])
def test_a_model_that_gives_bad_vectors_is_refused(row: list[float], tiny_model: MakeModel) -> None:
    embedder = OnnxEmbedder(tiny_model(np.array(row, dtype=np.float32)))
    with pytest.raises(RefusedVector, match="row 0"):
        embedder.embed(["one", "two"])


def test_a_folder_without_an_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="no exported model"):
        OnnxEmbedder(tmp_path)


@pytest.mark.parametrize("name", [MODEL, TOKENIZER])
def test_a_damaged_file_is_refused(name: str, tiny_model: MakeModel) -> None:
    folder = tiny_model(np.array([1.0, 0.0], dtype=np.float32))
    assert OnnxEmbedder(folder).embed(["text"]).shape == (1, 2)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(EmbedderUnavailable, match="damaged"):
        OnnxEmbedder(folder).embed(["text"])


def test_a_manifest_that_was_changed_is_refused(tiny_model: MakeModel) -> None:
    folder = tiny_model(np.array([1.0, 0.0], dtype=np.float32))
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "model_sha256": "1" * 64}))
    with pytest.raises(EmbedderUnavailable, match="contradicts"):
        OnnxEmbedder(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"fingerprint": 1, "agreement": null}'])
def test_half_a_manifest_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(EmbedderUnavailable, match="no exported model"):
        OnnxEmbedder(tmp_path)


def test_a_file_that_is_no_model_is_unavailable_not_a_crash(tiny_model: MakeModel) -> None:
    folder = tiny_model(np.array([1.0, 0.0], dtype=np.float32), content=b"not a model")
    with pytest.raises(EmbedderUnavailable, match="cannot be opened"):
        OnnxEmbedder(folder).embed(["text"])


def test_the_fingerprint_changes_with_the_file(tiny_model: MakeModel) -> None:
    rows = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    first, same, other = (
        OnnxEmbedder(tiny_model(np.array(row, dtype=np.float32))).fingerprint for row in rows
    )
    assert first == same
    assert first != other
