"""What a training is told: the shape of the network, and how it learns."""

from itertools import pairwise
from typing import Final, Literal

import msgspec

from neural_trader.core.errors import ConfigError

SIZE_MAX: Final = 4_096
# Of each number: the least and the most that it may be.
_RANGES: Final[dict[str, tuple[float, float]]] = {
    "horizon": (1, 1_000),
    "lookback": (4, SIZE_MAX),
    "width": (1, SIZE_MAX),
    "layers": (1, 16),
    "steps": (0, 1_000_000),
    "batch": (1, 65_536),
    "learning_rate": (1e-8, 1.0),
    "check_every": (1, 1_000_000),
    "patience": (1, 1_000_000),
    "validation_share": (0.01, 0.5),
    "seed": (0, 2**32 - 1),
}


class NHiTSConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network and its training.

    Parameters
    ----------
    horizon, lookback : int
        H and L, in bars: what is forecast, and the window that it is forecast from.
    values : {"log", "level"}
        What the network sees: logarithms of positive prices, or the values as they are. Either way
        the last value of the window is taken off.
    width, layers : int
        Of the dense layers of every block.
    pools : tuple of int
        One a block: bars that are pooled into one, in the order of the blocks.
    knots_every : tuple of int
        One a block: a knot for so many bars, with straight lines between them.
    pooling : {"max", "average"}
    levels : tuple of float
        Quantiles of the heads: rising, odd in number, the middle one 0.5.
    loss : {"pinball", "squared"}
        Squared errors are for one head alone: the forecast is then a mean, and not a median.
    steps, batch : int
        Steps of Adam, and windows in each; 0 steps leave the network as it starts, which is naive.
    learning_rate : float
        At the start; it falls to zero along half a cosine.
    check_every, patience : int
        Steps between looks at the validation part, and looks without a gain before it stops.
    validation_share : float
        Part of the bars, the latest ones, that the network is chosen by and does not learn from.
    seed : int
        Of the first weights and of the batches.

    Raises
    ------
    ConfigError
        A number is out of its range, or the parts do not go together.
    """

    horizon: int
    lookback: int = 64
    values: Literal["log", "level"] = "log"
    width: int = 64
    layers: int = 2
    pools: tuple[int, ...] = (8, 4, 1)
    knots_every: tuple[int, ...] = (8, 4, 1)
    pooling: Literal["max", "average"] = "max"
    levels: tuple[float, ...] = (0.1, 0.5, 0.9)
    loss: Literal["pinball", "squared"] = "pinball"
    steps: int = 300
    batch: int = 256
    learning_rate: float = 1e-3
    check_every: int = 25
    patience: int = 6
    validation_share: float = 0.1
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        check_ranges(self, _RANGES)
        self._check_blocks()
        self._check_levels()

    def _check_blocks(self) -> None:
        if not self.pools or len(self.pools) != len(self.knots_every):
            message = (
                f"pools has {len(self.pools)} blocks and knots_every {len(self.knots_every)}; "
                "expected one of each for every block, and one block at least"
            )
            raise ConfigError(message)
        for name, most in (("pools", self.lookback), ("knots_every", SIZE_MAX)):
            wrong = [found for found in getattr(self, name) if not 1 <= found <= most]
            if wrong:
                message = (
                    f"{name} holds {wrong[0]}; expected 1 to {most:,} bars: pools reach no further "
                    "than the lookback"
                )
                raise ConfigError(message)

    def _check_levels(self) -> None:
        levels = self.levels
        rising = all(low < high for low, high in pairwise((0.0, *levels, 1.0)))
        if not rising or len(levels) % 2 == 0 or levels[len(levels) // 2] != 0.5:
            message = (
                f"levels is {levels}; expected rising quantiles between 0 and 1, odd in number, "
                "with 0.5 in the middle"
            )
            raise ConfigError(message)
        if self.loss == "squared" and len(levels) != 1:
            message = f"loss is 'squared' with {len(levels)} levels; give levels (0.5,) alone"
            raise ConfigError(message)


_EVALUATION_RANGES: Final[dict[str, tuple[float, float]]] = {
    "test_share": (0.05, 0.9),
    "folds": (1, 200),
    "cost_bps": (0.0, 10_000.0),
    "draws": (100, 100_000),
    "seed": (0, 2**32 - 1),
}


class EvaluationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a network is judged before anybody trusts it.

    Parameters
    ----------
    test_start : str
        Session date from which on forecasts are judged; empty takes the last ``test_share``.
    test_share : float
        Part of the bars, the latest ones.
    folds : int
        Stretches of the test part. Before each a new network is trained, on all bars before it.
    cost_bps : float
        Fee and slippage of a trade in the strategy that the card compares with buy-and-hold.
    coverages : tuple of float
        What the intervals are to cover; rising.
    draws, seed : int
        Of the block bootstrap.
    """

    test_start: str = ""
    test_share: float = 0.4
    folds: int = 3
    cost_bps: float = 10.0
    coverages: tuple[float, ...] = (0.8, 0.9, 0.95)
    draws: int = 2_000
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        check_ranges(self, _EVALUATION_RANGES)
        rising = all(low < high for low, high in pairwise((0.0, *self.coverages, 1.0)))
        if not rising or not self.coverages:
            message = f"coverages is {self.coverages}; expected rising parts between 0 and 1"
            raise ConfigError(message)


def check_ranges(config: msgspec.Struct, ranges: dict[str, tuple[float, float]]) -> None:
    """Hold numbers to their ranges.

    Raises
    ------
    ConfigError
        One is out of its range, or not a number.
    """
    for name, (least, most) in ranges.items():
        found = getattr(config, name)
        if not least <= found <= most:
            message = f"{name} is {found}; expected {least:,} to {most:,}"
            raise ConfigError(message)
