"""N-HiTS in PyTorch: the network while it learns.

A block pools what is left of the window, sends it through dense layers, and gives values at knots:
some for the part of the window that it explains, some for its share of the forecast. Between knots
run straight lines. The last layer starts at zero, so that an untrained network forecasts the last
value.

References
----------
Challu, Olivares, Oreshkin, Garza, Mergenthaler-Canseco and Dubrawski 2023, "NHITS: Neural
Hierarchical Interpolation for Time Series Forecasting", AAAI.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import ConfigError
from neural_trader.forecast.config import NHiTSConfig
from neural_trader.forecast.network import Block, Dense, Network

Floats = NDArray[np.float64]


def import_torch() -> Any:  # noqa: ANN401 - torch is untyped where it is not installed
    """Return the module torch.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    try:
        import torch
    except ModuleNotFoundError:
        message = (
            "training needs PyTorch, which is not installed; install it: pip install "
            "'neural-trader[forecast]' (serving a trained forecast does without)"
        )
        raise ConfigError(message) from None
    return torch


def choose_device(torch: Any, wanted: str) -> str:  # noqa: ANN401 - torch is untyped
    """Return where to train: ``auto`` is a GPU where there is one.

    Raises
    ------
    ConfigError
        No such device, or ``cuda`` on a machine without one.
    """
    if wanted not in ("auto", "cpu", "cuda"):
        message = f"device is {wanted!r}; expected auto, cpu or cuda"
        raise ConfigError(message)
    has_gpu = bool(torch.cuda.is_available())
    if wanted == "cuda" and not has_gpu:
        message = (
            "device is 'cuda', and PyTorch finds no GPU here; use --device cpu, or install a "
            "PyTorch that is built for yours"
        )
        raise ConfigError(message)
    return "cuda" if has_gpu and wanted != "cpu" else "cpu"


class _Layers(NamedTuple):
    """One block: weights and biases that learn, and the lines between knots, which do not."""

    pool: int
    hidden: tuple[tuple[Any, Any], ...]
    last: tuple[Any, Any]
    backcast_lines: Any
    forecast_lines: Any


