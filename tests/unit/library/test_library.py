"""The strategies of the library against plain loops over the same closes."""

import functools
import math
import pickle
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting import Range, check_lookahead
from tests.made_bars import make_bars

library = nt.library
BARS = nt.load("sp500-closes", symbols=["KO", "PEP", "WMT", "XOM"])
KO_PEP = nt.load("sp500-closes", symbols=["KO", "PEP"])
KO = nt.load("sp500-closes", symbols=["KO"])
COSTS = nt.Costs(fee_bps=5, slippage_bps=5)
EVERY: list[tuple[str, Callable[[], Any]]] = [
    ("sma", lambda: library.SmaCross(5, 20, short=True)),
    ("ema", lambda: library.EmaCross(5, 20, size="20% volatility")),
    ("bollinger", lambda: library.BollingerReversion(10, 1.5, short=True)),
    ("rsi", lambda: library.RsiReversion(5, short=True)),
    ("donchian", lambda: library.DonchianBreakout(10, 5, short=True, size="10 shares")),
    ("time series", lambda: library.TimeSeriesMomentum(60, 5, short=True)),
    ("cross section", lambda: library.CrossSectionalMomentum(40, 5, "week", short=True)),
    ("rebalance", lambda: library.Rebalance("risk-parity", "week", 40)),
    (
        "pairs",
        lambda: library.PairsBook(
            "KO/PEP,WMT/XOM,KO/WMT", lookback=20, entry=1.5, hedge="entry", spread="held",
            stop=3.0, longest=30, cooldown=3, most=2, size="30%",
        ),
    ),
    (
        "ensemble",
        lambda: library.Ensemble(
            [
                library.EmaCross(5, 20),
                library.RsiReversion(5),
                library.PairsBook("KO/PEP", lookback=20),
            ],
            [0.5, 0.3, 0.2],
        ),
    ),
]  # fmt: skip
each = pytest.mark.parametrize("make", [make for _, make in EVERY], ids=[name for name, _ in EVERY])


def sides(run: nt.Result, symbol: str) -> np.ndarray[Any, Any]:
    """Return the sign of what is held at every close, by its fills."""
    held = np.zeros(len(run.window.ts_close_ns))
    leg = run.symbols.index(symbol)
    mine = run.outcome.where[1] == leg
    np.add.at(held, run.outcome.where[0, mine], run.outcome.fills[0, mine])
    return np.sign(np.round(held.cumsum(), 9))


def assert_sides(run: nt.Result, symbol: str, decided: list[float]) -> None:
    """Fail unless a side decided at a close is held from the next one on."""
    found = sides(run, symbol)
    assert len(set(decided)) > 1
    np.testing.assert_array_equal(found[1:], np.array(decided)[:-1])


class TestEvery:
    @each
    def test_it_trades_and_runs_the_same_again(self, make: Callable[[], Any]) -> None:
        strategy = make()
        first = nt.backtest(strategy, BARS, end="1999-12-31", costs=COSTS, max_leverage=9)
        again = nt.backtest(strategy, BARS, end="1999-12-31", costs=COSTS, max_leverage=9)
        assert first.fill_count > 20
        np.testing.assert_array_equal(first.equity, again.equity)

    @each
    def test_it_does_not_see_the_future(self, make: Callable[[], Any]) -> None:
        def changed(change: Callable[[nt.Bars], nt.Bars]) -> Any:
            del change
            return nullcontext(make())

        bars = nt.load("sp500-closes", symbols=["KO", "PEP", "WMT", "XOM"])
        found = check_lookahead(
            changed, bars, capital=1e5, asked=Range("1990-01-02", "1991-12-31", "before", None)
        )
        assert found.first_bar is None
        assert found.decisions > 0

    @each
    def test_a_start_denies_earlier_orders_and_keeps_the_warm_up(
        self, make: Callable[[], Any]
    ) -> None:
        run = nt.backtest(make(), BARS, start="1995-06-01", end="1996-12-31", max_leverage=9)
        assert run.fill_count > 0
        assert run.skipped["denied_warming_up"] == 0

    @each
    def test_it_can_be_sent_to_another_process(self, make: Callable[[], Any]) -> None:
        strategy = make()
        sent = pickle.loads(pickle.dumps(strategy))
        here = nt.backtest(strategy, BARS, end="1993-12-31", max_leverage=9)
        there = nt.backtest(sent, BARS, end="1993-12-31", max_leverage=9)
        np.testing.assert_array_equal(here.equity, there.equity)


