"""Text in, vectors out: the chunker, the encoders and the export of the model.

Only this package imports tokenizers, onnxruntime, torch and sentence-transformers, and only
``conversion`` and ``reference_encoder`` import torch, when they are called: a process that serves
never pays for it. Invariant: no vector leaves this package unchecked, and no chunk is longer than
the model reads.
"""

from __future__ import annotations
