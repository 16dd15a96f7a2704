"""Adjusted prices, held to pandas code written straight from the definition."""

import datetime as dt
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

import neural_trader as nt
from neural_trader.core import DataError, Dividend, Split
from neural_trader.core.sessions import session_day
from neural_trader.data.actions import Actions
from neural_trader.data.catalog import Catalog, Origin

BOTH: list[Literal["backward", "forward"]] = ["backward", "forward"]
# Source: Microsoft, "Dividends and stock history": its first dividend, and the special one.
MSFT = {
    "symbol": ["MSFT", "MSFT", "MSFT"],
    "ex_date": ["2003-02-19", "2004-11-15", "2004-11-15"],
    "kind": ["dividend", "dividend", "special"],
    "amount": [0.08, 0.08, 3.00],
}


def day(text: str) -> int:
    return session_day(text, option="day")


def made(closes: list[float], **fields: list[float]) -> dict[str, Any]:
    days = [dt.date(2021, 1, 4) + dt.timedelta(days=each) for each in range(len(closes))]
    return {"date": days, "symbol": ["A"] * len(closes), "close": closes} | fields


def wealth(prices: pd.Series, actions: Actions) -> pd.Series:
    """Own one share, split it, and buy shares for each dividend at the close before the ex-date.

    That is what 1 - D / C means: the cum-dividend price less the dividend is what the rest costs.
    """
    shares, out, before = 1.0, [], None
    for date, price in prices.items():
        if before is not None:
            # The dividend is reinvested at the ex-dividend value of the close before.
            cash = sum(each.amount for each in actions.dividends if before[0] < each.date <= date)
            shares *= before[1] / (before[1] - cash)
            for split in actions.splits:
                if before[0] < split.date <= date:
                    shares *= split.ratio
        out.append(shares * price)
        before = (date, price)
    return pd.Series(out, index=prices.index)


@pytest.mark.parametrize("direction", BOTH)
def test_total_returns_of_real_prices_are_those_of_an_owner(
    direction: Literal["backward", "forward"],
) -> None:
    raw = nt.load("us-ohlcv", symbols="MSFT", adjust="none")
    bars = nt.load(
        "us-ohlcv", symbols="MSFT", actions=MSFT, adjust="total-return", direction=direction
    )
    assert (raw.basis, bars.basis, bars.splits) == ("raw", "total-return", ())
    dates = [each.date() for each in pd.to_datetime(raw["MSFT"].ts_close_ns)]
    actions = Actions(
        raw.splits,
        (
            Dividend("MSFT", day("2003-02-19"), 0.08),
            Dividend("MSFT", day("2004-11-15"), 3.08),
        ),
    )
    owned = wealth(pd.Series(raw["MSFT"].close, index=dates), actions).pct_change()[1:]
    returns = pd.Series(bars["MSFT"].close).pct_change()[1:]
    np.testing.assert_allclose(returns.to_numpy(), owned.to_numpy(), rtol=0, atol=1e-13)


def test_the_special_dividend_of_microsoft_is_no_loss() -> None:
    close = nt.load("us-ohlcv", symbols="MSFT", actions=MSFT, adjust="total-return")["MSFT"]
    split = nt.load("us-ohlcv", symbols="MSFT")["MSFT"]
    at = int(np.searchsorted(close.ts_close_ns, day("2004-11-15") * 86_400_000_000_000))
    before = 29.97
    assert split.close[at - 1] == pytest.approx(before)
    assert split.close[at] / split.close[at - 1] - 1 == pytest.approx(-0.0861, abs=1e-4)
    factor = 1 - 3.08 / before
    assert close.close[at - 1] == pytest.approx(before * factor, rel=1e-12)
    assert close.close[at] / close.close[at - 1] - 1 == pytest.approx(0.0186, abs=1e-4)


