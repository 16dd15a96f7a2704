"""Three ways to compute the same forecast: NumPy, the compiled kernel, onnxruntime.

They agree to 1e-6 of a value: float32 within the network, float64 around it.
"""

import math
import threading
from typing import Final, NamedTuple, Protocol

import numpy as np

from neural_trader._kernels import nhits as kernel
from neural_trader.core import ConfigError
from neural_trader.forecast.artefact import Offsets
from neural_trader.forecast.forward import Forward
from neural_trader.forecast.network import Floats32, Network
from neural_trader.forecast.normalization import (
    DECAY,
    Floats,
    Normalization,
    transform,
    untransform,
    volatility_weights,
)
from neural_trader.forecast.packing import check_network, in_unit, middle_alone, pack
from neural_trader.forecast.scaling import scaling_terms

ENGINES: Final = ("compiled", "numpy", "onnx")

# From so many windows on a matrix product over all of them beats the kernel, window by window.
_MANY: Final = 17
_MODES: Final = {"log": kernel.LOG, "level": kernel.LEVEL}


class Served(NamedTuple):
    """What an engine computes: the network, its normalization, and the offsets of its intervals."""

    network: Network
    normalization: Normalization
    offsets: Offsets

    @property
    def bare(self) -> tuple[Network, Normalization]:
        """The network of the middle level alone, with a constant scale folded into it."""
        network = middle_alone(self.network)
        check_network(network)
        kind, scale = self.normalization
        return in_unit(network, scale), Normalization(kind, 1.0)


class Engine(Protocol):
    """Computes forecasts from windows that have been checked."""

    def forecast(self, windows: Floats) -> Floats:
        """Return the transformed forecasts (B, H) of transformed windows (B, L)."""
        ...

    def one(self, window: Floats, out: Floats) -> int:
        """Write forecast, lower and upper end (3 * H,) of a window (L,) as it came.

        Checks the window; returns 0, or what is the matter with it, as the kernel calls it.
        """
        ...


class NumpyEngine:
    """The network in NumPy.

    Parameters
    ----------
    served : Served
    """

    def __init__(self, served: Served) -> None:
        network, self._normalization = served.bare
        offsets = served.offsets
        self._forward = Forward(network)
        self._horizon = network.horizon
        self._ends = np.stack([offsets.lower, offsets.upper])
        self._weights_of_changes = volatility_weights(network.lookback - 1)
        # The buffers of a single window are those of one call at a time.
        self._lock = threading.Lock()

    def forecast(self, windows: Floats) -> Floats:
        """Return the transformed forecasts (B, H) of transformed windows (B, L)."""
        if self._normalization.kind in _MODES:
            last = windows[:, -1:]
            found: Floats = last + self._steps((windows - last).astype(np.float32))
            return found
        shift, unit, base = scaling_terms(windows, self._normalization)
        scaled = ((windows - shift[:, None]) / unit[:, None]).astype(np.float32)
        return np.asarray(base[:, None] + self._steps(scaled) * unit[:, None])

    def _steps(self, scaled: Floats32) -> Floats32:
        """Return the heads (B, H) of normalized windows (B, L)."""
        with self._lock:
            return self._forward(scaled)[:, :, 0]

    def one(self, window: Floats, out: Floats) -> int:
        """Write forecast, lower and upper end of a window."""
        kind = self._normalization.kind
        problem = check_window(window, kind)
        if problem:
            return problem
        x = transform(window, kind)
        table = np.empty((3, self._horizon))
        table[0] = self.forecast(x[None])[0]
        change = x[1:] - x[:-1]
        change *= change
        table[1:] = table[0] + self._ends * math.sqrt(change.dot(self._weights_of_changes))
        out.reshape(table.shape)[:] = untransform(table, kind)
        return 0


class CompiledEngine(NumpyEngine):
    """The network in the compiled kernel; many windows at once in NumPy.

    Parameters
    ----------
    served : Served
    """

    def __init__(self, served: Served) -> None:
        super().__init__(served)
        network, normalization = served.bare
        self._plan, self._weights = packed = pack(network)
        self._flat_ends = self._ends.reshape(-1)
        mode = _MODES.get(normalization.kind, kernel.GIVEN)
        self._terms = (mode, 0.0, 1.0, 0.0, DECAY)
        # The kernel holds the interpreter while it runs, so that one scratch serves all threads.
        self._scratch = np.empty(packed.scratch_size, np.float32)
        self._work = np.empty(network.lookback)

    def _steps(self, scaled: Floats32) -> Floats32:
        """Return the heads (B, H) of normalized windows (B, L)."""
        if len(scaled) >= _MANY:
            return super()._steps(scaled)
        out = np.empty((len(scaled), self._horizon), np.float32)
        flat = np.ascontiguousarray(scaled).reshape(-1)
        kernel.forward(self._plan, self._weights, flat, self._scratch, out.reshape(-1))
        return out

    def one(self, window: Floats, out: Floats) -> int:
        """Write forecast, lower and upper end of a window."""
        terms = self._terms
        if terms[0] == kernel.GIVEN:
            problem = check_window(window, self._normalization.kind)
            if problem:
                return problem
            (shift,), (unit,), (base,) = scaling_terms(window[None], self._normalization)
            terms = (kernel.GIVEN, float(shift), float(unit), float(base), DECAY)
        return kernel.forecast(
            self._plan,
            self._weights,
            window,
            self._flat_ends,
            terms,
            self._scratch,
            self._work,
            out,
        )


def check_window(window: Floats, kind: str) -> int:
    """Return 0 for a window that can be forecast, or the kernel's word for what is the matter."""
    # A NaN is both the least and the greatest of what it stands among.
    low, high = float(np.minimum.reduce(window)), float(np.maximum.reduce(window))
    if not -np.inf < low <= high < np.inf:
        return kernel.NOT_FINITE
    if low == high:
        return kernel.CONSTANT
    return kernel.NOT_POSITIVE if kind == "log" and low <= 0.0 else 0


def make_engine(name: str, served: Served) -> Engine:
    """Return the engine of that name.

    Raises
    ------
    ConfigError
        There is none, or a package that it needs is not installed.
    """
    if name == "compiled":
        return CompiledEngine(served)
    if name == "numpy":
        return NumpyEngine(served)
    if name == "onnx":
        from neural_trader.forecast.onnx_engine import OnnxEngine

        return OnnxEngine(served)
    message = f"engine is {name!r}; expected one of {', '.join(ENGINES)}"
    raise ConfigError(message)
