"""The network in onnxruntime, on one thread."""

import math
from typing import Final

from neural_trader.forecast.engines import Served, check_window
from neural_trader.forecast.normalization import Floats, transform, untransform
from neural_trader.forecast.onnx_graph import build_graph, need

_ROUNDING: Final = 1e-9


class OnnxEngine:
    """The network in onnxruntime.

    Parameters
    ----------
    served : Served

    Raises
    ------
    ConfigError
        onnx or onnxruntime is not installed, or the normalization cannot be written as a graph.
    """

    def __init__(self, served: Served) -> None:
        model = build_graph(served, joined=True)
        runtime = need("onnxruntime")
        options = runtime.SessionOptions()
        # Small networks on two threads are slower than on one, and far slower on a busy machine.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._run = session.run
        self._kind = served.normalization.kind
        self._horizon = served.network.horizon

    def forecast(self, windows: Floats) -> Floats:
        """Return the transformed forecasts (B, H) of transformed windows (B, L)."""
        values = untransform(windows, self._kind)
        found: Floats = self._run(["all"], {"values": values})[0]
        return transform(found[:, : self._horizon], self._kind)

    def one(self, window: Floats, out: Floats) -> int:
        """Write forecast, lower and upper end of a window."""
        (found,) = self._run(["all"], {"values": window[None]})
        out[: found.shape[1]] = found[0]
        # Of a window that is not finite, not positive or does not move no interval has a width
        # beyond rounding; a runtime may lose a NaN in its pooling, but not in its volatility.
        size = self._horizon
        width = out[2 * size] - out[size] if found.shape[1] > size else math.nan
        return 0 if width > _ROUNDING * abs(out[0]) else check_window(window, self._kind)
