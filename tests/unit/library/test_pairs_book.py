"""Many pairs on one account, and every choice of hedge ratio and spread, against a plain loop."""

import math
from typing import Any

import numpy as np
import pytest

import neural_trader as nt

SYMBOLS = ["KO", "PEP", "WMT", "HD"]
BARS = nt.load("sp500-closes", symbols=SYMBOLS)
COSTS = nt.Costs(fee_bps=5, slippage_bps=5)
RANGE: dict[str, Any] = {"end": "2003-12-31", "costs": COSTS}


def positions(run: nt.Result) -> dict[str, np.ndarray[Any, Any]]:
    """Return what is held of every symbol at every close."""
    held = np.zeros((len(run.symbols), len(run.window.ts_close_ns)))
    np.add.at(held, (run.outcome.where[1], run.outcome.where[0]), run.outcome.fills[0])
    return dict(zip(run.symbols, held.cumsum(axis=1), strict=True))


def z_of(y: Any, x: Any, ratio: float) -> float:
    spread = y - ratio * x
    return float((spread[-1] - spread.mean()) / spread.std(ddof=1))


def by_hand(y: Any, x: Any, **rules: Any) -> list[tuple[float, float]]:
    """Return the units of y and x decided at every bar: the words of the docstring as a loop."""
    n, hedge, kind = rules["lookback"], rules["hedge"], rules["spread"]
    side, units, fixed, since, out = 0, (0.0, 0.0), math.nan, 0, rules["cooldown"]
    top = math.inf if rules["stop"] is None else rules["stop"]
    spreads: list[float] = []
    decided = []
    for t in range(len(y)):
        if side:
            since += 1
        else:
            out += 1
        wy, wx = y[max(t - n + 1, 0) : t + 1], x[max(t - n + 1, 0) : t + 1]
        slope = np.cov(wy, wx)[0, 1] / wx.var(ddof=1) if t >= n - 1 else math.nan
        ratio = slope if isinstance(hedge, str) else hedge
        if hedge == "entry" and side:
            ratio = fixed
        spreads.append(y[t] - ratio * x[t])
        z = math.nan
        if kind == "moving":
            window = np.array(spreads[-n:])
            if len(window) == n and not np.isnan(window).any():
                z = float((window[-1] - window.mean()) / window.std(ddof=1))
        elif t >= n - 1:
            of_units = abs(units[1] / units[0]) if kind == "held" and side else ratio
            z = z_of(wy, wx, of_units)
        if side:
            far = -side * z >= top
            old = rules["longest"] is not None and since >= rules["longest"]
            if -side * z <= rules["exit"] or far or old:
                side, units, out = 0, (0.0, 0.0), 0
        elif rules["entry"] <= abs(z) < top and ratio > 0 and out > rules["cooldown"]:
            units_y = math.floor(20_000.0 / (y[t] + ratio * x[t]))
            units_x = math.floor(ratio * units_y + 0.5)
            if units_y > 0 and units_x > 0:
                side, fixed, since = (-1 if z > 0 else 1), ratio, 0
                units = (float(side * units_y), float(-side * units_x))
        decided.append(units)
    return decided


@pytest.mark.parametrize("hedge", ["rolling", "entry", 0.7])
@pytest.mark.parametrize("spread", ["moving", "window", "held"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"stop": 2.8},
        {"longest": 12},
        {"cooldown": 15},
        {"stop": 3.0, "longest": 25, "cooldown": 5, "exit": -0.5},
    ],
)
def test_every_choice(hedge: Any, spread: Any, more: dict[str, Any]) -> None:
    rules = {
        "lookback": 30, "entry": 1.8, "exit": 0.3, "stop": None, "longest": None, "cooldown": 0,
    } | more  # fmt: skip
    book = nt.library.PairsBook("KO/PEP", hedge=hedge, spread=spread, **rules)
    run = nt.backtest(book, BARS, **RANGE)
    held = positions(run)
    stop = len(run.window.ts_close_ns)
    y, x = (BARS[symbol].close[:stop] for symbol in ("KO", "PEP"))
    decided = np.array(by_hand(y, x, hedge=hedge, spread=spread, **rules))
    np.testing.assert_array_equal(held["KO"][1:], decided[:-1, 0])
    np.testing.assert_array_equal(held["PEP"][1:], decided[:-1, 1])
    assert run.fill_count > 40


@pytest.mark.parametrize(("y", "x"), [("KO", "PEP"), ("WMT", "HD"), ("PEP", "WMT")])
@pytest.mark.parametrize("size", [20_000.0, "40%"])
def test_one_pair_with_the_defaults_is_the_compiled_strategy(y: str, x: str, size: Any) -> None:
    bars = nt.load("sp500-closes", symbols=[y, x])
    book = nt.backtest(nt.library.PairsBook([(y, x)], size=size), bars, costs=COSTS)
    pairs = nt.backtest(nt.Pairs(y, x, gross=size), bars, costs=COSTS)
    np.testing.assert_array_equal(book.equity, pairs.equity)
    np.testing.assert_array_equal(book.outcome.fills, pairs.outcome.fills)


