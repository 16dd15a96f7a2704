"""The forward pass of a folded network in NumPy: what the kernel is held to.

Every layer takes its bias as one more input that is always 1, so that a layer is one matrix
product; average pooling is a constant matrix, and is folded into the first layer. One window is
computed in buffers that are made once; many stand side by side as columns, so that whatever is
done to a row of them runs through contiguous memory.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.forecast.network import Dense, Floats32, Network
from neural_trader.forecast.packing import check_network, last_layer, middle_of, pooled

# So many windows at a time that what a layer leaves for the next stays in the cache.
_TOGETHER: Final = 512


class Stage(NamedTuple):
    """A block as it is computed: max pooling over ``pool`` (1: none), then layers with ReLU.

    Every matrix is (inputs + 1, outputs), the bias last; ``last`` gives backcast and heads side by
    side, in the last block the heads alone.
    """

    pool: int
    hidden: tuple[Floats32, ...]
    last: Floats32


class Forward:
    """A network, prepared to be computed in NumPy; for one thread at a time.

    Parameters
    ----------
    network : Network

    Raises
    ------
    DataError
        The network cannot be served; see ``check_network``.
    """

    def __init__(self, network: Network) -> None:
        stages = stages_of(network)
        self._count = network.horizon * len(network.levels)
        self._shape = (network.horizon, len(network.levels))
        self._order = slice(None, None, -1 if network.newest_first else 1)
        self._single = _Single(stages, network.lookback, self._count)
        self._stages = stages
        self._lookback = network.lookback
        # The buffers for windows side by side, of the last count that was asked for.
        self._columns = _Columns(stages, network.lookback, self._count, 2)

    def __call__(self, windows: Floats32) -> Floats32:
        """Compute the raw heads of every window.

        Parameters
        ----------
        windows : float32, shape (B, L)
            Normalized, the newest value last.

        Returns
        -------
        float32, shape (B, H, Q)
        """
        rows = len(windows)
        windows = windows[:, self._order]
        if rows == 1:
            return self._single(windows[0]).reshape(1, *self._shape)
        heads = np.empty((rows, self._count), np.float32)
        for first in range(0, rows, _TOGETHER):
            part = windows[first : first + _TOGETHER]
            if len(part) != self._columns.rows:
                self._columns = _Columns(self._stages, self._lookback, self._count, len(part))
            heads[first : first + _TOGETHER] = self._columns(part)
        return heads.reshape(rows, *self._shape)


class _Columns:
    """The pass over a number of windows side by side, in buffers of its own."""

    def __init__(self, stages: tuple[Stage, ...], lookback: int, count: int, rows: int) -> None:
        self.rows = rows
        self._rest = np.empty((lookback, rows), np.float32)
        self._heads = np.empty((count, rows), np.float32)
        self._steps = []
        for stage in stages:
            x = np.ones((pooled(lookback, stage.pool) + 1, rows), np.float32)
            into, layers = x[:-1], []
            for matrix in stage.hidden:
                out = np.ones((matrix.shape[1] + 1, rows), np.float32)
                layers.append((_turned(matrix), x, out[:-1], np.zeros_like(out[:-1])))
                x = out
            given = np.empty((stage.last.shape[1], rows), np.float32)
            back = len(given) - count
            last = (_turned(stage.last), x, given)
            self._steps.append((stage.pool, into, layers, last, given[:back], given[back:]))

    def __call__(self, windows: Floats32) -> Floats32:
        """Return the heads (B, H * Q) of windows (B, L), in a buffer."""
        rest, heads = self._rest, self._heads
        rest[:] = windows.T
        heads[:] = 0.0
        for pool, into, layers, last, back, forward in self._steps:
            _pool(rest, pool, into)
            for matrix, x, out, zeros in layers:
                np.matmul(matrix, x, out=out)
                # Against an array of zeros NumPy takes many at once, against a number one by one.
                np.maximum(out, zeros, out=out)
            matrix, x, given = last
            np.matmul(matrix, x, out=given)
            if len(back):
                rest -= back
            heads += forward
        return heads.T


class _Single:
    """The pass over one window, in buffers of its own."""

    def __init__(self, stages: tuple[Stage, ...], lookback: int, count: int) -> None:
        # Behind the window stands what the last, shorter pool takes for its missing values.
        longest = max(stage.pool * pooled(lookback, stage.pool) for stage in stages)
        buffer = np.full(longest, -np.inf, np.float32)
        self._window = buffer[:lookback]
        self._count = count
        self._steps = []
        for stage in stages:
            size = pooled(lookback, stage.pool)
            x = np.ones(size + 1, np.float32)
            source = buffer[: size * stage.pool].reshape(size, stage.pool)
            columns = tuple(source[:, place] for place in range(stage.pool))
            into = x[:-1]
            layers = []
            for matrix in stage.hidden:
                out = np.ones(matrix.shape[1] + 1, np.float32)
                layers.append((x, matrix, out[:-1], np.zeros_like(out[:-1])))
                x = out
            given = np.empty(stage.last.shape[1], np.float32)
            back = len(given) - count
            last = (x, stage.last, given)
            self._steps.append((columns, into, layers, last, given[:back], given[back:]))

    def __call__(self, window: Floats32) -> Floats32:
        """Return the heads (H * Q,) of a window (L,)."""
        rest, dot, maximum = self._window, np.dot, np.maximum
        rest[:] = window
        heads = np.zeros(self._count, np.float32)
        for columns, into, layers, last, back, forward in self._steps:
            if len(columns) == 1:
                into[:] = columns[0]
            else:
                maximum(columns[0], columns[1], out=into)
                for column in columns[2:]:
                    maximum(into, column, out=into)
            for x, matrix, out, zeros in layers:
                dot(x, matrix, out)
                maximum(out, zeros, out=out)
            dot(*last)
            if len(back):
                rest -= back
            heads += forward
        return heads


def quantiles_of(raw: Floats32, network: Network) -> Floats32:
    """Return quantiles from raw heads.

    Parameters
    ----------
    raw : float32, shape (..., Q)
        As ``Forward`` gives them.
    network : Network
        Whose heads are plain, and so are quantiles; or monotone, where each but the middle one is,
        before a softplus, its distance from the neighbor.

    Returns
    -------
    float32, shape (..., Q)
        Of monotone heads not falling along the last axis.
    """
    if network.heads == "plain":
        return raw
    middle = middle_of(network.levels)
    steps = np.logaddexp(raw, np.float32(0.0))
    out = raw.copy()
    for place in range(middle + 1, raw.shape[-1]):
        out[..., place] = out[..., place - 1] + steps[..., place]
    for place in range(middle - 1, -1, -1):
        out[..., place] = out[..., place + 1] - steps[..., place]
    return out


def stages_of(network: Network) -> tuple[Stage, ...]:
    """Return the blocks of a network as matrices that take their bias as a last input of 1.

    Raises
    ------
    DataError
        The network cannot be served; see ``check_network``.
    """
    check_network(network)
    return tuple(_stage(network, place) for place in range(len(network.blocks)))


def _stage(network: Network, place: int) -> Stage:
    block = network.blocks[place]
    hidden = list(block.hidden)
    pool = block.pool
    if block.pooling == "average" and pool > 1:
        first = hidden[0]
        mean = _averages(network.lookback, pool)
        weight = (mean @ first.weight.astype(np.float64)).astype(np.float32)
        hidden[0], pool = Dense(weight, first.bias), 1
    return Stage(pool, tuple(map(_augmented, hidden)), _augmented(last_layer(network, place)))


def _averages(lookback: int, pool: int) -> NDArray[np.float64]:
    """Return average pooling as a matrix (L, pooled)."""
    groups = np.arange(lookback) // pool
    members = (groups[:, None] == np.arange(pooled(lookback, pool))).astype(np.float64)
    averages: NDArray[np.float64] = members / members.sum(axis=0)
    return averages


def _augmented(layer: Dense) -> Floats32:
    return np.ascontiguousarray(np.vstack([layer.weight, layer.bias]), np.float32)


def _turned(matrix: Floats32) -> Floats32:
    return np.ascontiguousarray(matrix.T)


def _pool(rest: Floats32, pool: int, into: Floats32) -> None:
    """Write (L, B) -> (ceil(L / pool), B), the greatest of each group."""
    into[:] = rest[::pool]
    for place in range(1, pool):
        column = rest[place::pool]
        np.maximum(into[: len(column)], column, out=into[: len(column)])
