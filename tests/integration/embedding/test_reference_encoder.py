"""The encoder on torch, and how far the one that serves is from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atom_backend.embedding.onnx_encoder import OnnxEmbedder
from atom_backend.embedding.packaged_model import packaged_model
from atom_backend.embedding.reference_encoder import SentenceTransformerEmbedder
from atom_backend.errors import EmbedderUnavailable

FRESH = [
    "The choir rehearses in the old fire station.",
    "Transfer 300 to the savings account every first of the month.",
    "Why does the router restart at night?",
    "Kann ich den Mietwagen auch in Basel abgeben?",
    "Her flight was cancelled, so the family drove through the night and arrived at dawn, tired "
    "but in time for the ceremony, which had been moved to the garden because of the heat.",
    "pip install --upgrade requests && pytest -x",
]


@pytest.fixture(scope="module")
def reference() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(packaged_model(), threads=1)


@pytest.mark.filterwarnings("default")  # what torch and transformers warn of is not ours
def test_the_serving_encoder_agrees_with_the_reference(
    reference: SentenceTransformerEmbedder, embedder: OnnxEmbedder
) -> None:
    cosine = (reference.embed(FRESH) * embedder.embed(FRESH)).sum(axis=1)
    assert cosine.mean() > 0.985
    assert cosine.min() > 0.97


@pytest.mark.filterwarnings("default")
def test_the_reference_gives_unit_rows_and_names_itself(
    reference: SentenceTransformerEmbedder, embedder: OnnxEmbedder
) -> None:
    assert reference.dimension == 384
    assert reference.embed([]).shape == (0, 384)
    np.testing.assert_allclose(np.linalg.norm(reference.embed(FRESH), axis=1), 1, atol=1e-5)
    assert reference.fingerprint != embedder.fingerprint


def test_a_missing_model_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="no weights"):
        SentenceTransformerEmbedder(tmp_path / "nothing")
