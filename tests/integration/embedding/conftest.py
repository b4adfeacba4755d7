"""The real model, exported once and kept for later runs; and a tiny one that needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from atom_backend.embedding.export import ensure_exported
from atom_backend.embedding.manifest import MODEL, TOKENIZER, Manifest, file_sha256
from atom_backend.embedding.onnx_encoder import OnnxEmbedder
from atom_backend.embedding.recipe import local_recipe

KEPT = Path(__file__).resolve().parents[3] / ".atom" / "models"

MakeModel = Callable[..., Path]


@pytest.fixture(scope="session")
def exported() -> Path:
    return ensure_exported(KEPT)


@pytest.fixture(scope="session")
def embedder(exported: Path) -> OnnxEmbedder:
    return OnnxEmbedder(exported)


@pytest.fixture
def tiny_model(tmp_path: Path, exported: Path) -> MakeModel:
    """Makes the folder of a model that answers ``row``, whatever it is asked."""

    def make(
        row: NDArray[np.float32], *, content: bytes | None = None, source_sha256: str = "0" * 64
    ) -> Path:
        folder = tmp_path / f"tiny-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        (folder / MODEL).write_bytes(_constant_model(row) if content is None else content)
        (folder / TOKENIZER).write_bytes((exported / TOKENIZER).read_bytes())
        Manifest(
            name="tiny",
            recipe=local_recipe(),
            source_sha256=source_sha256,
            model_sha256=file_sha256(folder / MODEL),
            tokenizer_sha256=file_sha256(folder / TOKENIZER),
            dimension=row.size,
            max_tokens=16,
        ).write(folder)
        return folder

    return make


def _constant_model(row: NDArray[np.float32]) -> bytes:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["row"], ["embedding"])],
        "constant",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["texts", "tokens"])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, row.size])],
        [numpy_helper.from_array(row.astype(np.float32).reshape(1, -1), "row")],
    )
    model: onnx.ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    content: bytes = model.SerializeToString()
    return content