class TestCrosses:
    def test_one_symbol_in_money_is_the_compiled_strategy(self) -> None:
        own = nt.backtest(library.SmaCross(20, 50, size=20_000.0), KO, costs=COSTS)
        compiled = nt.backtest(nt.SmaCross("KO", fast=20, slow=50, gross=20_000.0), KO, costs=COSTS)
        np.testing.assert_array_equal(own.equity, compiled.equity)
        np.testing.assert_array_equal(own.outcome.fills, compiled.outcome.fills)

    @pytest.mark.parametrize("short", [False, True])
    def test_exponential_averages(self, short: bool) -> None:
        run = nt.backtest(library.EmaCross(10, 30, short=short, size="1 shares"), BARS)
        for symbol in ("KO", "XOM"):
            close = BARS[symbol].close
            fast, slow = (nt.indicators.EMA(n).batch(close) for n in (10, 30))
            below = -1.0 if short else 0.0
            decided = [
                1.0 if f > s else below if f < s else 0.0 for f, s in zip(fast, slow, strict=True)
            ]
            assert_sides(run, symbol, decided)


class TestReversion:
    @pytest.mark.parametrize("short", [False, True])
    def test_bollinger_bands(self, short: bool) -> None:
        run = nt.backtest(library.BollingerReversion(15, 1.8, short=short, size="1 shares"), KO)
        close = KO["KO"].close.tolist()
        decided, held = [], 0.0
        for t, price in enumerate(close):
            if t >= 14:
                window = np.array(close[t - 14 : t + 1])
                mean, width = window.mean(), 1.8 * window.std()
                if price < mean - width:
                    held = 1.0
                elif short and price > mean + width:
                    held = -1.0
                elif (held > 0 and price >= mean) or (held < 0 and price <= mean):
                    held = 0.0
            decided.append(held)
        assert_sides(run, "KO", decided)

    @pytest.mark.parametrize("short", [False, True])
    def test_relative_strength(self, short: bool) -> None:
        rule = library.RsiReversion(10, 25, 75, 45, short=short, size="1 shares")
        run = nt.backtest(rule, KO)
        decided, held = [], 0.0
        for value in nt.indicators.RSI(10).batch(KO["KO"].close).tolist():
            if value <= 25:
                held = 1.0
            elif short and value >= 75:
                held = -1.0
            elif (held > 0 and value >= 45) or (held < 0 and value <= 45):
                held = 0.0
            decided.append(held)
        assert_sides(run, "KO", decided)


class TestBreakout:
    @pytest.mark.parametrize("data", ["sp500-closes", "us-ohlcv"])
    @pytest.mark.parametrize("short", [False, True])
    def test_channels_of_the_bars_before(self, short: bool, data: str) -> None:
        bars = nt.load(data) if data == "us-ohlcv" else KO
        symbol = bars.symbols[0]
        bars = nt.load(data, symbols=[symbol])
        column = bars[symbol]
        rule = library.DonchianBreakout(20, 8, short=short, size="1 shares")
        run = nt.backtest(rule, bars, max_leverage=99)
        high = column.close if column.high is None else column.high
        low = column.close if column.low is None else column.low
        decided, held = [], 0.0
        for t, price in enumerate(column.close.tolist()):
            # Before there are 20 bars the channel is not known, nor before 8 for an exit.
            top = high[t - 20 : t].max() if t >= 20 else math.nan
            bottom = low[t - 20 : t].min() if t >= 20 else math.nan
            exit_top = high[t - 8 : t].max() if t >= 8 else math.nan
            exit_bottom = low[t - 8 : t].min() if t >= 8 else math.nan
            if price > top:
                held = 1.0
            elif short and price < bottom:
                held = -1.0
            elif (held > 0 and price < exit_bottom) or (held < 0 and price > exit_top):
                held = 0.0
            decided.append(held)
        assert_sides(run, symbol, decided)


