"""How a model is made into a file for this machine's processor.

Eight-bit products of x86 processors without the VNNI instructions are summed in pairs in 16 bits
and overflow unless the weights keep to seven bits (onnxruntime: "reduce_range").
Invariant: the recipe's name tells files apart that were quantised differently.
"""

from __future__ import annotations

import platform
from pathlib import Path

FULL_RANGE = "ort-int8"
REDUCED_RANGE = "ort-int8-reduced"

_X86 = {"x86_64", "AMD64", "i386", "i686"}
_EXACT_SUMS = {"avx512_vnni", "avx_vnni", "amx_int8"}


def recipe_for(machine: str, flags: set[str]) -> str:
    """The recipe for a machine type and its processor's feature flags."""
    overflows = machine in _X86 and not flags & _EXACT_SUMS
    return REDUCED_RANGE if overflows else FULL_RANGE


def local_recipe() -> str:
    return recipe_for(platform.machine(), _processor_flags())


def _processor_flags() -> set[str]:
    """Empty where the system does not tell, which chooses the safe recipe."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())
