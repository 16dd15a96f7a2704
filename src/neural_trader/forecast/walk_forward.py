"""Through history as it was lived: train on what was known, forecast what was not, go on."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import ConfigError, DataError
from neural_trader.core.sessions import first_ns, session_day
from neural_trader.forecast.artefact import MODEL
from neural_trader.forecast.baselines import GATE, Baseline, fit_baselines
from neural_trader.forecast.config import EvaluationConfig, NHiTSConfig
from neural_trader.forecast.learning import Fit, bars_min, fit
from neural_trader.forecast.predictions import (
    Ladder,
    Predictions,
    calibrate,
    cover,
    joined,
    predict,
)
from neural_trader.forecast.windows import Indexes, Panel

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]

_ORIGINS_MIN: Final = 40
"""Origins of a stretch at the least: fewer calibrate no interval of 95 %."""


class Stretch(NamedTuple):
    """Bars ``first`` to ``stop - 1`` that are forecast by a network that has seen none of them."""

    first: int
    stop: int


class Walk(NamedTuple):
    """What came of a walk.

    Attributes
    ----------
    predictions : Predictions
        Of the test part.
    last : Fit
        The network to go on with: of all bars, unless Ctrl-C came before.
    learned_until : int
        Bars that it was made with.
    baseline : Baseline
        What is served where the network does not pass, fitted on all bars.
    offsets : dict of str to tuple of Offsets
        From the errors of the last stretch, by source.
    fits : list of dict
        What each training came to, as JSON values.
    """

    predictions: Predictions
    last: Fit
    learned_until: int
    baseline: Baseline
    offsets: dict[str, Ladder]
    fits: list[dict[str, Any]]


def stretches(panel: Panel, config: NHiTSConfig, evaluation: EvaluationConfig) -> list[Stretch]:
    """Return the stretches to walk: one to calibrate on, then those of the test part.

    Raises
    ------
    DataError
        There are too few bars for them.
    ConfigError
        The test is to start where there are no bars.
    """
    count = len(panel.ts_close_ns)
    begin = count - round(count * evaluation.test_share)
    if evaluation.test_start:
        day = session_day(evaluation.test_start, option="test_start")
        begin = int(np.searchsorted(panel.ts_close_ns, first_ns(day)))
        if begin >= count:
            message = (
                f"test_start is {evaluation.test_start}; {panel.name} ends on "
                f"{panel.date(count - 1)}: test on bars that are there"
            )
            raise ConfigError(message)
    bounds = np.linspace(begin, count, evaluation.folds + 1).astype(int).tolist()
    least = _ORIGINS_MIN + 2 * config.horizon
    calibration = max(min(bounds[1] - bounds[0], begin // 4), least)
    bounds = [begin - calibration, *bounds]
    found = [Stretch(first, stop) for first, stop in pairwise(bounds)]
    shortest = min(stretch.stop - stretch.first for stretch in found)
    if bounds[0] < bars_min(config) or shortest < least:
        before = bars_min(config) + least
        message = (
            f"{panel.name} has {begin:,} bars before the test and {count - begin:,} in its "
            f"{evaluation.folds} folds; lookback {config.lookback} and horizon {config.horizon} "
            f"need {before:,} before it and {least:,} in each fold: load more bars, take a shorter "
            "lookback, fewer folds or another test_start"
        )
        raise DataError(message)
    return found


def walk(
    panel: Panel,
    values: Floats,
    config: NHiTSConfig,
    evaluation: EvaluationConfig,
    *,
    device: str = "auto",
    progress: Progress | None = None,
) -> Walk:
    """Train, forecast and calibrate stretch by stretch, and train once more on everything.

    Parameters
    ----------
    panel : Panel
    values : float64 array, shape (S, T)
        Transformed.
    config : NHiTSConfig
    evaluation : EvaluationConfig
    device : {"auto", "cpu", "cuda"}
    progress : callable, optional
        Called with steps done and steps in all.

    Timing
    ------
    A stretch is forecast by a network, baselines and intervals that were made before its first
    bar: the intervals from the errors in the stretch before. The first stretch calibrates alone.

    Notes
    -----
    After Ctrl-C nothing is trained any more: the network of then, with what was best in it, makes
    all later forecasts, which are none the less forecasts of bars that it has not seen.
    """
    plan = stretches(panel, config, evaluation)
    trainer = _Trainer(panel, values, config, device=device, progress=progress, fits=len(plan) + 1)
    parts: list[Predictions] = []
    offsets: dict[str, Ladder] = {}
    chosen = GATE[0]
    for stretch in plan:
        trained = trainer.train(stretch.first)
        known = values[:, : stretch.first]
        baselines = fit_baselines(known, config.lookback, config.horizon)
        made = predict(
            values,
            _origins(stretch, config, values.shape[1]),
            trained.network,
            trained.normalization,
            baselines=baselines,
        )
        if offsets:
            covered = {name: cover(made, name, ladder) for name, ladder in offsets.items()}
            parts.append(made._replace(covered=covered))
        # Look-ahead: what this stretch teaches must be known when the next begins.
        finished = made.take(made.at + config.horizon < stretch.stop)
        if not offsets:
            chosen = min(GATE, key=lambda name: float(finished.errors(name).mean()))
        offsets = {
            name: calibrate(finished, name, evaluation.coverages) for name in (MODEL, chosen)
        }
    last = trainer.train(values.shape[1])
    baselines = fit_baselines(values, config.lookback, config.horizon)
    return Walk(joined(parts), last, trainer.until, baselines[chosen], offsets, trainer.told)


def _origins(stretch: Stretch, config: NHiTSConfig, count: int) -> Indexes:
    """Return the last known bars from which some bar of a stretch is the next one."""
    first = max(stretch.first - 1, config.lookback - 1)
    return np.arange(first, min(stretch.stop - 1, count - config.horizon), dtype=np.intp)


class _Trainer:
    """Trains until Ctrl-C, and from then on gives what there is."""

    def __init__(
        self,
        panel: Panel,
        values: Floats,
        config: NHiTSConfig,
        *,
        device: str,
        progress: Progress | None,
        fits: int,
    ) -> None:
        self._panel, self._values, self._config = panel, values, config
        self._device, self._progress, self._fits = device, progress, fits
        self._last: Fit | None = None
        self.until = 0
        self.told: list[dict[str, Any]] = []

    def train(self, until: int) -> Fit:
        """Return a network that knows the bars before ``until``, or fewer after Ctrl-C."""
        if self._last is not None and self._last.is_interrupted:
            return self._last
        done = len(self.told) * self._config.steps
        show = self._progress
        self._last = made = fit(
            self._values[:, :until],
            self._config,
            device=self._device,
            progress=show and (lambda step, steps: show(done + step, self._fits * steps)),
        )
        self.until = until
        losses = dict(made.losses)
        self.told.append(
            {
                "from": self._panel.date(0),
                "to": self._panel.date(until - 1),
                "steps": made.steps,
                "best_step": made.best_step,
                "loss_untrained": losses.get(0),
                "loss": losses.get(made.best_step),
                "is_interrupted": made.is_interrupted,
            }
        )
        return made
