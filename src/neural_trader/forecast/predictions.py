"""Forecasts at many origins, beside what came: what every judgment is made from."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.forecast.artefact import MODEL, Offsets
from neural_trader.forecast.baselines import Baseline
from neural_trader.forecast.conformal import intervals, split_conformal
from neural_trader.forecast.forward import Forward
from neural_trader.forecast.network import Network
from neural_trader.forecast.normalization import (
    Normalization,
    normalize,
    restore,
    trailing_volatility,
)
from neural_trader.forecast.windows import Indexes, targets_at, windows_at

Floats = NDArray[np.float64]
Ladder = tuple[Offsets, ...]

_CHUNK: Final = 4_000_000
"""Values of windows that are looked at together."""


class Predictions(NamedTuple):
    """Forecasts of N origins for S series and H steps; all values are transformed.

    Attributes
    ----------
    at : intp array, shape (N,)
        The last bar that each origin knew.
    last, volatility : float64 arrays, shape (N, S)
        The value then, and how much the series had moved of late.
    truths : float64 array, shape (N, S, H)
    forecasts : dict of str to float64 array, shape (N, S, H)
        By source: ``"nhits"`` and every baseline.
    covered : dict of str to bool array, shape (K, N, S, H)
        By source and coverage: whether the interval held the truth. False where nothing had moved;
        such origins are no part of a coverage.
    """

    at: Indexes
    last: Floats
    volatility: Floats
    truths: Floats
    forecasts: dict[str, Floats]
    covered: dict[str, NDArray[np.bool_]]

    def errors(self, source: str) -> Floats:
        """Return squared errors, a mean over the steps: (N, S)."""
        wrong = self.truths - self.forecasts[source]
        squares: Floats = (wrong * wrong).mean(axis=2)
        return squares

    def take(self, keep: NDArray[np.bool_]) -> "Predictions":
        """Return some of the origins."""
        return Predictions(
            self.at[keep],
            self.last[keep],
            self.volatility[keep],
            self.truths[keep],
            {source: made[keep] for source, made in self.forecasts.items()},
            {source: held[:, keep] for source, held in self.covered.items()},
        )


def predict(
    values: Floats,
    at: Indexes,
    network: Network,
    normalization: Normalization,
    *,
    baselines: dict[str, Baseline],
) -> Predictions:
    """Forecast at some bars, with nothing that came after them.

    Parameters
    ----------
    values : float64 array, shape (S, T)
        Transformed.
    at : intp array, shape (N,)
        Each with a whole window before it and H bars after it.
    network : Network
    normalization : Normalization
    baselines : dict of str to Baseline
    """
    lookback, horizon = network.lookback, network.horizon
    forward = Forward(network)
    size = max(1, _CHUNK // (lookback * len(values)))
    parts: dict[str, list[Floats]] = {name: [] for name in (MODEL, "volatility", *baselines)}
    rows = np.arange(len(values))
    for begin in range(0, len(at), size):
        # Look-ahead: all that is forecast from is in these windows.
        windows = windows_at(values, at[begin : begin + size], lookback)
        inputs, last = normalize(windows, normalization)
        # The raw head of the middle level is its quantile, whatever the kind of the heads.
        raw = forward(inputs.reshape(-1, lookback))[:, :, len(network.levels) // 2]
        parts[MODEL].append(restore(raw.reshape(*last.shape, horizon), last, normalization))
        parts["volatility"].append(trailing_volatility(windows))
        for name, baseline in baselines.items():
            parts[name].append(baseline.forecast(windows, rows))
    whole = {name: np.concatenate(made) for name, made in parts.items()}
    volatility = whole.pop("volatility")
    return Predictions(at, values[:, at].T, volatility, targets_at(values, at, horizon), whole, {})


def calibrate(made: Predictions, source: str, coverages: tuple[float, ...]) -> Ladder:
    """Return how far intervals must reach, from errors of all series together.

    Parameters
    ----------
    made : Predictions
        Of origins that no network has learned from.
    source : str
    coverages : tuple of float

    Raises
    ------
    DataError
        There are too few origins for a coverage.
    """
    moves = made.volatility > 0.0
    residuals = (made.truths - made.forecasts[source])[moves]
    return tuple(split_conformal(residuals, made.volatility[moves], level) for level in coverages)


def cover(made: Predictions, source: str, ladder: Ladder) -> NDArray[np.bool_]:
    """Return whether each interval held the truth, bool (K, N, S, H)."""
    found = np.empty((len(ladder), *made.truths.shape), dtype=np.bool_)
    for place, offsets in enumerate(ladder):
        lower, upper = intervals(made.forecasts[source], made.volatility, offsets)
        found[place] = (lower <= made.truths) & (made.truths <= upper)
    return found


def joined(parts: list[Predictions]) -> Predictions:
    """Return the origins of several stretches as one."""
    first = parts[0]
    return Predictions(
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.last for part in parts]),
        np.concatenate([part.volatility for part in parts]),
        np.concatenate([part.truths for part in parts]),
        {
            source: np.concatenate([part.forecasts[source] for part in parts])
            for source in first.forecasts
        },
        {
            source: np.concatenate([part.covered[source] for part in parts], axis=1)
            for source in first.covered
        },
    )
