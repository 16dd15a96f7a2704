"""A network as an ONNX graph, built from its matrices: any batch size, and no torch.

The graph takes values as they come and gives forecasts in their unit: ``values`` float64
(batch, L), the newest last, to ``forecast`` float64 (batch, H), and ``lower`` and ``upper`` where
there are intervals. What must be float64 is; the network itself is float32, as in the other
engines.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError
from neural_trader.core.files import write_whole
from neural_trader.core.version import VERSION
from neural_trader.forecast.artefact import MODEL, Artefact
from neural_trader.forecast.engines import Served
from neural_trader.forecast.forward import Stage, stages_of
from neural_trader.forecast.network import Network
from neural_trader.forecast.normalization import volatility_weights
from neural_trader.forecast.packing import pooled
from neural_trader.forecast.standing import standing_of

if TYPE_CHECKING:
    from onnx import ModelProto

_OPSET: Final = 17
# The IR version of that opset's time: what reads the one reads the other.
_IR: Final = 8
_LAST: Final = np.iinfo(np.int64).max


def need(package: str) -> Any:  # noqa: ANN401 - a module
    """Import a package of the extra ``onnx``.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    from importlib import import_module

    try:
        return import_module(package)
    except ImportError:
        message = f"{package} is not installed; run: pip install 'neural-trader[onnx]'"
        raise ConfigError(message) from None


def build_graph(served: Served, *, joined: bool = False) -> "ModelProto":
    """Build the graph of a network.

    Parameters
    ----------
    served : Served
        The normalization ``robust`` is refused, since ONNX has no median. Offsets that are not
        numbers: no ``lower`` and ``upper``.
    joined : bool
        Give forecast and ends side by side as one output, ``all``: what a runtime copies is less.

    Returns
    -------
    onnx.ModelProto
        Checked.

    Raises
    ------
    ConfigError
        onnx is not installed, or the normalization cannot be written.
    """
    onnx = need("onnx")
    network, normalization = served.bare
    kind, offsets = normalization.kind, served.offsets
    if kind == "robust":
        message = (
            "normalization is 'robust', and ONNX has no median: such a network cannot be written "
            "as a graph. Serve it with the engine compiled or numpy"
        )
        raise ConfigError(message)
    graph = _Graph(onnx)
    x = graph.add("Log", "values") if kind == "log" else "values"
    last = graph.add("Slice", x, *graph.span(-1, _LAST))
    shift, unit, base = _terms(graph, kind, x, last)
    rest = graph.add("Sub", x, shift)
    rest = graph.add("Cast", graph.add("Div", rest, unit) if unit else rest, to=graph.single)
    if network.newest_first:
        order = graph.constant(np.arange(network.lookback - 1, -1, -1))
        rest = graph.add("Gather", rest, order, axis=1)
    ends = [np.zeros(network.horizon), offsets.lower, offsets.upper]
    names = ["forecast", "lower", "upper"][: 1 if np.isnan(offsets.level) else 3]
    # Forecast and ends stand side by side, so that what is done to one is done to all at once.
    steps = _blocks(graph, network, rest, repeats=len(names))
    steps = graph.add("Cast", steps, to=graph.double)
    found = graph.add("Add", base, graph.add("Mul", steps, unit) if unit else steps)
    if len(names) > 1:
        reach = graph.constant(np.concatenate(ends)[None])
        reach = graph.add("Mul", _volatility(graph, x, network.lookback), reach)
        found = graph.add("Add", found, reach)
    found = graph.add("Exp", found) if kind == "log" else found
    if joined:
        graph.add("Identity", found, name="all")
        return graph.model(network.lookback, {"all": len(names) * network.horizon})
    graph.split(found, [network.horizon] * len(names), names)
    return graph.model(network.lookback, dict.fromkeys(names, network.horizon))


def export_onnx(artefact: Artefact, path: Path | str, *, level: float | None = None) -> Path:
    """Write the network of an artefact as an ONNX file, whole or not at all.

    Parameters
    ----------
    artefact : Artefact
    path : Path or str
        Replaced if it is there.
    level : float, optional
        Of the intervals; as for ``Forecaster``.

    Returns
    -------
    Path
        Where it is.

    Raises
    ------
    ConfigError
        onnx is not installed, the level is not calibrated, or the normalization ``robust``, since
        ONNX has no median.
    DataError
        The file cannot be written.

    Notes
    -----
    The file holds the network alone, for whoever asks it: that a baseline is to stand in for it
    stands in its metadata, as ``verdict`` and as ``passed``, the series that it is good for.
    """
    standing = standing_of(artefact, level=level, trust_model=False)
    offsets = standing.offsets[MODEL]
    model = build_graph(Served(artefact.network, artefact.normalization, offsets))
    passed = zip(artefact.series, standing.passed.tolist(), strict=False)
    notes = artefact.provenance._asdict() | {
        "verdict": standing.verdict,
        "passed": ", ".join(name for name, is_good in passed if is_good),
        "level": "" if np.isnan(offsets.level) else f"{offsets.level:g}",
        "labels": ", ".join(artefact.provenance.labels),
    }
    for name, value in notes.items():
        note = model.metadata_props.add()
        note.key, note.value = name, str(value)
    path = Path(path).expanduser()
    with write_whole(path) as file:
        file.write(model.SerializeToString(deterministic=True))
    return path