def test_the_splits_of_the_sample_stand_on_their_days_and_the_crash_stays() -> None:
    raw = nt.load("us-ohlcv", adjust="none")
    assert {(each.symbol, str(each.date), each.ratio) for each in raw.splits} == {
        ("AAPL", "2000-06-21", 2.0),
        ("AAPL", "2005-02-28", 2.0),
        ("MSFT", "2003-02-18", 2.0),
    }
    for direction in BOTH:
        for adjust in ("splits", "total-return"):
            bars = nt.load(
                "us-ohlcv",
                actions=MSFT,
                adjust=adjust,
                direction=direction,
            )
            for split in raw.splits:
                old, new = raw[split.symbol], bars[split.symbol]
                at = int(np.searchsorted(old.ts_close_ns, split.day * 86_400_000_000_000))
                assert old.close[at] / old.close[at - 1] < 0.6
                assert 0.9 < new.close[at] / new.close[at - 1] < 1.1
            apple = bars["AAPL"]
            at = int(np.searchsorted(apple.ts_close_ns, day("2000-09-29") * 86_400_000_000_000))
            assert apple.close[at] / apple.close[at - 1] - 1 == pytest.approx(-0.5187, abs=1e-4)


def test_one_end_of_the_prices_is_the_market_s() -> None:
    raw = nt.load("us-ohlcv", symbols="MSFT", adjust="none")["MSFT"]
    bars = {
        direction: nt.load(
            "us-ohlcv", symbols="MSFT", actions=MSFT, adjust="total-return", direction=direction
        )["MSFT"]
        for direction in BOTH
    }
    assert bars["backward"].close[-1] == raw.close[-1]
    assert bars["forward"].close[0] == raw.close[0]
    np.testing.assert_allclose(
        np.diff(np.log(bars["backward"].close)), np.diff(np.log(bars["forward"].close)), atol=1e-13
    )


def test_forward_history_stays_when_an_action_comes_in() -> None:
    closes = [100.0, 99.0, 51.0, 50.0, 49.0, 47.7]
    table = {"symbol": ["A"], "ex_date": ["2021-01-06"], "ratio": [2.0], "amount": [None]}
    more: dict[str, list[Any]] = {"symbol": ["A"] * 2, "ex_date": ["2021-01-06", "2021-01-09"]}
    more |= {"ratio": [2.0, None], "amount": [None, 1.3]}
    before = nt.load(made(closes), actions=table, adjust="total-return", direction="forward")
    after = nt.load(made(closes), actions=more, adjust="total-return", direction="forward")
    assert before["A"].close[:5].tobytes() == after["A"].close[:5].tobytes()
    assert before["A"].close[5] < after["A"].close[5]


def test_volumes_know_splits_alone_and_all_prices_one_factor() -> None:
    data = made(
        [100.0, 98.0, 48.0],
        open=[99.0, 97.0, 47.0],
        high=[101.0, 99.0, 49.0],
        low=[98.0, 96.0, 46.0],
        volume=[10.0, 20.0, 30.0],
    )
    table = {
        "symbol": ["A", "A"],
        "ex_date": ["2021-01-05", "2021-01-06"],
        "kind": ["dividend", "split"],
        "value": [2.0, 2.0],
    }
    back = nt.load(data, actions=table, adjust="total-return")["A"]
    assert back.volume is not None
    assert back.open is not None
    assert back.volume.tolist() == [20.0, 40.0, 30.0]
    np.testing.assert_allclose(back.close, [100 * 0.98 / 2, 49.0, 48.0], rtol=1e-15)
    np.testing.assert_allclose(back.open, [99 * 0.98 / 2, 48.5, 47.0], rtol=1e-15)
    ahead = nt.load(data, actions=table, adjust="total-return", direction="forward")["A"]
    assert ahead.volume is not None
    assert ahead.volume.tolist() == [10.0, 20.0, 15.0]
    np.testing.assert_allclose(ahead.close, [100.0, 98 / 0.98, 2 * 48 / 0.98], rtol=1e-15)


