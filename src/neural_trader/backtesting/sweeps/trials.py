"""One trial, and the row that a sweep keeps of it."""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from neural_trader.backtesting.engine import backtest
from neural_trader.backtesting.sweeps.result import FIGURES
from neural_trader.backtesting.window import Window
from neural_trader.core import Bars, ConfigError, RunRefused
from neural_trader.core.bars import Floats
from neural_trader.portfolio import compute_metrics, compute_periods_per_year, last_of_sessions

WIDTH: Final = len(FIGURES) + 2
"""Numbers of a row: the figures, whether it was ruined, whether it was refused."""

Make = Callable[..., Any]

# Below this, what returns vary by is what rounding leaves: as in the metrics of a run.
_NOISE: Final = 1e-13


def run_trial(
    make: Make, parameters: dict[str, Any], bars: Bars, arguments: dict[str, Any]
) -> Floats | str:
    """Run one trial as a backtest; return its row, or why its parameters are none."""
    try:
        try:
            strategy = make(**parameters)
        except ConfigError as error:
            return str(error)
        # A trial beyond the limit has its figures, too: it is only not chosen.
        return _row(strategy, bars, arguments)
    except Exception as error:
        error.add_note(f"in the trial of {parameters}")
        # A strategy in a file says at which of its lines it failed.
        blame = getattr(make, "blame", None)
        if blame is None:
            raise
        raise blame(error) from error


def _row(strategy: Any, bars: Bars, arguments: dict[str, Any]) -> Floats:  # noqa: ANN401
    row = np.full(WIDTH, math.nan)
    try:
        result = backtest(strategy, bars, **(arguments | {"max_leverage": math.inf}))
    except RunRefused:
        row[-1] = 1.0
        return row
    outcome, capital = result.outcome, result.config.capital
    # Not its whole summary: a row holds a few of the figures, and there are many trials.
    metrics = compute_metrics(result.equity, result.ts_close_ns, capital=capital).values
    row[:] = [
        result.trades,
        result.fill_count,
        result.final_equity,
        metrics["total_return"],
        metrics["sharpe"],
        metrics["max_drawdown"],
        outcome.peak_leverage,
        outcome.is_ruined,
        outcome.peak_leverage > arguments["max_leverage"],
    ]
    return row


def rows_of_kernel(raw: Floats, window: Window, arguments: dict[str, Any]) -> Floats:
    """Return the rows of what the kernel found, shape (trials, WIDTH)."""
    capital = float(arguments["capital"])
    rows = np.empty((len(raw), WIDTH))
    rows[:, 0:3] = raw[:, 0:3]
    rows[:, 3] = raw[:, 2] / capital - 1.0
    deviation = np.sqrt(np.maximum(raw[:, 8], 0.0))
    defined = (raw[:, 9] > _NOISE) & (deviation > 0.0) & (raw[:, 5] == 0.0)
    rows[:, 4] = math.nan
    rows[defined, 4] = raw[defined, 7] / deviation[defined] * math.sqrt(_periods(window))
    rows[:, 5], rows[:, 6] = raw[:, 10], raw[:, 3]
    rows[:, 7], rows[:, 8] = raw[:, 5], raw[:, 3] > float(arguments["max_leverage"])
    # As a run whose equity is no number is refused.
    rows[~np.isfinite(raw[:, 2])] = [math.nan] * (WIDTH - 1) + [1.0]
    return rows


def _periods(window: Window) -> float:
    stamps = window.ts_close_ns[window.first :]
    ends = stamps[last_of_sessions(stamps)]
    return float(compute_periods_per_year(ends)) if len(ends) > 2 else math.nan
