"""The network in onnxruntime, on one thread."""

from neural_trader.forecast.engines import Served, check_window
from neural_trader.forecast.normalization import Floats, transform, untransform
from neural_trader.forecast.onnx_graph import build_graph, need


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
        model = build_graph(served)
        runtime = need("onnxruntime")
        options = runtime.SessionOptions()
        # Small networks on two threads are slower than on one, and far slower on a busy machine.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._kind = served.normalization.kind
        self._horizon = served.network.horizon

    def forecast(self, windows: Floats) -> Floats:
        """Return the transformed forecasts (B, H) of transformed windows (B, L)."""
        values = untransform(windows, self._kind)
        found: Floats = self._session.run(["forecast"], {"values": values})[0]
        return transform(found, self._kind)

    def one(self, window: Floats, out: Floats) -> int:
        """Write forecast, lower and upper end of a window."""
        problem = check_window(window, self._kind)
        if problem:
            return problem
        table = out.reshape(3, self._horizon)
        for row, found in enumerate(self._session.run(None, {"values": window[None]})):
            table[row] = found[0]
        return 0