class Model:
    """The network as torch tensors.

    Parameters
    ----------
    config : NHiTSConfig
    rng : numpy.random.Generator
        Draws the first weights.
    device : str
        From :func:`choose_device`.

    Attributes
    ----------
    flat, gradient : torch.Tensor
        All that learns and what the last backward pass added for it, each as one vector: what is
        written there is what :meth:`forward` uses.
    """

    def __init__(self, config: NHiTSConfig, rng: np.random.Generator, device: str) -> None:
        self._torch = import_torch()
        self._config = config
        self._device = device
        self._middle = len(config.levels) // 2
        self._blocks = [
            self._make(pool, every, rng)
            for pool, every in zip(config.pools, config.knots_every, strict=True)
        ]
        self.flat, self.gradient = self._flatten()

    def _make(self, pool: int, every: int, rng: np.random.Generator) -> _Layers:
        config = self._config
        inputs, hidden = -(-config.lookback // pool), []
        for _ in range(config.layers):
            # Source: He et al. 2015, for layers with ReLU after them.
            bound = math.sqrt(6.0 / inputs)
            weight = rng.uniform(-bound, bound, size=(inputs, config.width))
            hidden.append((self._learns(weight), self._learns(np.zeros(config.width))))
            inputs = config.width
        backcast = lines(config.lookback, every)
        forecast = _apart(lines(config.horizon, every), len(config.levels))
        knots = len(backcast) + len(forecast)
        last = (self._learns(np.zeros((inputs, knots))), self._learns(np.zeros(knots)))
        return _Layers(pool, tuple(hidden), last, self._fixed(backcast), self._fixed(forecast))

    def _flatten(self) -> tuple[Any, Any]:
        """Move all that learns, and its gradients, into two vectors that a step goes through."""
        torch, tensors = self._torch, self.parameters
        flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
        gradient = torch.zeros_like(flat)
        first = 0
        for tensor in tensors:
            stop = first + tensor.numel()
            tensor.data = flat[first:stop].view_as(tensor)
            tensor.grad = gradient[first:stop].view_as(tensor)
            first = stop
        return flat, gradient

    def _fixed(self, values: Floats) -> Any:  # noqa: ANN401 - torch is untyped
        return self._torch.tensor(values, dtype=self._torch.float32, device=self._device)

    def _learns(self, values: Floats) -> Any:  # noqa: ANN401 - torch is untyped
        return self._fixed(values).requires_grad_(requires_grad=True)

    @property
    def parameters(self) -> list[Any]:
        """All tensors that learn."""
        return [
            tensor
            for block in self._blocks
            for pair in (*block.hidden, block.last)
            for tensor in pair
        ]

    def forward(self, inputs: Any) -> Any:  # noqa: ANN401 - torch is untyped
        """Return the quantiles of normalized windows: (B, L) -> (B, H, Q)."""
        torch, config = self._torch, self._config
        rest: Any = inputs
        total: Any = 0.0
        for block in self._blocks:
            hidden = self._pool(rest, block.pool)
            for weight, bias in block.hidden:
                hidden = torch.relu(torch.addmm(bias, hidden, weight))
            knots = torch.addmm(block.last[1], hidden, block.last[0])
            count = len(block.backcast_lines)
            rest = rest - knots[:, :count] @ block.backcast_lines
            total = total + knots[:, count:] @ block.forecast_lines
        return self._heads(total.view(-1, config.horizon, len(config.levels)))

    def _pool(self, values: Any, width: int) -> Any:  # noqa: ANN401 - torch is untyped
        """Pool a window (B, L) -> (B, ceil(L / width)); a last, shorter piece is pooled too."""
        if width == 1:
            return values
        whole = values.shape[1] - values.shape[1] % width
        pieces = [values[:, :whole].view(len(values), -1, width)]
        if whole < values.shape[1]:
            pieces.append(values[:, None, whole:])
        reduce = "amax" if self._config.pooling == "max" else "mean"
        return self._torch.cat([getattr(piece, reduce)(dim=2) for piece in pieces], dim=1)

    def _heads(self, raw: Any) -> Any:  # noqa: ANN401 - torch is untyped
        """Turn raw heads into quantiles that cannot cross, outwards from the middle one."""
        if len(self._config.levels) == 1:
            return raw
        torch, middle = self._torch, self._middle
        steps = torch.nn.functional.softplus(raw)
        center = raw[..., middle : middle + 1]
        above = center + steps[..., middle + 1 :].cumsum(dim=-1)
        below = center - steps[..., :middle].flip(-1).cumsum(dim=-1).flip(-1)
        return torch.cat([below, center, above], dim=-1)

    def fold(self) -> Network:
        """Return the network as constant matrices, the lines between knots multiplied in."""
        config = self._config
        blocks = []
        for block in self._blocks:
            hidden = tuple(_dense(_array(weight), _array(bias)) for weight, bias in block.hidden)
            weight, bias = (_array(tensor) for tensor in block.last)
            back, fore = _array(block.backcast_lines), _array(block.forecast_lines)
            count = len(back)
            backcast = _dense(weight[:, :count] @ back, bias[:count] @ back)
            forecast = _dense(weight[:, count:] @ fore, bias[count:] @ fore)
            blocks.append(Block(block.pool, config.pooling, hidden, backcast, forecast))
        return Network(
            config.lookback,
            config.horizon,
            config.levels,
            "monotone" if len(config.levels) > 1 else "plain",
            tuple(blocks),
        )


def lines(length: int, every: int) -> Floats:
    """Return the matrix that draws straight lines between knots.

    Parameters
    ----------
    length : int
        Places of the line.
    every : int
        Places a knot stands for; one knot is a level line.

    Returns
    -------
    float64 array, shape (knots, length)
        The first knot stands at the first place and the last at the last.
    """
    knots = -(-length // every)
    if knots == 1:
        return np.ones((1, length))
    at = np.linspace(0.0, knots - 1.0, length)
    return np.maximum(1.0 - np.abs(at[None, :] - np.arange(knots)[:, None]), 0.0)


def _apart(matrix: Floats, count: int) -> Floats:
    """Return the matrix that does the same for ``count`` heads side by side."""
    inputs, outputs = matrix.shape
    wide = np.zeros((inputs, count, outputs, count))
    for head in range(count):
        wide[:, head, :, head] = matrix
    return wide.reshape(inputs * count, outputs * count)


def _array(tensor: Any) -> Floats:  # noqa: ANN401 - torch is untyped
    values: Floats = tensor.detach().cpu().numpy().astype(np.float64)
    return values


def _dense(weight: Floats, bias: Floats) -> Dense:
    return Dense(
        np.ascontiguousarray(weight, dtype=np.float32), np.ascontiguousarray(bias, dtype=np.float32)
    )
