"""The export of the model: once, verified, by one process, and never half."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from atom_backend.embedding import export, packaged_model
from atom_backend.embedding.conversion import agree
from atom_backend.embedding.export import ensure_exported, find_export
from atom_backend.embedding.manifest import MODEL, read_manifest
from atom_backend.embedding.packaged_model import check_weights
from atom_backend.embedding.source import model_source, source_sha256
from atom_backend.errors import EmbedderUnavailable
from tests.integration.embedding.conftest import KEPT, MakeModel

ROOT = Path(__file__).resolve().parents[3]


def test_an_existing_export_is_found_without_another_process(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(subprocess, "run")
    assert ensure_exported(KEPT) == exported


def test_an_export_says_what_it_is_and_how_well_it_agrees(exported: Path) -> None:
    manifest = read_manifest(exported)
    assert (manifest.dimension, manifest.max_tokens) == (384, 256)
    assert manifest.source_sha256 == packaged_model.WEIGHTS_SHA256
    assert manifest.agreement is not None
    assert manifest.agreement.mean >= 0.99
    assert manifest.agreement.lowest >= 0.97


def test_racing_exports_replace_what_a_killed_or_damaged_one_left(
    exported: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(exported, folder / exported.name)
    (folder / exported.name / MODEL).write_bytes(b"half")
    shutil.copytree(exported, folder / ".staging-killed" / "finished")
    assert find_export(folder, model_source()) is None

    command = [sys.executable, "-m", export.__name__, str(folder)]
    racers = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    answers = {Path(racer.communicate(timeout=110)[0].decode().strip()) for racer in racers}

    assert answers == {folder / exported.name}, "the same source gives the same fingerprint"
    assert find_export(folder, model_source()) == folder / exported.name
    assert {entry.name for entry in folder.iterdir()} == {exported.name, ".lock"}


def test_a_model_that_cannot_be_opened_leaves_nothing_behind(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(b"no weights")
    (model / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(EmbedderUnavailable, match="cannot be opened as a model"):
        ensure_exported(tmp_path / "models", model)
    assert {entry.name for entry in (tmp_path / "models").iterdir()} == {".lock"}


def test_an_export_of_another_source_is_not_taken(tmp_path: Path, tiny_model: MakeModel) -> None:
    tiny_model(np.array([1.0, 0.0], dtype=np.float32))
    assert find_export(tmp_path, model_source()) is None


def test_an_export_in_a_hidden_folder_is_not_taken(tmp_path: Path, tiny_model: MakeModel) -> None:
    row = np.array([1.0, 0.0], dtype=np.float32)
    folder = tiny_model(row, source_sha256=packaged_model.WEIGHTS_SHA256)
    assert find_export(tmp_path, model_source()) == folder
    folder.rename(tmp_path / ".staging-1")
    assert find_export(tmp_path, model_source()) is None


def test_a_source_is_known_by_all_that_decides_its_vectors(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    hashes = {source_sha256(tmp_path)}
    (tmp_path / "config.json").write_text("{}")
    hashes.add(source_sha256(tmp_path))
    (tmp_path / "config.json").rename(tmp_path / "modules.json")
    hashes.add(source_sha256(tmp_path))
    assert len(hashes) == 3
    (tmp_path / "README.md").write_text("about")
    assert source_sha256(tmp_path) in hashes


def test_a_folder_without_weights_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="no weights"):
        ensure_exported(tmp_path / "models", tmp_path)


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(EmbedderUnavailable, match="install"):
        check_weights(tmp_path / "model.safetensors")


def test_a_missing_model_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged_model, "_PACKAGE", "gt_no_such_package")
    with pytest.raises(EmbedderUnavailable, match="install"):
        packaged_model.packaged_model()


@pytest.mark.parametrize("cosine", [0.98, np.nan])
def test_a_model_that_disagrees_with_its_source_is_refused(cosine: float) -> None:
    reference = np.tile(np.array([1.0, 0.0], dtype=np.float32), (4, 1))
    assert agree(reference, reference).lowest == 1
    turned = np.tile(np.array([cosine, np.sqrt(1 - cosine**2)], dtype=np.float32), (4, 1))
    with pytest.raises(EmbedderUnavailable, match="does not agree"):
        agree(turned, reference)


def test_one_text_that_disagrees_is_enough() -> None:
    reference = np.tile(np.array([1.0, 0.0], dtype=np.float32), (1000, 1))
    vectors = reference.copy()
    vectors[7] = [0.96, 0.28]
    with pytest.raises(EmbedderUnavailable, match="does not agree"):
        agree(vectors, reference)
