"""The same bars come out of every source and layout, bit for bit."""

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.core import FIELDS, Bars, DataError
from neural_trader.data import load
from neural_trader.data.cache import ColumnCache
from neural_trader.data.selection import Content

DAY_NS = 86_400_000_000_000
PRICES = st.floats(1e-6, 1e9, allow_nan=False, allow_subnormal=False)
NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.^=", min_size=2, max_size=8)


@st.composite
def markets(draw: st.DrawFn) -> dict[str, Any]:
    """Return days, symbols and OHLCV arrays of shape (S, T)."""
    days = sorted(draw(st.sets(st.integers(-3_000, 40_000), min_size=1, max_size=8)))
    known = {"HIGH", "OPEN", "LOW", "LAST", "VOL", "TS", "CLOSE", "DATE", "TIME", "SYM", "TIC"}
    symbols = draw(
        st.lists(NAMES, min_size=1, max_size=4, unique_by=lambda name: name.upper()).filter(
            lambda names: (
                not known & {name.replace(".", "") for name in names}
                and not any(name.startswith(".") for name in names)
            )
        )
    )
    shape = (len(symbols), len(days))
    size = shape[0] * shape[1]
    drawn = [draw(st.lists(PRICES, min_size=size, max_size=size)) for _ in range(4)]
    low, first, second, high = np.sort(np.array(drawn), axis=0).reshape(4, *shape)
    volume = np.array(draw(st.lists(st.integers(0, 2**50), min_size=size, max_size=size)))
    return {
        "days": np.array(days, "datetime64[D]"),
        "symbols": symbols,
        "open": first,
        "high": high,
        "low": low,
        "close": second,
        "volume": volume.reshape(shape).astype(float),
    }


def columns(market: dict[str, Any], row: int) -> dict[str, Any]:
    return {"date": market["days"]} | {name: market[name][row] for name in FIELDS}


def wide(market: dict[str, Any]) -> dict[str, Any]:
    return {"date": market["days"]} | dict(zip(market["symbols"], market["close"], strict=True))


def write_csv(path: Path, table: dict[str, Any]) -> Path:
    """Write numbers as Python writes them: the shortest text that reads back the same."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(table)
    writer.writerows(zip(*(np.asarray(values).tolist() for values in table.values()), strict=True))
    path.write_text(out.getvalue(), encoding="utf-8")
    return path


def long(market: dict[str, Any], *, by_day: bool) -> pl.DataFrame:
    parts = [
        pl.DataFrame({"symbol": [symbol] * len(market["days"])} | columns(market, row))
        for row, symbol in enumerate(market["symbols"])
    ]
    frame = pl.concat(parts)
    return frame.sort("date", maintain_order=True) if by_day else frame


@given(markets())
@settings(max_examples=40)
def test_ohlcv_layouts_agree(market: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frame = long(market, by_day=False)
        frame.write_parquet(folder / "long.parquet")
        (folder / "csv").mkdir()
        (folder / "parquet").mkdir()
        for row, symbol in enumerate(market["symbols"]):
            write_csv(folder / "csv" / f"{symbol}.csv", columns(market, row))
            part = pl.DataFrame(columns(market, row))
            part.write_parquet(folder / "parquet" / f"{symbol}.parquet")
        by_day = long(market, by_day=True)
        loaded = [
            load(frame),
            load(frame.lazy()),
            load(by_day),
            load(pd.DataFrame({key: by_day[key].to_list() for key in by_day.columns})),
            load({key: by_day[key].to_numpy() for key in by_day.columns}),
            load(folder / "long.parquet", cache=False),
            load(write_csv(folder / "long.csv", by_day.to_dict()), cache=False),
            load(folder / "csv", symbols=market["symbols"], cache=False),
            load(folder / "parquet", symbols=market["symbols"], cache=False),
        ]
    assert len({bars.data_hash for bars in loaded}) == 1
    [block] = loaded[0].blocks
    for field in FIELDS:
        assert np.array_equal(block.fields[field], market[field])
    assert block.ts_close_ns.tolist() == [
        (int(day) + 1) * DAY_NS - 1 for day in market["days"].astype(int)
    ]


@given(markets())
@settings(max_examples=40)
def test_wide_layouts_agree(market: dict[str, Any]) -> None:
    table = wide(market)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "wide.parquet"
        pl.DataFrame(table).write_parquet(path)
        indexed = pd.DataFrame(table).set_index("date")
        loaded = [
            load(table),
            load(pl.DataFrame(table)),
            load(indexed),
            load(path, cache=False),
            load(write_csv(Path(name) / "wide.csv", table), cache=False),
            load(market["close"].T, timestamps=market["days"], symbols=market["symbols"]),
        ]
    assert len({bars.data_hash for bars in loaded}) == 1
    assert np.array_equal(loaded[0].blocks[0].fields["close"], market["close"])


@given(st.lists(st.floats(min_value=0, exclude_min=True, allow_infinity=False), min_size=1))
@settings(max_examples=40)
def test_a_value_in_a_csv_file_survives_exactly(values: list[float]) -> None:
    days = np.arange(len(values)).astype("datetime64[D]")
    with tempfile.TemporaryDirectory() as name:
        for form in (repr, "{:.17g}".format, "{:.25e}".format):
            texts = [form(value) for value in values]
            path = write_csv(Path(name) / "KO.csv", {"date": days, "close": texts})
            assert load(path, cache=False)["KO"].close.tolist() == [float(text) for text in texts]


@given(markets(), st.data())
@settings(max_examples=40)
def test_a_selection_from_the_cache_is_the_selection_from_the_source(
    market: dict[str, Any], data: st.DataObject
) -> None:
    symbols = data.draw(
        st.lists(st.sampled_from(market["symbols"]), min_size=1, unique=True), label="symbols"
    )
    first, last = sorted(
        data.draw(st.lists(st.sampled_from(market["days"].tolist()), min_size=2, max_size=2))
    )
    source = load(long(market, by_day=False))
    with tempfile.TemporaryDirectory() as name:
        store = ColumnCache(Path(name))
        store.write("k", Content(source.symbols, source.blocks, source.basis, {}))
        content = store.read("k", symbols)
        assert content is not None
        cached = Bars(content.blocks, name="x")
        expected = load(long(market, by_day=False), symbols=symbols)
        assert cached.data_hash == expected.data_hash
    cut = load(long(market, by_day=False), symbols=symbols, start=first, end=last)
    kept = (market["days"] >= np.datetime64(first)) & (market["days"] <= np.datetime64(last))
    for symbol in symbols:
        row = market["symbols"].index(symbol)
        assert np.array_equal(cut[symbol].close, market["close"][row][kept])


@given(markets(), st.data())
@settings(max_examples=40)
def test_a_spoiled_value_is_always_found_at_its_row(
    market: dict[str, Any], data: st.DataObject
) -> None:
    rows = len(market["days"])
    at = data.draw(st.integers(0, rows - 1), label="row")
    field = data.draw(st.sampled_from(FIELDS), label="field")
    value = data.draw(st.sampled_from([float("nan"), float("inf"), -1.0, None]), label="value")
    frame = pl.DataFrame(columns(market, 0)).with_row_index("at")
    spoiled = frame.with_columns(
        pl.when(pl.col("at") == at).then(pl.lit(value)).otherwise(pl.col(field)).alias(field)
    ).drop("at")
    try:
        load(spoiled, symbols="KO")
    except DataError as error:
        assert str(error).startswith(f"row {at + 1} of the Polars frame: KO: ")  # noqa: PT017
    else:
        message = f"{value} passed as {field}"
        raise AssertionError(message)
