"""Turns a trained NHITS of neuralforecast into an artefact that serves the same numbers.

Nothing of neuralforecast or torch is imported: the model is asked for its hyperparameters and its
weights, and what cannot be served exactly is refused with the reason. Its first two linear layers
have no activation between them and become one; interpolation is a constant matrix and goes into the
last layer, whose heads are put into the order of their quantiles.
"""

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from typing import Any, Final, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError, DataError
from neural_trader.forecast.artefact import Artefact, Provenance
from neural_trader.forecast.baselines import Baseline
from neural_trader.forecast.config import NHiTSConfig
from neural_trader.forecast.network import Block, Dense, Network
from neural_trader.forecast.normalization import SCALERS, Normalization
from neural_trader.forecast.packing import check_network

Floats = NDArray[np.float64]

# Losses whose heads are forecasts as they are, and those of one head for each quantile.
_POINT: Final = frozenset(
    {"MAE", "MSE", "RMSE", "MAPE", "SMAPE", "MASE", "relMSE", "FreDF", "HuberLoss", "TukeyLoss"}
)
_ONE_QUANTILE: Final = frozenset({"QuantileLoss", "HuberQLoss"})
_QUANTILES: Final = frozenset({"MQLoss", "HuberMQLoss"})
_POOLING: Final[dict[str, Literal["max", "average"]]] = {
    "MaxPool1d": "max",
    "AvgPool1d": "average",
}
# Of the cubic convolution that torch interpolates with.
_CUBIC: Final = -0.75


def from_neuralforecast(model: Any, *, series: Sequence[str] = ()) -> Artefact:  # noqa: ANN401 - theirs
    """Turn a trained NHITS of neuralforecast (3.x) into an artefact.

    Parameters
    ----------
    model : neuralforecast.models.NHITS, or a NeuralForecast that holds one
        Trained; left as it is.
    series : sequence of str
        Names that it may be asked for; any, where empty.

    Returns
    -------
    Artefact
        To be served by ``Forecaster`` or written by ``save_artefact``. It has no intervals, since
        nothing was held out, and its verdict is that nobody has evaluated it.

    Raises
    ------
    ConfigError
        Not an NHITS, or one that cannot be served exactly: exogenous variables, a scaler, an
        activation or a loss other than those below.
    DataError
        Weights are missing, of another shape, or not finite.

    Notes
    -----
    Served: scalers identity, standard, robust, minmax and minmax1; ReLU; pooling by maximum or
    average; interpolation linear, nearest or cubic; losses of points and of quantiles. Values are
    normalized in float64 and not in float32, so that forecasts differ by what float32 loses, about
    1e-7 of a value.
    """
    model = _the_model(model)
    settings = _Settings(model)
    normalization = settings.normalization()
    levels, order = settings.levels()
    weights = _weights(model)
    blocks = _blocks(settings, weights, order)
    network = Network(settings.lookback, settings.horizon, levels, "plain", blocks, True)
    check_network(network)
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].tobytes())
    rows = max(len(series), 1) if series else 0
    naive = Baseline(
        "naive",
        np.zeros((settings.lookback, settings.horizon)),
        np.zeros((rows, settings.horizon)),
    )
    return Artefact(
        network,
        settings.config(),
        tuple(series),
        normalization,
        naive,
        {},
        {},
        Provenance("imported from neuralforecast", digest.hexdigest(), (), "", "", "", _version()),
    )