def test_pairs_share_one_account_and_their_legs_add_up() -> None:
    alone = [
        positions(nt.backtest(nt.library.PairsBook(pair), BARS, **RANGE))
        for pair in ("KO/PEP", "KO/WMT", "WMT/HD")
    ]
    run = nt.backtest(nt.library.PairsBook("KO/PEP,KO/WMT,WMT/HD"), BARS, **RANGE)
    for symbol, held in positions(run).items():
        apart = sum(each[symbol] for each in alone if symbol in each)
        np.testing.assert_array_equal(held, apart)


def test_no_more_pairs_than_allowed_and_the_farthest_first() -> None:
    book = nt.library.PairsBook("KO/PEP,KO/WMT,WMT/HD", entry=1.0, most=1)
    run = nt.backtest(book, BARS, **RANGE)
    held = positions(run)
    legs = np.sum([held[symbol] != 0 for symbol in run.symbols], axis=0)
    assert set(legs.tolist()) == {0, 2}


def test_a_share_of_equity_is_that_of_the_day() -> None:
    run = nt.backtest(nt.library.PairsBook("KO/PEP", size="50%"), BARS, **RANGE)
    where, fills = run.outcome.where, run.outcome.fills
    t = run.trips[-2].entry_bar
    both = where[0] == t
    closes = [BARS[run.symbols[leg]].close[t - 1] for leg in where[1, both]]
    gross = float(np.abs(fills[0, both]) @ np.array(closes))
    assert gross == pytest.approx(0.5 * run.equity[t - 1], rel=0.01)


class TestScreening:
    @staticmethod
    def made(seed: int = 7) -> nt.Bars:
        from tests.made_bars import make_bars

        draw = np.random.default_rng(seed)
        x = 100.0 + draw.normal(size=800).cumsum()
        spread = np.zeros(800)
        for t in range(1, 800):
            spread[t] = 0.9 * spread[t - 1] + draw.normal()
        other = 100.0 + draw.normal(size=800).cumsum()
        return make_bars(
            {"X": x.tolist(), "Y": (50.0 + 0.5 * x + spread).tolist(), "Z": other.tolist()}
        )

    def test_the_pair_that_belongs_together_is_found(self) -> None:
        found = nt.library.screen_pairs(self.made(), p_value=0.01)
        assert found.tested == 3
        (candidate,) = found.candidates
        assert {candidate.y, candidate.x} == {"X", "Y"}
        assert candidate.p_value < 0.01
        # A memory of 0.9 halves in 6.6 bars; a sample shows less of it than there is.
        assert candidate.half_life == pytest.approx(math.log(0.5) / math.log(0.9), rel=0.25)
        expected = 0.5 if candidate.y == "Y" else 2.0
        assert candidate.hedge_ratio == pytest.approx(expected, rel=0.1)

    def test_it_is_the_library_s_own_test(self) -> None:
        from statsmodels.tsa.stattools import coint

        bars = self.made()
        found = nt.library.screen_pairs(bars, ["X", "Y"], p_value=1.0).candidates[0]
        statistic, p_value, _ = coint(bars[found.y].close, bars[found.x].close)
        assert (found.statistic, found.p_value) == (statistic, p_value)

    def test_a_range_is_all_that_it_sees(self) -> None:
        bars = self.made()
        seen: list[tuple[int, int]] = []
        part = nt.library.screen_pairs(
            bars, ["X", "Y"], start="2024-02-01", end="2025-06-30", p_value=1.0,
            progress=lambda done, total: seen.append((done, total)),
        )  # fmt: skip
        whole = nt.library.screen_pairs(bars, ["X", "Y"], p_value=1.0)
        assert part.candidates[0].hedge_ratio != whole.candidates[0].hedge_ratio
        assert seen == [(1, 1)]

    @pytest.mark.parametrize(
        ("given", "error", "told"),
        [
            ({"symbols": ["X"]}, nt.ConfigError, "two or more"),
            ({"symbols": ["X", "Q"]}, nt.DataError, "unknown symbol 'Q'"),
            ({"p_value": 5}, nt.ConfigError, "p_value"),
            ({"end": "2024-01-20"}, nt.DataError, "60 or more"),
        ],
    )
    def test_what_it_refuses(self, given: dict[str, Any], error: Any, told: str) -> None:
        with pytest.raises(error, match=told):
            nt.library.screen_pairs(self.made(), **given)

    @pytest.mark.parametrize(
        ("spread", "bars"),
        [
            ([1.0, -1.0] * 20, 0.0),
            ([float(k) for k in range(40)], math.inf),
            ([0.5**k for k in range(40)], 1.0),
        ],
    )
    def test_half_lives(self, spread: list[float], bars: float) -> None:
        from neural_trader.strategies.library.screening import compute_half_life

        assert compute_half_life(np.array(spread)) == pytest.approx(bars, abs=0.12)
