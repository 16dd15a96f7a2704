"""Hold the engine, compiled or interpreted, to the reference, field by field and bit by bit."""

from typing import Any

import numpy as np

import neural_trader as nt
from neural_trader.backtesting.reference import ReferenceRun, run_reference
from neural_trader.backtesting.window import Range
from neural_trader.strategies import CompiledStrategy

ANY_LEVERAGE = 1e12


def assert_agrees(result: nt.Result, run: ReferenceRun) -> None:
    """Fail unless a result is exactly what the reference saw."""
    outcome = result.outcome
    assert outcome.is_ruined == run.is_ruined
    np.testing.assert_array_equal(outcome.equity, np.array(run.equity))
    where = np.array([(fill.bar, fill.leg) for fill in run.fills], dtype=np.int64).reshape(-1, 2)
    np.testing.assert_array_equal(outcome.where, where.T)
    fills = np.array([fill[2:] for fill in run.fills]).reshape(-1, 5)
    np.testing.assert_array_equal(outcome.fills, fills.T)
    bars = outcome.signals.shape[1]
    signals = np.array(run.signals)[:, :bars]
    np.testing.assert_array_equal(outcome.signals, signals)
    assert result.trades == run.entries
    assert outcome.skipped == (*run.skipped, run.decided_on_the_last_bar)
    assert outcome.peak_leverage == run.peak_leverage
    assert outcome.peak_bar == run.peak_bar


def run_both(
    strategy: CompiledStrategy, bars: nt.Bars, asked: Range, **account: Any
) -> tuple[nt.Result, ReferenceRun]:
    """Run the engine and the reference on the same bars with the same arguments."""
    start, end, warmup, fill_at = asked
    result = nt.backtest(
        strategy,
        bars,
        start=start,
        end=end,
        warmup=warmup,
        fill_at=fill_at,
        max_leverage=ANY_LEVERAGE,
        **account,
    )
    return result, run_reference(strategy, bars, asked=asked, **account)