def test_a_dividend_beside_a_split_is_paid_on_old_shares_and_after_it_on_new_ones() -> None:
    data = {"date": ["2021-01-04", "2021-01-11"], "symbol": ["A", "A"], "close": [100.0, 49.0]}
    split = Split("A", day("2021-01-06"), 2.0)
    same = Actions((split,), (Dividend("A", day("2021-01-06"), 2.0),))
    later = Actions((split,), (Dividend("A", day("2021-01-07"), 1.0),))
    earlier = Actions((split,), (Dividend("A", day("2021-01-05"), 2.0),))
    for actions in (same, later, earlier):
        bars = nt.load(data, actions=actions, adjust="total-return")
        assert bars["A"].close.tolist() == [49.0, 49.0]


def test_actions_outside_of_the_data_or_of_others_change_nothing() -> None:
    data = made([100.0, 101.0, 102.0])
    table = {
        "symbol": ["A", "A", "A", "B"],
        "ex_date": ["2021-01-04", "2021-01-07", "2020-01-01", "2021-01-05"],
        "kind": ["dividend", "split", "split", "split"],
        "value": [200.0, 2.0, 2.0, 2.0],
    }
    for direction in BOTH:
        bars = nt.load(data, actions=table, adjust="total-return", direction=direction)
        assert bars["A"].close.tolist() == [100.0, 101.0, 102.0]
    assert nt.load(data, actions=table).basis == "split-adjusted"
    only_b = {"symbol": ["B"], "ex_date": ["2021-01-05"], "ratio": [2.0]}
    assert nt.load(data, actions=only_b).basis == "raw"


@pytest.mark.parametrize("amount", [100.0, 150.0])
def test_a_dividend_of_the_whole_price_is_refused(amount: float) -> None:
    table = {"symbol": ["A"], "ex_date": ["2021-01-05"], "amount": [amount]}
    with pytest.raises(DataError, match=r"the dividend of .* on 2021-01-05 is not below the close"):
        nt.load(made([100.0, 101.0]), actions=table, adjust="total-return")
    assert nt.load(made([100.0, 101.0]), actions=table).basis == "raw"


def test_a_dividend_on_a_day_without_a_bar_counts_from_the_next() -> None:
    data = {"date": ["2021-01-08", "2021-01-11"], "symbol": ["A", "A"], "close": [100.0, 99.0]}
    table = {"symbol": ["A"], "ex_date": ["2021-01-09"], "amount": [1.0]}
    bars = nt.load(data, actions=table, adjust="total-return")
    assert bars["A"].close.tolist() == [99.0, 99.0]


def test_a_range_has_the_values_of_the_whole() -> None:
    whole = nt.load("us-ohlcv", symbols="MSFT", actions=MSFT, adjust="total-return")["MSFT"]
    part = nt.load(
        "us-ohlcv",
        symbols="MSFT",
        actions=MSFT,
        adjust="total-return",
        start="2001-01-01",
        end="2002-12-31",
    )["MSFT"]
    first = int(np.searchsorted(whole.ts_close_ns, part.ts_close_ns[0]))
    assert part.close.tobytes() == whole.close[first : first + len(part.close)].tobytes()


def test_nothing_is_called_total_return_without_dividends_or_raw_prices() -> None:
    with pytest.raises(DataError, match=r"does not know the dividends of AAPL, IBM, MSFT"):
        nt.load("us-ohlcv", adjust="total-return")
    done = nt.load("sp500-closes", symbols="KO", adjust="total-return")
    assert done.data_hash == nt.load("sp500-closes", symbols="KO").data_hash
    with pytest.raises(DataError, match="holds total-return prices; corporate actions are for raw"):
        nt.load("sp500-closes", symbols="KO", actions=MSFT)
    with pytest.raises(DataError, match="holds split-adjusted prices; total-return prices are"):
        nt.load(made([1.0, 2.0]), basis="split-adjusted", adjust="total-return")
    with pytest.raises(nt.ConfigError, match="direction is 'sideways'"):
        nt.load("sp500-closes", direction="sideways")  # type: ignore[arg-type]


