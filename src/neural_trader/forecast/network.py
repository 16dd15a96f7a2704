"""A trained N-HiTS as it is served: constant matrices, and nothing of the library that trained it.

A block pools what is left of the window, sends it through dense layers with ReLU between them, and
gives two things from the last of them: what it explains of the window, and its share of the
forecast. Interpolation between knots is a constant matrix, so it is folded into the last layer.

References
----------
Challu, Olivares, Oreshkin, Garza, Mergenthaler-Canseco and Dubrawski 2023, "NHITS: Neural
Hierarchical Interpolation for Time Series Forecasting", AAAI.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]


class Dense(NamedTuple):
    """``x @ weight + bias``; ``weight`` is float32 (inputs, outputs), ``bias`` (outputs,)."""

    weight: Floats32
    bias: Floats32


class Block(NamedTuple):
    """One block, folded.

    Attributes
    ----------
    pool : int
        Width and stride of the pooling over the window; a last, shorter piece is pooled too.
    pooling : {"max", "average"}
    hidden : tuple of Dense
        Each followed by a ReLU.
    backcast : Dense
        From the last hidden layer to the window, (hidden, L).
    forecast : Dense
        From the last hidden layer to the raw heads, (hidden, H * Q), quantiles within a step.
    """

    pool: int
    pooling: Literal["max", "average"]
    hidden: tuple[Dense, ...]
    backcast: Dense
    forecast: Dense


class Network(NamedTuple):
    """All blocks, in order, and how their sum is read.

    Attributes
    ----------
    lookback, horizon : int
        L and H, in bars.
    levels : tuple of float, length Q
        Quantiles of the heads, rising; one head of 0.5 is a point forecast.
    heads : {"plain", "monotone"}
        Plain: the raw heads are the quantiles. Monotone: the raw head of the middle level is its
        quantile, and each further one lies a softplus of its raw head beyond its neighbor, so that
        quantiles cannot cross.
    blocks : tuple of Block
    newest_first : bool
        Whether the first block is given the window back to front, and pools it so.
    """

    lookback: int
    horizon: int
    levels: tuple[float, ...]
    heads: Literal["plain", "monotone"]
    blocks: tuple[Block, ...]
    newest_first: bool = False
