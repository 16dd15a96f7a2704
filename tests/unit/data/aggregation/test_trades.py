"""Bars from trades: what closes them, how they are stamped, and which trades are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import neural_trader as nt
from neural_trader.core import DataError

BASE = "2024-01-02T14:30:"


def frame(rows: list[tuple[str, float, float]]) -> dict[str, list[Any]]:
    times, prices, sizes = zip(*rows, strict=True)
    return {"time": [BASE + each for each in times], "price": list(prices), "size": list(sizes)}


TRADES = frame(
    [
        ("01", 10.0, 100.0),
        ("02", 12.0, 300.0),
        ("02", 11.0, 100.0),
        ("02", 9.0, 100.0),
        ("30", 10.0, 1000.0),
        ("31", 13.0, 50.0),
    ]
)


def rows(bars: nt.Bars, symbol: str = "trades") -> list[tuple[float, ...]]:
    block = bars.home(symbol)
    names = ("open", "high", "low", "close", "volume")
    return [tuple(block.fields[name][0, at] for name in names) for at in range(len(bars))]


def test_ticks_count_trades_in_the_order_of_the_file() -> None:
    bars = nt.bars_from_trades(TRADES, kind="tick", size=2)
    assert rows(bars) == [
        (10.0, 12.0, 10.0, 12.0, 400.0),
        (11.0, 11.0, 9.0, 9.0, 200.0),
        (10.0, 13.0, 10.0, 13.0, 1050.0),
    ]
    assert (bars.symbols, bars.basis, bars.labels) == (("trades",), "raw", ())


def test_bars_of_one_moment_are_stamped_a_nanosecond_apart() -> None:
    bars = nt.bars_from_trades(TRADES, kind="tick", size=1)
    second = int(np.datetime64(BASE + "02", "ns").astype(np.int64))
    assert bars.blocks[0].ts_close_ns[1:4].tolist() == [second, second + 1, second + 2]
    assert bars["trades"].close.tolist() == TRADES["price"]
    # A trade within those nanoseconds is not stamped before the bars that were there first.
    close_by = TRADES | {"time": [*TRADES["time"][:4], BASE + "02.000000001", BASE + "31"]}
    stamps = nt.bars_from_trades(close_by, kind="tick", size=1).blocks[0].ts_close_ns
    assert stamps[1:5].tolist() == [second, second + 1, second + 2, second + 3]
    assert stamps[5] == second + 29 * 10**9


def test_a_trade_larger_than_a_bar_closes_one_and_is_not_split() -> None:
    bars = nt.bars_from_trades(TRADES, kind="volume", size=400, incomplete="keep")
    assert [each[4] for each in rows(bars)] == [400.0, 1200.0, 50.0]
    assert bars.labels == ("incomplete last bar",)
    bars = nt.bars_from_trades(TRADES, kind="volume", size=400)
    assert ([each[4] for each in rows(bars)], bars.labels) == ([400.0, 1200.0], ())


def test_dollars_are_prices_times_sizes() -> None:
    bars = nt.bars_from_trades(TRADES, kind="dollar", size=4600.0)
    assert [each[4] for each in rows(bars)] == [400.0, 1200.0]
    assert rows(nt.bars_from_trades(TRADES, kind="dollar", size=4600.1))[0][4] == 500.0


def test_time_is_anchored_and_its_interval_closed_on_the_right() -> None:
    trades = frame(
        [("00", 9.0, 1.0), ("10", 10.0, 1.0), ("10.000000001", 11.0, 1.0), ("40", 12.0, 1.0)]
    )
    bars = nt.bars_from_trades(trades, kind="time", size="10s")
    stamps = [str(each) for each in bars.blocks[0].ts_close_ns.astype("M8[ns]").astype("M8[s]")]
    assert stamps == [BASE + each for each in ("00", "10", "20", "40")]
    assert bars["trades"].close.tolist() == [9.0, 10.0, 11.0, 12.0]


def test_the_opening_auction_is_in_the_first_bar_of_its_session() -> None:
    trades = frame([("00", 9.0, 1.0), ("30", 10.0, 1.0), ("59", 11.0, 1.0)])
    trades = {name: [*values[:1], *values] for name, values in trades.items()}
    trades["time"][0] = "2024-01-02T14:29:59"
    bars = nt.bars_from_trades(
        trades,
        kind="time",
        size="1min",
        session=("09:30", "16:00", "America/New_York"),
        incomplete="keep",
    )
    assert rows(bars) == [(9.0, 11.0, 9.0, 11.0, 3.0)]
    assert str(bars.blocks[0].ts_close_ns.astype("M8[ns]")[0])[:19] == "2024-01-02T14:31:00"
    # Where one session follows the other, it belongs to the one that ends.
    midnight = {"time": ["2024-01-02T00:00", "2024-01-02T12:00"], "price": [1.0, 2.0]}
    days = nt.bars_from_trades(midnight, kind="time", size="day", incomplete="keep")
    assert days["trades"].close.tolist() == [1.0, 2.0]


def test_time_bars_are_those_of_pandas() -> None:
    random = np.random.default_rng(3)
    count = 5_000
    times = pd.Timestamp("2024-01-02T14:30") + pd.to_timedelta(
        np.sort(random.integers(1, 4 * 3600, count)), unit="s"
    )
    trades = pd.DataFrame(
        {
            "date_time": times,
            "price": 100 + random.integers(-50, 50, count) / 100,
            "volume": random.integers(1, 100, count).astype(float),
        }
    )
    bars = nt.bars_from_trades(trades, kind="time", size="5min", incomplete="keep")["trades"]
    by_time = trades.set_index("date_time").resample("5min", closed="right", label="right")
    expected = by_time["price"].ohlc().dropna()
    volume = by_time["volume"].sum()[expected.index]
    assert bars.ts_close_ns.tolist() == expected.index.as_unit("ns").astype("int64").tolist()
    for name in ("open", "high", "low", "close"):
        assert getattr(bars, name).tolist() == expected[name].tolist()
    assert bars.volume is not None
    assert bars.volume.tolist() == volume.tolist()


def test_a_bar_that_is_not_over_is_dropped_or_told() -> None:
    dropped = nt.bars_from_trades(TRADES, kind="time", size="30s")
    assert (len(dropped), dropped.labels) == (1, ())
    kept = nt.bars_from_trades(TRADES, kind="time", size="30s", incomplete="keep")
    assert (len(kept), kept.labels) == (2, ("incomplete last bar",))
    with pytest.raises(DataError, match="6 trades of mapping fill no bar; expected one of 7"):
        nt.bars_from_trades(TRADES, kind="tick", size=7)


def test_files_folders_and_symbols(tmp_path: Path) -> None:
    long = pl.DataFrame(TRADES).with_columns(symbol=pl.Series(["A", "B", "A", "B", "A", "A"]))
    long.write_parquet(tmp_path / "all.parquet")
    long.write_csv(tmp_path / "all.csv")
    both = [
        nt.bars_from_trades(tmp_path / name, kind="tick", size=2) for name in ("all.csv",
                                                                             "all.parquet")
    ]  # fmt: skip
    assert both[0].data_hash == both[1].data_hash
    assert both[0].symbols == ("A", "B")
    assert both[0]["B"].close.tolist() == [9.0]
    only = nt.bars_from_trades(tmp_path / "all.csv", kind="tick", size=2, symbols="B")
    assert only.symbols == ("B",)
    with pytest.raises(DataError, match=r"unknown symbol 'C' in all\.csv"):
        nt.bars_from_trades(tmp_path / "all.csv", kind="tick", size=2, symbols=["C"])
    folder = tmp_path / "days"
    folder.mkdir()
    for at, part in enumerate((long[:3], long[3:])):
        part.write_csv(folder / f"{at}.csv")
    joined = nt.bars_from_trades(folder, kind="tick", size=2)
    assert joined.data_hash == both[0].data_hash
    long[:2].write_csv(folder / "9.csv")
    with pytest.raises(DataError, match="days: the files of A overlap in time"):
        nt.bars_from_trades(folder, kind="tick", size=2)
    pl.DataFrame(TRADES).write_csv(tmp_path / "KO.csv")
    assert nt.bars_from_trades(tmp_path / "KO.csv", kind="tick", size=2).symbols == ("KO",)
    assert nt.bars_from_trades(TRADES, kind="tick", size=2, symbols="KO").symbols == ("KO",)


def test_the_prints_of_a_file_of_quotes_are_its_trades(tmp_path: Path) -> None:
    (tmp_path / "ticks.csv").write_text(
        "ts,symbol,bid,ask,price,size\n"
        "2024-01-02T14:30:01Z,A,9.9,10.1,,\n"
        "2024-01-02T14:30:02Z,A,,,10,100\n"
        "2024-01-02T14:30:03Z,B,9.9,10.1,,\n"
        "2024-01-02T14:30:04Z,A,,,11,100\n"
    )
    bars = nt.bars_from_trades(tmp_path / "ticks.csv", kind="tick", size=1)
    assert (bars.symbols, bars["A"].close.tolist()) == (("A",), [10.0, 11.0])
    text = (tmp_path / "ticks.csv").read_text()
    (tmp_path / "ticks.csv").write_text(text.replace(",11,", ",-11,"))
    with pytest.raises(DataError, match=r"row 4 \(line 5 of ticks\.csv\): column 'price' is '-11'"):
        nt.bars_from_trades(tmp_path / "ticks.csv", kind="tick", size=1)
    (tmp_path / "ticks.csv").write_text("\n".join(text.splitlines()[:2]))
    with pytest.raises(DataError, match=r"ticks\.csv has no row; expected trades"):
        nt.bars_from_trades(tmp_path / "ticks.csv", kind="tick", size=1)


def test_trades_without_sizes_have_bars_without_volumes() -> None:
    trades = {name: TRADES[name] for name in ("time", "price")}
    for kind, size in (("tick", 2), ("time", "10s")):
        bars = nt.bars_from_trades(trades, kind=kind, size=size)  # type: ignore[arg-type]
        assert "volume" not in bars.blocks[0].fields
    with pytest.raises(DataError, match="expected time, price and size"):
        nt.bars_from_trades(trades, kind="volume", size=2)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("price", 0.0, r"row 4.*column 'price' is 0\.0; expected a price above 0"),
        ("price", float("nan"), r"row 4.*'price' is nan"),
        ("price", float("inf"), r"row 4.*'price' is inf"),
        ("size", -1.0, r"row 4.*'size' is -1\.0; expected 0 or more"),
        ("size", float("nan"), r"row 4.*'size' is nan"),
        ("time", BASE + "01", "row 4.*the time lies before that of the trade before it"),
        ("time", "soon", "row 4.*'soon' is no time"),
    ],
)
def test_a_trade_that_is_none_is_told(column: str, value: object, message: str) -> None:
    trades = {name: list(values) for name, values in TRADES.items()}
    trades[column][3] = value
    with pytest.raises(DataError, match=message):
        nt.bars_from_trades(trades, kind="volume", size=400)


@pytest.mark.parametrize(
    ("trades", "message"),
    [
        ({"time": [], "price": [], "size": []}, "has no row; expected trades"),
        ({"price": [1.0], "size": [1.0]}, "expected time, price and size"),
        ({"time": ["2024-01-02"], "price": [1.0]}, "column 'time' holds dates"),
        (TRADES | {"symbol": ["A", None, "A", "A", "A", "A"]}, "row 2.*has no symbol"),
    ],
)
def test_tables_that_hold_no_trades(trades: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        nt.bars_from_trades(trades, kind="tick", size=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "imbalance", "size": 1}, "kind is 'imbalance'; expected one of 'time', 'tick'"),
        ({"kind": "tick", "size": 0}, "size is 0; expected a number of trades, 1 or more"),
        ({"kind": "tick", "size": 1.5}, "size is 1.5; expected a number of trades"),
        ({"kind": "tick", "size": True}, "size is True"),
        ({"kind": "tick", "size": 10**400}, "expected a number of trades"),
        ({"kind": ["tick"], "size": 1}, "kind is "),
        ({"kind": "volume", "size": 0.0}, "size is 0.0; expected volume above 0"),
        ({"kind": "dollar", "size": float("inf")}, "size is inf; expected money above 0"),
        ({"kind": "dollar", "size": "5min"}, "size is '5min'; expected money"),
        ({"kind": "time", "size": 60}, "size is 60; expected the length of a bar"),
        ({"kind": "tick", "size": 1, "calendar": "XNYS"}, "calendar and session are for bars by"),
        ({"kind": "tick", "size": 1, "incomplete": ""}, "incomplete is ''"),
    ],
)
def test_arguments_that_cannot_be_used(options: dict[str, Any], message: str) -> None:
    with pytest.raises(nt.ConfigError, match=message):
        nt.bars_from_trades(TRADES, **options)


def test_the_source_must_be_of_a_known_kind() -> None:
    with pytest.raises(nt.ConfigError, match=r"source is a builtins\.int"):
        nt.bars_from_trades(7, kind="tick", size=1)
    with pytest.raises(DataError, match="is not there"):
        nt.bars_from_trades("no-such-trades.csv", kind="tick", size=1)
