"""Checks a network, and lays it out as the compiled kernel reads it: one plan, one run of weights.

The plan is int64: L, H * Q, whether the network reads the newest value first, the number of
blocks, and the widest row of numbers that occurs; then for each block the width of its pool, how
many values it leaves, whether it averages, how many hidden layers there are, and the outputs of
each. The weights follow in the same order, a matrix (inputs, outputs) and its bias for each layer;
last in a block come backcast and heads side by side as one layer, without the backcast in the last
block, which nobody reads.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import DataError
from neural_trader.forecast.network import Block, Dense, Floats32, Network


class Packed(NamedTuple):
    """A network as the kernel takes it: ``plan`` int64 and ``weights`` float32, both flat."""

    plan: NDArray[np.int64]
    weights: Floats32

    @property
    def scratch_size(self) -> int:
        """Float32 values that the kernel needs as scratch, heads included."""
        lookback, heads, _, _, widest = self.plan[:5].tolist()
        return int(lookback + 2 * widest + heads)


def middle_of(levels: tuple[float, ...]) -> int:
    """Return the place of the level that is nearest to the median."""
    return min(range(len(levels)), key=lambda place: abs(levels[place] - 0.5))


def middle_alone(network: Network) -> Network:
    """Return the network that gives the middle level alone: what a forecast with interval needs."""
    place, count = middle_of(network.levels), len(network.levels)
    if count == 1:
        return network
    # Of monotone heads, too, the raw middle one is the quantile itself.
    blocks = tuple(
        block._replace(
            forecast=Dense(
                np.ascontiguousarray(block.forecast.weight[:, place::count]),
                np.ascontiguousarray(block.forecast.bias[place::count]),
            )
        )
        for block in network.blocks
    )
    return network._replace(levels=(network.levels[place],), heads="plain", blocks=blocks)


def in_unit(network: Network, unit: float) -> Network:
    """Return the network that takes and gives values ``unit`` times as large.

    What is scaled on the way into the first layers and out of the last need not be scaled before
    and after: pooling and ReLU go along with any factor above zero.
    """
    factor = np.float32(unit)
    blocks = tuple(
        block._replace(
            hidden=(
                Dense(block.hidden[0].weight / factor, block.hidden[0].bias),
                *block.hidden[1:],
            ),
            backcast=Dense(block.backcast.weight * factor, block.backcast.bias * factor),
            forecast=Dense(block.forecast.weight * factor, block.forecast.bias * factor),
        )
        for block in network.blocks
    )
    return network._replace(blocks=blocks)


def last_layer(network: Network, place: int) -> Dense:
    """Return backcast and heads of a block as one layer; the last block's heads alone."""
    block = network.blocks[place]
    if place + 1 == len(network.blocks):
        return block.forecast
    return Dense(
        np.hstack([block.backcast.weight, block.forecast.weight]),
        np.concatenate([block.backcast.bias, block.forecast.bias]),
    )


def pack(network: Network) -> Packed:
    """Lay a network out for the kernel.

    Raises
    ------
    DataError
        A layer does not fit the one before it, or a weight is not finite.
    """
    check_network(network)
    lookback, horizon, quantiles = network.lookback, network.horizon, len(network.levels)
    widest = lookback + horizon * quantiles
    shape: list[int] = []
    parts: list[Floats32] = []
    for place, block in enumerate(network.blocks):
        widths = [layer.weight.shape[1] for layer in block.hidden]
        shape += [block.pool, pooled(lookback, block.pool), int(block.pooling == "average")]
        shape += [len(widths), *widths]
        widest = max(widest, *widths)
        for layer in (*block.hidden, last_layer(network, place)):
            parts += [layer.weight.ravel(), layer.bias]
    head = [lookback, horizon * quantiles, int(network.newest_first), len(network.blocks), widest]
    return Packed(np.array(head + shape, np.int64), np.concatenate(parts).astype(np.float32))


def pooled(lookback: int, pool: int) -> int:
    """Return how many values pooling leaves of a window."""
    return -(-lookback // pool)


def check_network(network: Network) -> None:
    """Refuse a network that cannot be served.

    Raises
    ------
    DataError
        A dimension, level or kind outside its range, a layer that does not fit the one before it,
        or a weight that is not finite.
    """
    levels = network.levels
    if network.lookback < 2 or network.horizon < 1 or not network.blocks:
        message = (
            f"the network has a lookback of {network.lookback}, a horizon of {network.horizon} "
            f"and {len(network.blocks)} blocks; expected at least 2, 1 and 1"
        )
        raise DataError(message)
    if not levels or not all(low < high for low, high in pairwise((0.0, *levels, 1.0))):
        message = f"the network's levels are {levels}; expected rising ones between 0 and 1"
        raise DataError(message)
    if network.heads not in ("plain", "monotone"):
        message = f"the network's heads are {network.heads!r}; expected plain or monotone"
        raise DataError(message)
    for place, block in enumerate(network.blocks):
        _check_block(network, block, f"block {place}")


def _check_block(network: Network, block: Block, name: str) -> None:
    if block.pooling not in ("max", "average") or not 1 <= block.pool <= network.lookback:
        message = (
            f"{name} pools {block.pooling!r} over {block.pool}; expected max or average over 1 to "
            f"{network.lookback} values"
        )
        raise DataError(message)
    if not block.hidden:
        message = f"{name} has no hidden layer; expected one or more"
        raise DataError(message)
    inputs = pooled(network.lookback, block.pool)
    for place, layer in enumerate(block.hidden):
        _check_layer(layer, inputs, layer.weight.shape[-1], f"hidden layer {place} of {name}")
        inputs = layer.weight.shape[-1]
    heads = network.horizon * len(network.levels)
    _check_layer(block.backcast, inputs, network.lookback, f"the backcast of {name}")
    _check_layer(block.forecast, inputs, heads, f"the forecast of {name}")


def _check_layer(layer: Dense, inputs: int, outputs: int, name: str) -> None:
    if layer.weight.shape != (inputs, outputs) or layer.bias.shape != (outputs,):
        message = (
            f"{name} has weights {layer.weight.shape} and biases {layer.bias.shape}; expected "
            f"({inputs}, {outputs}) and ({outputs},)"
        )
        raise DataError(message)
    if not np.isfinite(layer.weight).all() or not np.isfinite(layer.bias).all():
        message = f"{name} has weights that are not finite; train the model again"
        raise DataError(message)
