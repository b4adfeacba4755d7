"""One sentence-transformers model into one int8 ONNX file. Needs torch.

The graph takes ``input_ids`` of shape (texts, tokens) without padding and gives normalised
sentence vectors: pooling and scaling are inside. Invariant: what ``convert`` leaves behind agrees
with its source, measured with the encoder that serves; else it raises.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atom_backend.domain.items import Vectors
from atom_backend.embedding.manifest import (
    MODEL,
    TOKENIZER,
    Agreement,
    Manifest,
    file_sha256,
)
from atom_backend.embedding.onnx_encoder import OnnxEmbedder
from atom_backend.embedding.recipe import REDUCED_RANGE
from atom_backend.embedding.reference_encoder import dimension_of, open_model
from atom_backend.embedding.samples import SAMPLES
from atom_backend.embedding.source import ModelSource
from atom_backend.errors import EmbedderUnavailable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

LEAST_MEAN = 0.99
LEAST = 0.97

_OPSET = 17
_UNQUANTISED = "fp32.onnx"


def convert(source: ModelSource, recipe: str, target: Path) -> Manifest:
    """Fills the empty folder ``target`` with model, tokenizer and manifest.

    Raises EmbedderUnavailable when the result does not agree with the source.
    """
    model = open_model(source.folder(), attention="eager")
    _save_tokenizer(model, target / TOKENIZER)
    _trace(model, target / _UNQUANTISED)
    _quantise(target / _UNQUANTISED, target / MODEL, reduced=recipe == REDUCED_RANGE)
    (target / _UNQUANTISED).unlink()
    manifest = Manifest(
        name=source.name,
        recipe=recipe,
        source_sha256=source.sha256,
        model_sha256=file_sha256(target / MODEL),
        tokenizer_sha256=file_sha256(target / TOKENIZER),
        dimension=dimension_of(model),
        max_tokens=int(model.max_seq_length or 0),
    )
    manifest.write(target)
    reference = model.encode(list(SAMPLES), normalize_embeddings=True, show_progress_bar=False)
    agreement = agree(OnnxEmbedder(target).embed(SAMPLES), np.asarray(reference))
    manifest = replace(manifest, agreement=agreement)
    manifest.write(target)
    return manifest


def agree(vectors: Vectors, reference: Vectors) -> Agreement:
    """The row-wise cosine of two sets of unit vectors. Raises EmbedderUnavailable if too low."""
    cosine = np.einsum("ij,ij->i", vectors, reference)
    agreement = Agreement(mean=float(cosine.mean()), lowest=float(cosine.min()))
    if not (agreement.mean >= LEAST_MEAN and agreement.lowest >= LEAST):
        raise EmbedderUnavailable(
            f"the exported model does not agree with its source: {agreement}; "
            f"a mean of {LEAST_MEAN} and a lowest of {LEAST} are needed"
        )
    return agreement


def _save_tokenizer(model: SentenceTransformer, file: Path) -> None:
    tokenizer = model.tokenizer.backend_tokenizer
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(file))


def _trace(model: SentenceTransformer, file: Path) -> None:
    import torch

    class Sentences(torch.nn.Module):
        def __init__(self, inner: torch.nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            # No mask: a call never holds padding, and masking costs a tenth of the speed.
            embedding: torch.Tensor = self.inner({"input_ids": input_ids})["sentence_embedding"]
            return torch.nn.functional.normalize(embedding, dim=1)

    example = torch.tensor([model.tokenizer("Two words and a few more.")["input_ids"]])
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's advice about itself
        torch.onnx.export(
            Sentences(model.eval()),
            (example,),
            str(file),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["input_ids"],
            output_names=["embedding"],
            dynamic_axes={"input_ids": {0: "texts", 1: "tokens"}, "embedding": {0: "texts"}},
        )


def _quantise(source: Path, target: Path, *, reduced: bool) -> None:
    from onnxruntime.quantization import quantize_dynamic

    quantize_dynamic(str(source), str(target), per_channel=True, reduce_range=reduced)
