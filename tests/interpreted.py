"""Run the kernels interpreted: the same files, executed by Python instead of compiled.

Each kernel is loaded from its source beside the compiled module, and its callers hand it
memoryviews instead of NumPy arrays, so that every number it touches is a Python float.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

import neural_trader._kernels
from neural_trader.backtesting import engine, filling
from neural_trader.strategies import pairs, sma_cross

KERNELS = Path(neural_trader._kernels.__file__).parent


# What kernels call of each other: a kernel comes behind those that it needs.
SHARED = ("lanes",)


def load_interpreted(name: str) -> ModuleType:
    """Load a kernel's source file as an ordinary Python module, and what it calls of others."""
    for other in SHARED:
        if other != name:
            place = f"cython.cimports.neural_trader._kernels.{other}"
            sys.modules.setdefault(place, load_interpreted(other))
    loader = SourceFileLoader(f"interpreted_{name}", str(KERNELS / f"{name}.py"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def with_memoryviews(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn every array argument into a memoryview of it."""

    def call(*arguments: Any) -> Any:
        views: Any = memoryview
        return function(*(views(a) if isinstance(a, np.ndarray) else a for a in arguments))

    return call


@contextmanager
def interpreted_kernels() -> Iterator[None]:
    """Let the engine and the strategies use interpreted kernels."""
    homes = (
        (engine, "execution", "execution"),
        (filling, "execution", "execution"),
        (pairs, "kernel", "pairs"),
        (sma_cross, "kernel", "sma_cross"),
    )
    with ExitStack() as stack:
        for home, attribute, name in homes:
            public = {
                key: with_memoryviews(value) if callable(value) else value
                for key, value in vars(load_interpreted(name)).items()
                if not key.startswith("_")
            }
            stack.enter_context(mock.patch.object(home, attribute, SimpleNamespace(**public)))
        yield