class TestMomentum:
    BARS = make_bars(
        {
            "UP": [10.0 * 1.01**k for k in range(60)],
            "FLAT": [10.0] * 60,
            "DOWN": [10.0 * 0.99**k for k in range(60)],
        }
    )

    def test_each_symbol_by_its_own_past(self) -> None:
        rule = library.TimeSeriesMomentum(10, 2, "day", short=True, size="90%")
        run = nt.backtest(rule, self.BARS)
        first = run.fills.head(2)
        # Bar 10 is the first with a past; a third of the size each, and none of what did not move.
        assert first["symbol"].to_list() == ["UP", "DOWN"]
        assert run.outcome.where[0, :2].tolist() == [11, 11]
        close = self.BARS["UP"].close[10]
        assert run.outcome.fills[0, 0] == math.floor(0.3 * 1e5 / close)
        assert run.outcome.fills[0, 1] == -math.floor(0.3 * 1e5 / self.BARS["DOWN"].close[10])
        assert "FLAT" not in run.fills["symbol"].to_list()

    def test_the_best_against_the_worst(self) -> None:
        rule = library.CrossSectionalMomentum(10, 0, "month", part=0.4, short=True, size="50%")
        run = nt.backtest(rule, self.BARS)
        assert run.fills.head(2)["symbol"].to_list() == ["UP", "DOWN"]
        assert run.outcome.fills[0, 0] == math.floor(0.5 * 1e5 / self.BARS["UP"].close[10])
        # Once in January, when its past is long enough, then in the first session of a month.
        days = sorted({str(time)[:10] for time in run.fills["time"].to_list()})
        assert days == ["2024-01-12", "2024-02-02"]

    def test_last_month_is_left_out(self) -> None:
        closes = [100.0 + k for k in range(30)] + [130.0 - 4 * k for k in range(10)]
        bars = make_bars({"A": closes, "B": [100.0] * 40})
        run = nt.backtest(library.TimeSeriesMomentum(20, 10, "day", size="10%"), bars)
        held = sides(run, "A")
        decided = [
            1.0 if t >= 20 and closes[t - 10] > closes[t - 20] else 0.0 for t in range(len(closes))
        ]
        np.testing.assert_array_equal(held[1:], decided[:-1])

    def test_one_symbol_cannot_be_ranked(self) -> None:
        with pytest.raises(nt.ConfigError, match="two or more"):
            nt.backtest(library.CrossSectionalMomentum(), KO)


class TestSizes:
    @pytest.mark.parametrize(
        ("size", "units"),
        [
            ("7 shares", 7.0),
            (5_000, math.floor(5_000 / 20.0)),
            (0.25, math.floor(25_000 / 20.0)),
            ("25%", math.floor(25_000 / 20.0)),
        ],
    )
    def test_a_position_is_as_large_as_asked(self, size: Any, units: float) -> None:
        closes = [30.0] * 3 + [20.0] * 3
        rule = library.BollingerReversion(4, 1.0, size=size)
        run = nt.backtest(rule, make_bars({"A": closes}))
        assert run.outcome.fills[0, 0] == units

    def test_by_volatility(self) -> None:
        run = nt.backtest(library.SmaCross(5, 20, size="15% volatility"), KO)
        close, stamps = KO["KO"].close, KO["KO"].ts_close_ns
        for fill in run.fills.filter(run.fills["qty"] > 0).head(5).iter_rows(named=True):
            t = int(np.searchsorted(stamps, np.datetime64(fill["time"], "ns").astype(np.int64))) - 1
            assert t >= 60
            returns = np.diff(close[t - 60 : t + 1]) / close[t - 60 : t]
            years = (stamps[t] - stamps[t - 60]) / (365.25 * 86_400e9)
            deviation = returns.std(ddof=1) * math.sqrt(60 / years)
            weight = min(0.15 / deviation, 1.0)
            units = weight * run.equity[t] / close[t]
            assert fill["qty"] == pytest.approx(units, abs=1.0)
            assert fill["qty"] <= units + 1e-6

    @pytest.mark.parametrize("size", ["x", "10 apples", "0 shares", "5% shares", -1, None, "nan"])
    def test_what_is_no_size(self, size: Any) -> None:
        with pytest.raises(nt.ConfigError, match="expected money such as"):
            library.SmaCross(size=size)


