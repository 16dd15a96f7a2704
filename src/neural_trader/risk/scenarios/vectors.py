"""The kernel of revaluation, built for the vectors that this processor has: the same bits."""

import importlib
from types import ModuleType

from neural_trader._kernels import revaluation as portable


def has_avx2() -> bool:
    """Return whether processor and system have AVX2, as NumPy found out for itself."""
    module = importlib.import_module("numpy._core._multiarray_umath")
    return bool(getattr(module, "__cpu_features__", {}).get("AVX2", False))


def choose() -> ModuleType:
    """Return the kernel for wide vectors where they are there, else the one for every machine."""
    if has_avx2():
        try:
            return importlib.import_module("neural_trader._kernels.avx2.revaluation")
        except ImportError:  # Not built for this platform.
            return portable
    return portable


revaluation = choose()
