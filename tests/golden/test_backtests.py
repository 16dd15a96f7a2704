"""Whole backtests on the bundled prices, held to the last bit."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neural_trader as nt

Strategy = nt.Pairs | nt.SmaCross
PAIRS = nt.Pairs("KO", "PEP", lookback=60, entry=2.0, exit=0.5, gross=20_000)
SMA = nt.SmaCross("KO", fast=20, slow=50, gross=20_000)
# Source: engines that know nothing of each other agree on these figures, see README.md.
CASES = [
    ("pairs-2021", PAIRS, True, (2, 8, 99_486.6097)),
    ("pairs-all", PAIRS, False, (105, 420, 94_125.7814)),
    ("sma-cross-2021", SMA, True, (3, 5, 102_130.9316)),
    ("sma-cross-all", SMA, False, (101, 201, 126_637.3307)),
]
IDS = [case[0] for case in CASES]


def run(strategy: Strategy, *, one_year: bool) -> nt.Result:
    start, end = ("2021-01-01", "2021-12-31") if one_year else (None, None)
    bars = nt.load("sp500-closes", symbols=list(strategy.symbols), start=start, end=end)
    return nt.backtest(strategy, bars, capital=100_000, costs=nt.Costs(fee_bps=5, slippage_bps=5))


def digest(values: np.ndarray[Any, np.dtype[Any]]) -> str:
    plain = values if values.dtype.kind == "f" else values.astype("U")
    return hashlib.sha256(np.ascontiguousarray(plain).tobytes()).hexdigest()


def describe(result: nt.Result) -> str:
    """Return all that was traded, and a digest where writing it out would take pages."""
    fills = result.columns("fills")
    rows = [
        dict(zip(fills, map(str, row), strict=True))
        for row in zip(*(column.tolist() for column in fills.values()), strict=True)
    ]
    answer = {
        "data_hash": result.provenance["data_hash"],
        "trades": result.trades,
        "final_equity": repr(result.final_equity),
        "equity_sha256": digest(result.equity),
        "fills": len(rows),
        "fills_sha256": {name: digest(column) for name, column in fills.items()},
        "first_fills": rows[:8],
    }
    return json.dumps(answer, indent=1) + "\n"


@pytest.mark.parametrize(("name", "strategy", "one_year", "known"), CASES, ids=IDS)
def test_the_figures_on_which_engines_agree(
    name: str, strategy: Strategy, one_year: bool, known: tuple[int, int, float]
) -> None:
    result = run(strategy, one_year=one_year)
    assert (result.trades, result.fill_count) == known[:2], name
    assert result.final_equity == pytest.approx(known[2], abs=5e-5)


@pytest.mark.parametrize(("name", "strategy", "one_year"), [case[:3] for case in CASES], ids=IDS)
def test_the_same_to_the_bit(
    name: str, strategy: Strategy, one_year: bool, golden: Callable[[str, str], None]
) -> None:
    golden(f"{name}.json", describe(run(strategy, one_year=one_year)))