class TestEnsembles:
    def test_one_member_is_itself(self) -> None:
        alone = nt.backtest(library.EmaCross(5, 20, size="10%"), BARS)
        member = library.EmaCross(5, 20, size="77 shares")
        together = nt.backtest(library.Ensemble([member], [1.0], size="10%"), BARS)
        np.testing.assert_array_equal(alone.equity, together.equity)

    def test_opposite_members_cancel_out(self) -> None:
        members = [library.EmaCross(5, 20), library.EmaCross(5, 20)]
        run = nt.backtest(library.Ensemble(members, [1.0, -1.0]), BARS)
        assert run.fill_count == 0

    def test_a_sum_of_wishes(self) -> None:
        members = [library.SmaCross(2, 3), library.SmaCross(2, 10)]
        run = nt.backtest(library.Ensemble(members, [0.75, 0.25], size=10_000.0), KO)
        close = KO["KO"].close
        average = {n: nt.indicators.SMA(n).batch(close) for n in (2, 3, 10)}
        one, two = (average[2] > average[3]).astype(float), (average[2] > average[10]).astype(float)
        wanted = 0.75 * one + 0.25 * two
        held, units = 0.0, []
        for t in range(len(close)):
            before = wanted[t - 1] if t else 0.0
            if wanted[t] != before:
                held = math.floor(wanted[t] * 10_000.0 / close[t])
            units.append(held)
        found = np.zeros(len(close))
        np.add.at(found, run.outcome.where[0], run.outcome.fills[0])
        np.testing.assert_array_equal(found.cumsum()[1:], units[:-1])

    @pytest.mark.parametrize(
        ("members", "weights", "told"),
        [
            ([], None, "one or more"),
            ([nt.SmaCross("KO")], None, "nt.library"),
            ([library.EmaCross()] * 2, None, "twice"),
            ([library.EmaCross()], [0.5, 0.5], "1 finite"),
            ([library.EmaCross()], [math.nan], "1 finite"),
        ],
    )
    def test_what_is_no_ensemble(self, members: Any, weights: Any, told: str) -> None:
        with pytest.raises(nt.ConfigError, match=told):
            library.Ensemble(members, weights)


ANY: Any = library


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (functools.partial(ANY.SmaCross, 50, 20), "fast < slow"),
        (functools.partial(ANY.SmaCross, short=1), "true or false"),
        (functools.partial(ANY.EmaCross, symbols="KO,,PEP"), "symbols"),
        (functools.partial(ANY.BollingerReversion, width=0), "above 0"),
        (functools.partial(ANY.RsiReversion, low=60), "rise"),
        (functools.partial(ANY.DonchianBreakout, entry=0), "entry"),
        (functools.partial(ANY.TimeSeriesMomentum, 10, 10), "skip < lookback"),
        (functools.partial(ANY.TimeSeriesMomentum, rebalance="year"), "month"),
        (functools.partial(ANY.CrossSectionalMomentum, part=0.7), "part"),
        (functools.partial(ANY.CrossSectionalMomentum, size="9% volatility"), "group"),
        (functools.partial(ANY.PairsBook, "KO"), "KO/PEP"),
        (functools.partial(ANY.PairsBook, "KO/KO"), "different"),
        (functools.partial(ANY.PairsBook, "KO/PEP,KO/PEP"), "twice"),
        (functools.partial(ANY.PairsBook, "KO/PEP", exit=2.0), "exit < entry"),
        (functools.partial(ANY.PairsBook, "KO/PEP", stop=2.0), "entry < stop"),
        (functools.partial(ANY.PairsBook, "KO/PEP", hedge="fixed"), "rolling, entry"),
        (functools.partial(ANY.PairsBook, "KO/PEP", hedge=-1.0), "rolling, entry"),
        (functools.partial(ANY.PairsBook, "KO/PEP", spread="own"), "moving, window or held"),
        (functools.partial(ANY.PairsBook, "KO/PEP", size="10 shares"), "gross"),
    ],
)
def test_parameters_that_are_refused(make: Callable[[], Any], told: str) -> None:
    with pytest.raises(nt.ConfigError, match=told):
        make()