def test_a_split_that_is_known_otherwise_is_refused() -> None:
    table = {"symbol": ["MSFT"], "ex_date": ["2003-02-18"], "ratio": [3.0]}
    with pytest.raises(
        DataError, match=r"MSFT has a split on 2003-02-18 of 2\.0 there and of 3\.0"
    ):
        nt.load("us-ohlcv", actions=table)
    same = {"symbol": ["MSFT"], "ex_date": ["2003-02-18"], "ratio": [2.0]}
    assert nt.load("us-ohlcv", actions=same).data_hash == nt.load("us-ohlcv").data_hash


def test_raw_bars_say_which_splits_of_a_table_they_cross() -> None:
    table = {"symbol": ["A", "A"], "ex_date": ["2021-01-05", "2022-01-05"], "ratio": [2.0, 2.0]}
    bars = nt.load(made([100.0, 50.0]), actions=table, adjust="none")
    assert (bars.basis, [str(each.date) for each in bars.splits]) == ("raw", ["2021-01-05"])


def test_a_long_history_of_made_up_actions() -> None:
    """Splits and dividends at random, on prices of a random walk, against the owner's wealth."""
    random = np.random.default_rng(7)
    closes = 50 * np.exp(random.normal(0, 0.02, 400).cumsum())
    data = made(closes.tolist())
    places = np.sort(random.choice(np.arange(1, 400), 40, replace=False))
    dates = [data["date"][place] for place in places]
    splits = tuple(
        Split("A", day(str(date)), float(ratio))
        for date, ratio in zip(dates[::8], [2, 3, 1.05, 0.1, 7], strict=True)
    )
    paid = tuple(
        Dividend("A", day(str(date)), float(random.uniform(0.01, 1.0)))
        for at, date in enumerate(dates)
        if at % 8
    )
    actions = Actions(splits, paid)
    expected = wealth(pd.Series(closes, index=data["date"]), actions).pct_change()[1:]
    for direction in BOTH:
        bars = nt.load(data, actions=actions, adjust="total-return", direction=direction)
        found = pd.Series(bars["A"].close).pct_change()[1:]
        np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=0, atol=1e-12)


def test_a_folder_of_a_catalog_brings_its_dividends_through_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEURAL_TRADER_CACHE", str(tmp_path / "cache"))
    raw = nt.load("us-ohlcv", symbols=["MSFT", "IBM"], adjust="none")
    catalog = Catalog(tmp_path / "prices")
    catalog.write(raw, Origin(provider="samples"), at="2026-01-01T00:00:00Z")
    catalog.keep_actions(MSFT, ["MSFT"])
    expected = nt.load("us-ohlcv", symbols="MSFT", actions=MSFT, adjust="total-return")
    for _ in range(2):
        found = nt.load(tmp_path / "prices/1Day", symbols="MSFT", adjust="total-return")
        assert found.data_hash == expected.data_hash
        with pytest.raises(DataError, match="does not know the dividends of IBM"):
            nt.load(tmp_path / "prices/1Day", adjust="total-return")
    assert catalog.load("MSFT", adjust="total-return").data_hash == expected.data_hash


@pytest.mark.parametrize("ratio", [1e-320, 1e300])
def test_ratios_that_leave_no_number_are_refused(ratio: float) -> None:
    table = {"symbol": ["A"] * 2, "ex_date": ["2021-01-05", "2021-01-06"], "ratio": [ratio] * 2}
    for direction in BOTH:
        with pytest.raises(DataError, match="its actions take close out of what a number can hold"):
            nt.load(made([100.0, 101.0, 102.0]), actions=table, direction=direction)
