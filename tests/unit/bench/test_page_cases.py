"""What the page measures itself: its answers are checked before a time is taken."""

import math
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting.reference import run_reference
from neural_trader.bench import page_cases
from neural_trader.core import BenchError
from neural_trader.strategies import Legs


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have few runs: what is tested is not their time."""
    monkeypatch.setattr(page_cases, "_RUNS", 3)
    monkeypatch.setattr(page_cases, "_REFERENCE_RUNS", 2)
    monkeypatch.setattr(page_cases, "_SWEEPS", 1)


def test_signals_and_trades_are_measured() -> None:
    (signals,) = page_cases.run_signals()
    assert 0.0 < signals["value"] < signals["baseline"]
    (trades,) = page_cases.run_trades()
    assert (trades["value"], trades["baseline"]) == (2, 2)


def test_a_wrong_signal_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    right = nt.Pairs.signals

    def wrong(self: nt.Pairs, legs: Legs) -> Any:
        found = right(self, legs)
        found[2, -1] = np.nextafter(found[2, -1], math.inf)
        return found

    monkeypatch.setattr(nt.Pairs, "signals", wrong)
    with pytest.raises(BenchError, match="z_score of bar 251"):
        page_cases.run_signals()


def test_another_answer_has_no_trades(monkeypatch: pytest.MonkeyPatch) -> None:
    free = nt.Costs(fee_bps=0.0, slippage_bps=0.0)
    right = run_reference

    def other(strategy: Any, bars: nt.Bars, **options: Any) -> Any:
        return right(strategy, bars, **(options | {"costs": free}))

    monkeypatch.setattr(page_cases, "run_reference", other)
    with pytest.raises(BenchError, match="not the baseline's"):
        page_cases.run_trades()


def test_workers_that_differ_have_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Found:
        def __init__(self, workers: int) -> None:
            self.summary = {
                "trials": 10,
                "trades": 20 + (workers == 4),
                "fills": 80,
                "mean_final_equity": 1.0,
            }

    monkeypatch.setattr(nt, "sweep", lambda *_, workers, **__: Found(workers))
    monkeypatch.setattr(page_cases, "_check_trial", lambda *_: None)
    with pytest.raises(BenchError, match="trades is 21 on 4 workers, not 20"):
        page_cases.run_scaling()