class _Graph:
    """Nodes and constants in the order in which they are added; names are numbers."""

    def __init__(self, onnx: Any) -> None:  # noqa: ANN401 - a module
        self._onnx = onnx
        self.single, self.double = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:  # noqa: ANN401 - as ONNX has them
        """Add a node and return the name of what it gives."""
        given = name or f"{kind.lower()}_{len(self._nodes)}"
        node = self._onnx.helper.make_node(kind, list(inputs), [given], **attributes)
        self._nodes.append(node)
        return given

    def split(self, given: str, sizes: list[int], names: list[str]) -> None:
        """Cut columns into parts of these sizes, under these names."""
        parts = self.constant(np.array(sizes, np.int64))
        node = self._onnx.helper.make_node("Split", [given, parts], names, axis=1)
        self._nodes.append(node)

    def constant(self, value: NDArray[Any] | float) -> str:
        """Add a constant and return its name."""
        name = f"constant_{len(self._constants)}"
        array = np.asarray(value)
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def span(self, first: int, stop: int) -> tuple[str, str, str]:
        """Return the inputs that a Slice of columns takes beside its data."""
        starts, stops, axes = (np.array([place], np.int64) for place in (first, stop, 1))
        return self.constant(starts), self.constant(stops), self.constant(axes)

    def model(self, lookback: int, outputs: dict[str, int]) -> "ModelProto":
        """Return the model with outputs of these widths, checked."""
        helper, double = self._onnx.helper, self.double
        sizes = {"values": lookback} | outputs
        infos = {
            name: helper.make_tensor_value_info(name, double, ["batch", size])
            for name, size in sizes.items()
        }
        graph = helper.make_graph(
            self._nodes,
            "nhits",
            [infos["values"]],
            [infos[name] for name in outputs],
            self._constants,
        )
        model: ModelProto = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR,
            producer_name="neural-trader",
            producer_version=VERSION,
        )
        self._onnx.checker.check_model(model, full_check=True)
        return model


def _terms(graph: _Graph, kind: str, x: str, last: str) -> tuple[str, str, str]:
    """Return shift, unit and base, (batch, 1) or constants; no unit where it is 1."""
    if kind in ("log", "level"):
        return last, "", last
    if kind in ("none", "identity"):
        zero = graph.constant(np.float64(0.0))
        return zero, "", zero if kind == "none" else last
    small = graph.constant(np.float64(1e-6))
    if kind == "standard":
        mean = graph.add("ReduceMean", x, axes=[1], keepdims=1)
        apart = graph.add("Sub", x, mean)
        square = graph.add("ReduceMean", graph.add("Mul", apart, apart), axes=[1], keepdims=1)
        return mean, graph.add("Add", graph.add("Sqrt", square), small), last
    low = graph.add("ReduceMin", x, axes=[1], keepdims=1)
    high = graph.add("ReduceMax", x, axes=[1], keepdims=1)
    span = graph.add("Add", graph.add("Sub", high, low), small)
    if kind == "minmax":
        return low, span, last
    half = graph.add("Mul", span, graph.constant(np.float64(0.5)))
    return graph.add("Add", low, half), half, last


def _blocks(graph: _Graph, network: Network, rest: str, *, repeats: int) -> str:
    """Add all blocks; return the name of their heads, float32 (batch, repeats * H)."""
    heads = []
    stages = stages_of(network)
    horizon = network.horizon
    for place, stage in enumerate(stages):
        x = _pool(graph, stage, rest, network.lookback)
        for matrix in stage.hidden:
            x = graph.add("Relu", _dense(graph, x, matrix))
        back, ahead = stage.last[:, :-horizon], stage.last[:, -horizon:]
        given = _dense(graph, x, np.hstack([back, *[ahead] * repeats]))
        head = f"heads_{place}"
        if back.shape[1]:
            explained = f"explained_{place}"
            sizes = [network.lookback, repeats * horizon]
            graph.split(given, sizes, [explained, head])
            rest = graph.add("Sub", rest, explained)
        heads.append(head if back.shape[1] else given)
    return graph.add("Sum", *heads) if len(heads) > 1 else heads[0]


def _dense(graph: _Graph, x: str, matrix: NDArray[np.float32]) -> str:
    weight = graph.constant(np.ascontiguousarray(matrix[:-1]))
    return graph.add("Gemm", x, weight, graph.constant(matrix[-1]))


def _pool(graph: _Graph, stage: Stage, rest: str, lookback: int) -> str:
    """Return (batch, L) -> (batch, ceil(L / pool)), the greatest of each group."""
    if stage.pool == 1:
        return rest
    size = pooled(lookback, stage.pool)
    axis = graph.constant(np.array([1], np.int64))
    x = graph.add("Unsqueeze", rest, axis)
    # What the last group lacks is padded with what no maximum sees.
    lacking = size * stage.pool - lookback
    pads = [0, lacking]
    x = graph.add("MaxPool", x, kernel_shape=[stage.pool], strides=[stage.pool], pads=pads)
    return graph.add("Squeeze", x, axis)


def _volatility(graph: _Graph, x: str, lookback: int) -> str:
    """Return the trailing volatility (batch, 1): the length of the weighted changes."""
    change = np.eye(lookback, lookback - 1, -1) - np.eye(lookback, lookback - 1)
    weighted = graph.constant(change * np.sqrt(volatility_weights(lookback - 1)))
    return graph.add("ReduceL2", graph.add("MatMul", x, weighted), axes=[1], keepdims=1)