class _Settings:
    """What the hyperparameters of a model say, read one by one; a missing one is an error."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - theirs
        self._model = model
        given = getattr(model, "hparams", None)
        self._given: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        self.lookback, self.horizon = int(self["input_size"]), int(self["h"])
        for name in ("futr_exog_list", "hist_exog_list", "stat_exog_list", "cat_exog_list"):
            if self.get(name):
                _refuse(f"it takes exogenous variables ({name} is {list(self[name])!r})")
        if self.get("exclude_insample_y"):
            _refuse("it does not look at the series itself (exclude_insample_y)")
        if self["activation"] != "ReLU":
            _refuse(f"its activation is {self['activation']!r}, and only ReLU is served")
        if self["pooling_mode"] not in _POOLING:
            _refuse(f"its pooling_mode is {self['pooling_mode']!r}")
        self.pooling = _POOLING[self["pooling_mode"]]
        counts = [int(count) for count in self["n_blocks"]]
        pools, knots = self["n_pool_kernel_size"], self["n_freq_downsample"]
        stacks = zip(counts, pools, knots, strict=True)
        self.blocks = [
            (int(pool), int(every)) for count, pool, every in stacks for _ in range(count)
        ]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - theirs
        """Return a hyperparameter."""
        if name in self._given:
            return self._given[name]
        if not hasattr(self._model, name):
            _refuse(f"it has no hyperparameter {name}: it is not an NHITS of neuralforecast 3")
        return getattr(self._model, name)

    def get(self, name: str) -> Any:  # noqa: ANN401 - theirs
        """Return a hyperparameter, or None."""
        return self._given.get(name, getattr(self._model, name, None))

    def normalization(self) -> Normalization:
        """Return the normalization, or refuse the scaler."""
        scaler = self["scaler_type"] or "identity"
        if scaler not in SCALERS:
            _refuse(f"its scaler_type is {scaler!r}; {', '.join(SCALERS)} are served")
        kind: Any = scaler
        return Normalization(kind, 1.0)

    def levels(self) -> tuple[tuple[float, ...], list[int]]:
        """Return the levels of the heads, rising, and the place of each among the heads."""
        loss = getattr(self._model, "loss", None) or self.get("loss")
        name = type(loss).__name__
        if name in _POINT and int(getattr(loss, "outputsize_multiplier", 1)) == 1:
            return (0.5,), [0]
        if name in _ONE_QUANTILE:
            return (round(float(loss.q), 7),), [0]
        if name in _QUANTILES:
            # They are float32: 0.1 comes as 0.10000000149.
            levels = [round(float(level), 7) for level in _array(loss.quantiles)]
            order = sorted(range(len(levels)), key=levels.__getitem__)
            return tuple(levels[place] for place in order), order
        known = ", ".join(sorted(_POINT | _ONE_QUANTILE | _QUANTILES))
        return _refuse(f"its loss is {name}, whose heads are no forecasts; {known} are served")

    def config(self) -> NHiTSConfig:
        """Return what can be said of the network in our own words."""
        units = self["mlp_units"]
        return NHiTSConfig(
            horizon=self.horizon,
            lookback=self.lookback,
            values="level",
            width=int(units[0][0]),
            layers=len(units),
            pools=tuple(pool for pool, _ in self.blocks),
            knots_every=tuple(every for _, every in self.blocks),
            pooling=self.pooling,
            levels=(0.5,),
            steps=int(self.get("max_steps") or 0),
        )


def _the_model(given: Any) -> Any:  # noqa: ANN401 - theirs
    """Return the NHITS itself."""
    held = getattr(given, "models", None)
    if isinstance(held, (list, tuple)):
        names = [type(one).__name__ for one in held]
        if names != ["NHITS"]:
            message = f"it holds the models {', '.join(names) or 'none'}; give one NHITS of them"
            raise ConfigError(message)
        if getattr(given, "local_scaler_type", None) is not None:
            _refuse(
                f"local_scaler_type is {given.local_scaler_type!r}: every series has a scale of "
                "its own, which is not in the network"
            )
        given = held[0]
    if type(given).__name__ != "NHITS" or not callable(getattr(given, "state_dict", None)):
        message = f"a {type(given).__name__} was given; expected a trained NHITS of neuralforecast"
        raise ConfigError(message)
    return given


def _version() -> str:
    """Return the version of neuralforecast that is installed here, where it is."""
    try:
        return f"neuralforecast {version('neuralforecast')}"
    except PackageNotFoundError:
        return "neuralforecast"


def _refuse(reason: str) -> NoReturn:
    message = f"this network cannot be served exactly: {reason}"
    raise ConfigError(message)


def _array(tensor: Any) -> NDArray[Any]:  # noqa: ANN401 - theirs
    """Return a tensor, or an array, as an array of this process."""
    for step in ("detach", "cpu", "numpy"):
        tensor = getattr(tensor, step)() if hasattr(tensor, step) else tensor
    return np.asarray(tensor)


def _weights(model: Any) -> dict[str, NDArray[np.float32]]:  # noqa: ANN401 - theirs
    """Return the weights of the blocks by name."""
    return {
        name: np.ascontiguousarray(_array(tensor), np.float32)
        for name, tensor in model.state_dict().items()
        if name.startswith("blocks.")
    }


def _blocks(
    settings: _Settings, weights: dict[str, NDArray[np.float32]], order: list[int]
) -> tuple[Block, ...]:
    """Fold every block."""
    depth = len(settings["mlp_units"]) + 2
    expected = {f"blocks.{place}.layers." for place in range(len(settings.blocks))}
    known = {f"{name.rpartition('.')[0].rpartition('.')[0]}." for name in weights}
    if known != expected:
        message = f"the weights are of {len(known)} blocks; the settings say {len(expected)}"
        raise DataError(message)
    blocks = []
    for place, (pool, every) in enumerate(settings.blocks):
        layers = _layers(weights, f"blocks.{place}.layers.")
        if len(layers) != depth:
            message = f"block {place} has {len(layers)} linear layers; expected {depth}"
            raise DataError(message)
        first, second, *hidden, last = layers
        folded = (first[0] @ second[0], first[1] @ second[0] + second[1])
        heads = _heads(settings, last, every, order)
        lookback = settings.lookback
        # The backcast is of the window in the order in which the network reads it: newest first.
        backcast = _dense(last[0][:, :lookback], last[1][:lookback])
        dense = tuple(_dense(*layer) for layer in (folded, *hidden))
        blocks.append(Block(pool, settings.pooling, dense, backcast, heads))
    return tuple(blocks)


def _layers(weights: dict[str, NDArray[np.float32]], prefix: str) -> list[tuple[Floats, Floats]]:
    """Return weight (inputs, outputs) and bias of the linear layers of a block, in order."""
    places = {int(name.removeprefix(prefix).split(".")[0]) for name in weights if prefix in name}
    layers = []
    for place in sorted(places):
        pair = [weights.get(f"{prefix}{place}.{part}") for part in ("weight", "bias")]
        if pair[0] is None or pair[1] is None or pair[0].ndim != 2 or pair[1].ndim != 1:
            message = f"{prefix}{place} is not a linear layer with weight and bias"
            raise DataError(message)
        layers.append((pair[0].T.astype(np.float64), pair[1].astype(np.float64)))
    for (one, _), (two, _) in pairwise(layers):
        if one.shape[1] != two.shape[0]:
            message = f"the layers of {prefix} do not fit: {one.shape} before {two.shape}"
            raise DataError(message)
    return layers


def _heads(settings: _Settings, last: tuple[Floats, Floats], every: int, order: list[int]) -> Dense:
    """Fold interpolation into the last layer: (hidden, H * Q), quantiles within a step."""
    horizon, count = settings.horizon, len(order)
    weight, bias = (part[..., settings.lookback :] for part in last)
    knots = max(horizon // every, 1)
    if weight.shape[1] != knots * count:
        message = (
            f"the last layer gives {weight.shape[1]} knots; expected {knots} for {count} quantiles"
        )
        raise DataError(message)
    matrix = interpolation(knots, horizon, settings["interpolation_mode"])
    if count > 1 and "cubic" in settings["interpolation_mode"]:
        _refuse("cubic interpolation is for one head")
    spread = (weight.reshape(-1, count, knots) @ matrix)[:, order]
    level = (bias.reshape(count, knots) @ matrix)[order]
    return _dense(
        spread.transpose(0, 2, 1).reshape(len(weight), horizon * count),
        level.T.reshape(horizon * count),
    )


def interpolation(knots: int, horizon: int, mode: str) -> Floats:
    """Return the constant matrix (knots, H) that interpolates as torch does.

    Parameters
    ----------
    knots, horizon : int
    mode : str
        ``linear``, ``nearest``, or a word with ``cubic`` in it.

    Raises
    ------
    ConfigError
        Another mode.
    """
    if mode == "nearest":
        places = (np.arange(horizon) * knots) // horizon
        return np.eye(knots)[:, places]
    if mode != "linear" and "cubic" not in mode:
        _refuse(f"its interpolation_mode is {mode!r}")
    at = (np.arange(horizon) + 0.5) * knots / horizon - 0.5
    if mode == "linear":
        at = np.maximum(at, 0.0)
    low = np.floor(at).astype(int)
    part = at - low
    if mode == "linear":
        taps = [(0, 1.0 - part), (1, part)]
    else:
        taps = [(k, _cubic(np.abs(part - k))) for k in (-1, 0, 1, 2)]
    matrix = np.zeros((knots, horizon))
    for offset, share in taps:
        # Beyond the ends the outermost knot stands for those that are not there.
        np.add.at(matrix, (np.clip(low + offset, 0, knots - 1), np.arange(horizon)), share)
    return matrix


def _cubic(x: Floats) -> Floats:
    """Return the weight of a knot at a distance x of at most 2 (Keys 1981, cubic convolution)."""
    near = ((_CUBIC + 2.0) * x - (_CUBIC + 3.0)) * x * x + 1.0
    far = ((_CUBIC * x - 5.0 * _CUBIC) * x + 8.0 * _CUBIC) * x - 4.0 * _CUBIC
    return np.where(x <= 1.0, near, far)


def _dense(weight: Floats, bias: Floats) -> Dense:
    return Dense(np.ascontiguousarray(weight, np.float32), np.ascontiguousarray(bias, np.float32))
