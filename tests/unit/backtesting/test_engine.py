"""What the engine takes, what it refuses, and what awkward data do to a run."""

import datetime as dt
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting.reference import run_reference
from neural_trader.core import Block
from neural_trader.core.sessions import last_ns
from tests.agreement import assert_agrees
from tests.made_bars import MONDAY, make_bars

CLOSES = {"A": [10.0, 10, 11, 12, 11, 9, 8, 9], "B": [20.0, 21, 20, 22, 21, 23, 20, 21]}
BARS = make_bars(CLOSES)
CROSS = nt.SmaCross("A", fast=1, slow=2, gross=1_000.0)


class TestArguments:
    @pytest.mark.parametrize("name", ["capital", "max_leverage"])
    @pytest.mark.parametrize("value", [0, -1.0, math.nan, -math.inf, "5", None, True, 10**400, 1j])
    def test_what_is_not_above_zero_is_named(self, name: str, value: Any) -> None:
        with pytest.raises(nt.ConfigError, match=f"^{name} is .*; expected a number above 0$"):
            nt.backtest(CROSS, BARS, **{name: value})

    def test_infinite_capital_is_refused_and_infinite_leverage_is_not(self) -> None:
        with pytest.raises(nt.ConfigError, match="capital is inf"):
            nt.backtest(CROSS, BARS, capital=math.inf)
        assert nt.backtest(CROSS, BARS, max_leverage=math.inf).trades == 1

    @pytest.mark.parametrize("value", [5_000, np.int64(5_000), np.float32(5_000), Fraction(5_000)])
    def test_numbers_of_other_kinds_are_kept_in_their_plain_form(self, value: Any) -> None:
        run = nt.backtest(CROSS, BARS, capital=value, max_leverage=value)
        plain = nt.backtest(CROSS, BARS, capital=5_000.0, max_leverage=5_000.0)
        assert type(run.config.capital) is type(run.config.max_leverage) is float
        assert run.provenance == plain.provenance
        assert run.equity.tolist() == plain.equity.tolist()

    @pytest.mark.parametrize(
        "start",
        [
            "2024-01-03",
            "20240103",
            dt.date(2024, 1, 3),
            dt.datetime(2024, 1, 3, 15, 30),  # noqa: DTZ001 - a naive time is a day too
            dt.datetime(2024, 1, 3, tzinfo=dt.UTC),
        ],
    )
    def test_a_date_in_any_form_is_one_configuration(self, start: Any) -> None:
        run = nt.backtest(CROSS, BARS, start=start)
        plain = nt.backtest(CROSS, BARS, start="2024-01-03")
        assert run.provenance == plain.provenance
        assert run.provenance["config"]["start"] == "2024-01-03"

    @pytest.mark.parametrize("name", ["start", "end"])
    @pytest.mark.parametrize("value", [20240103, 1.5, "", "soon", np.datetime64("2024-01-03")])
    def test_what_is_no_date_is_named(self, name: str, value: Any) -> None:
        with pytest.raises(nt.ConfigError, match=f"^{name} is .*; expected a session date"):
            nt.backtest(CROSS, BARS, **{name: value})

    @pytest.mark.parametrize("strategy", [nt.Pairs, nt.SmaCross, "pairs", None])
    def test_what_is_no_strategy(self, strategy: Any) -> None:
        with pytest.raises(nt.ConfigError, match=r"strategy is .*; expected nt\.Pairs\(\.\.\.\)"):
            nt.backtest(strategy, BARS)

    @pytest.mark.parametrize("bars", [None, {"A": [1.0]}, np.ones(5), "sp500-closes"])
    def test_what_is_no_bars(self, bars: Any) -> None:
        with pytest.raises(nt.ConfigError, match=r"expected Bars: pass it through nt\.load first"):
            nt.backtest(CROSS, bars)

    @pytest.mark.parametrize("costs", [None, 5, {"fee_bps": 5}])
    def test_what_is_no_costs(self, costs: Any) -> None:
        with pytest.raises(nt.ConfigError, match=r"expected nt\.Costs\(fee_bps=\.\.\."):
            nt.backtest(CROSS, BARS, costs=costs)


