"""The one gate between a model and the store.

Invariant: what passes has the promised shape and rows of length 1. A zero or NaN vector would be
stored without complaint and then make searches return nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atom_backend.domain.items import LENGTH_TOLERANCE, Vectors
from atom_backend.errors import RefusedVector


def check_vectors(vectors: NDArray[np.float32], count: int, dimension: int) -> Vectors:
    """The same vectors, if there are ``count`` rows of ``dimension`` numbers and length 1.

    Raises RefusedVector that names the first bad row.
    """
    if vectors.shape != (count, dimension):
        raise RefusedVector(f"expected vectors of shape {(count, dimension)}, got {vectors.shape}")
    lengths = np.linalg.norm(vectors, axis=1)
    bad = np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE))  # NaN compares as false
    if bad.size:
        row = int(bad[0])
        raise RefusedVector(f"row {row} has length {lengths[row]:.4g} instead of 1")
    return np.ascontiguousarray(vectors, dtype=np.float32)
