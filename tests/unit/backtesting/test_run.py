"""A run is what it was: nothing that its figures are made from can be changed."""

import pytest

import neural_trader as nt


def test_equity_cannot_be_changed_before_the_figures_are_made() -> None:
    bars = nt.load("sp500-closes", symbols=["KO"], start="2021-01-01", end="2021-12-31")
    result = nt.backtest(nt.SmaCross("KO"), bars)
    with pytest.raises(ValueError, match="read-only"):
        result.equity[0] = 0.0