class TestAwkwardData:
    @pytest.mark.parametrize("bars", [1, 2, 3, 4, 5])
    @pytest.mark.parametrize("size", [2_000.0, 0.5])
    def test_fewer_bars_than_a_decision_takes(self, bars: int, size: float) -> None:
        few = make_bars({symbol: closes[:bars] for symbol, closes in CLOSES.items()})
        for strategy in (
            nt.Pairs("A", "B", lookback=4, gross=size),
            nt.SmaCross("A", fast=2, slow=6, gross=size),
        ):
            run = nt.backtest(strategy, few)
            assert_agrees(run, run_reference(strategy, few))
            assert run.equity.tolist() == [100_000.0] * bars
            assert any("no decision was possible" in note for note in run.notes)
            assert len(run.metrics) > 20

    @pytest.mark.parametrize("window", [9, 1_000, 10**12, 10**30])
    def test_a_window_of_any_length_costs_no_more_than_the_bars(self, window: int) -> None:
        for strategy in (
            nt.Pairs("A", "B", lookback=window),
            nt.SmaCross("A", fast=2, slow=window),
            nt.SmaCross("A", fast=window, slow=window + 1),
        ):
            run = nt.backtest(strategy, BARS)
            assert run.fill_count == 0
            assert np.isnan(run.outcome.signals[-1]).all()

    def test_a_fast_average_is_known_where_the_slow_one_is_not(self) -> None:
        run = nt.backtest(nt.SmaCross("A", fast=2, slow=10**9), BARS)
        assert run.signals["fast"][1:].tolist() == [10, 10.5, 11.5, 11.5, 10, 8.5, 8.5]

    def test_a_price_that_is_not_a_number_never_becomes_money(self) -> None:
        closes = {"A": [10.0, 10, 11, math.nan, 11, 9, 8, 9]}
        with pytest.raises(nt.RunRefused, match="final equity is nan; expected a finite number"):
            nt.backtest(CROSS, make_bars(closes))

    def test_equity_beyond_a_float_is_refused(self) -> None:
        with pytest.raises(nt.RunRefused, match="expected a finite number"):
            nt.backtest(
                nt.SmaCross("A", fast=1, slow=2, gross=9.9),
                BARS,
                capital=1.7e308,
                max_leverage=math.inf,
            )

    @pytest.mark.parametrize("scale", [2.0**-60, 2.0**60])
    def test_prices_of_any_size_give_the_same_run(self, scale: float) -> None:
        rng = np.random.default_rng(3)
        walks = {symbol: rng.integers(15, 25, 40).astype(float).tolist() for symbol in "AB"}
        strategy = nt.Pairs("A", "B", lookback=4, entry=0.8, exit=0.0, gross=0.5)
        scaled = make_bars({s: [p * scale for p in walk] for s, walk in walks.items()})
        plain = nt.backtest(strategy, make_bars(walks), capital=1_000.0)
        run = nt.backtest(strategy, scaled, capital=1_000.0 * scale)
        assert plain.fill_count > 8
        assert (run.equity / scale).tolist() == plain.equity.tolist()

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_arrays_of_other_kinds_are_taken_through_load(self, order: Any) -> None:
        closes = np.array([CLOSES["A"], CLOSES["B"]]).T
        days = np.arange("2024-01-01", "2024-01-09", dtype="datetime64[D]")
        plain = nt.backtest(CROSS, BARS).equity.tolist()
        for kind in (np.float64, np.float32, np.int64):
            array = np.array(closes, dtype=kind, order=order)
            array.flags.writeable = False
            bars = nt.load(array, symbols=["A", "B"], timestamps=days)
            assert nt.backtest(CROSS, bars).equity.tolist() == plain

    @pytest.mark.parametrize("wrong", [np.float32, np.int64])
    def test_bars_of_another_kind_are_an_error_not_another_number(self, wrong: Any) -> None:
        stamps = np.array([last_ns(MONDAY + day) for day in range(8)])
        block = Block(("A",), stamps, {"close": np.array([CLOSES["A"]]).astype(wrong)})
        with pytest.raises(ValueError, match="dtype mismatch"):
            nt.backtest(CROSS, nt.Bars((block,), name="made"))

    def test_a_run_leaves_its_bars_as_they_were(self) -> None:
        bars = make_bars(CLOSES)
        before = bars.data_hash
        nt.backtest(CROSS, bars)
        assert make_bars(CLOSES).data_hash == before
        assert nt.Bars(bars.blocks, name="made").data_hash == before


def test_leverage_up_to_its_limit_is_allowed() -> None:
    strategy = nt.SmaCross("A", fast=1, slow=2, gross=1_000.0)
    peak = nt.backtest(strategy, BARS, capital=800).outcome.peak_leverage
    # 90 shares bought at 12 weigh the most at 11: 990 over 800 - 90.
    assert peak == pytest.approx(990 / 710)
    assert nt.backtest(strategy, BARS, capital=800, max_leverage=peak).trades == 1
    with pytest.raises(nt.RunRefused, match="Lower gross, or allow it with max_leverage"):
        nt.backtest(strategy, BARS, capital=800, max_leverage=math.nextafter(peak, 0.0))


def test_other_symbols_change_nothing() -> None:
    alone = nt.backtest(CROSS, make_bars({"A": CLOSES["A"]}))
    behind = nt.backtest(CROSS, make_bars({"B": CLOSES["B"], "A": CLOSES["A"]}))
    assert alone.equity.tolist() == behind.equity.tolist()
    assert alone.outcome.where.tolist() == behind.outcome.where.tolist()


def test_the_same_inputs_give_the_same_bytes() -> None:
    first, second = (nt.backtest(CROSS, BARS, costs=nt.Costs(fee_bps=7)) for _ in range(2))
    assert first.equity.tobytes() == second.equity.tobytes()
    assert first.outcome.fills.tobytes() == second.outcome.fills.tobytes()
    assert first.provenance == second.provenance


@pytest.mark.parametrize(
    "other",
    [
        {"capital": 5e4},
        {"costs": nt.Costs(fee_bps=1)},
        {"costs": nt.Costs(slippage_bps=1)},
        {"start": "2024-01-02"},
        {"end": "2024-01-07"},
        {"warmup": "inside"},
        {"max_leverage": 3},
    ],
    ids=str,
)
def test_every_argument_is_in_the_hash(other: dict[str, Any]) -> None:
    plain = nt.backtest(CROSS, BARS).provenance["config_hash"]
    assert nt.backtest(CROSS, BARS, **other).provenance["config_hash"] != plain
