"""Any table that is not what bars must be is refused, with its first bad row and why.

The law is written out below once more, row by row, in plain Python.
"""

import math
import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from neural_trader.core import FIELDS, Bars, DataError
from neural_trader.data import load
from neural_trader.data.catalog import Catalog, Origin
from neural_trader.data.quality import check_quality
from tests.property.data.test_round_trip import columns, markets

ORIGIN = Origin(provider="import")
PRICES = FIELDS[:4]
NOISE = 1e-9
BAD: dict[str, tuple[float | None, str]] = {
    "empty": (None, "is empty or NaN"),
    "nan": (math.nan, "is empty or NaN"),
    "infinite": (math.inf, "is not finite"),
    "minus infinite": (-math.inf, "is not finite"),
    "negative": (-1.0, "is not positive|is negative"),
    "zero": (0.0, "is not positive"),
}


class Fault(NamedTuple):
    """What is planted: its name, and the words that must come."""

    name: str
    words: str


FAULTS = (
    *(
        Fault(f"{kind} {field}", words)
        for field in FIELDS
        for kind, (_, words) in BAD.items()
        if not (kind == "zero" and field == "volume")
    ),
    Fault("twice", "stands twice"),
    Fault("unsorted", "comes after"),
    Fault("high below low", "high .* is below low"),
    Fault("open above high", "open .* is above high"),
    Fault("close above high", "close .* is above high"),
    Fault("open below low", "open .* is below low"),
    Fault("close below low", "close .* is below low"),
)


def rows_of(market: dict[str, Any], row: int) -> list[dict[str, Any]]:
    """Return the bars of one symbol, a mapping each."""
    found = columns(market, row)
    return [
        {"date": found["date"][at].item()} | {name: float(found[name][at]) for name in FIELDS}
        for at in range(len(market["days"]))
    ]


def plant(rows: list[dict[str, Any]], at: int, fault: str) -> None:
    """Break one row in one way; a row of bars of which nothing else is wrong."""
    row, kind = rows[at], fault.rsplit(" ", 1)[0]
    if fault == "twice":
        row["date"] = rows[at - 1]["date"]
    elif fault == "unsorted":
        row["date"] = rows[at - 1]["date"] - np.timedelta64(1, "D").item()
    elif fault == "high below low":
        # All four on one level, but for the high.
        row |= dict.fromkeys(PRICES, row["open"]) | {"high": row["open"] * 0.5}
    elif "above" in fault or "below" in fault:
        name, side, _ = fault.split()
        level = row["open"]
        row |= dict.fromkeys(PRICES, level) | {name: level * (1.5 if side == "above" else 0.5)}
    else:
        row[fault.rsplit(" ", 1)[1]] = BAD[kind][0]


def frame_of(tables: dict[str, list[dict[str, Any]]], *, by_day: bool) -> pl.DataFrame:
    """Return a long table: a symbol after the other, or row by row in turn."""
    rows = [
        (at if by_day else 0, place, {"symbol": symbol} | row)
        for place, (symbol, own) in enumerate(tables.items())
        for at, row in enumerate(own)
    ]
    rows.sort(key=lambda each: each[:2])
    types = {"symbol": pl.String, "date": pl.Date} | dict.fromkeys(FIELDS, pl.Float64)
    return pl.DataFrame([row for _, _, row in rows], schema=types)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@given(market=markets(), data=st.data())
@settings(max_examples=6)
def test_each_kind_of_fault_is_told_with_its_row(
    fault: Fault, market: dict[str, Any], data: st.DataObject
) -> None:
    """Of one symbol among several, from a frame, a CSV file or a Parquet file."""
    count = len(market["days"])
    # A row is out of order only behind another.
    assume(count > 1)
    at = data.draw(st.integers(1, count - 1), label="row")
    symbols = market["symbols"]
    hurt = data.draw(st.integers(0, len(symbols) - 1), label="symbol")
    tables = {symbol: rows_of(market, row) for row, symbol in enumerate(symbols)}
    plant(tables[symbols[hurt]], at, fault.name)
    by_day = data.draw(st.booleans(), label="by day")
    frame = frame_of(tables, by_day=by_day)
    row = 1 + (at * len(symbols) + hurt if by_day else hurt * count + at)
    source: object = frame
    place = f"row {row} of the Polars frame"
    kind = data.draw(st.sampled_from(["frame", "csv", "parquet"]), label="source")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind == "csv":
            frame.write_csv(source := folder / "all.csv")
            place = rf"row {row} \(line {row + 1} of all.csv\)"
        elif kind == "parquet":
            frame.write_parquet(source := folder / "all.parquet")
            place = f"row {row} of all.parquet"
        with pytest.raises(DataError) as caught:
            Catalog(folder / "kept").write(load(source, cache=False), ORIGIN, at="x")
        wanted = rf"^{place}: {re.escape(symbols[hurt])}: .*({fault.words})"
        assert re.search(wanted, str(caught.value)), str(caught.value)
        assert not (folder / "kept").exists()
    # A look tells the same instead of ending, and looks at the others.
    looked = check_quality(frame)
    [refused] = [one for one in looked.findings if one.kind == "refused"]
    assert refused.symbol == symbols[hurt]
    assert re.search(fault.words, refused.message)
    sound = {symbol for bars in looked.bars for symbol in bars.symbols}
    assert sound == set(symbols) - {symbols[hurt]}


def first_bad(rows: list[dict[str, Any]]) -> int | None:
    """Return the first row that breaks a rule."""
    for at, row in enumerate(rows):
        if (at and row["date"] <= rows[at - 1]["date"]) or is_bad(row):
            return at
    return None


def is_bad(row: dict[str, Any]) -> bool:
    """Return whether a bar breaks the law, once more in plain words."""
    values = [math.nan if row[name] is None else row[name] for name in FIELDS]
    first, high, low, close, volume = values
    are_prices = all(0.0 < price < math.inf for price in (first, high, low, close))
    if not (are_prices and 0.0 <= volume < math.inf):
        return True
    reach = high < low * (1 - NOISE)
    above = any(inner > high * (1 + NOISE) for inner in (first, close))
    below = any(inner < low * (1 - NOISE) for inner in (first, close))
    return reach or above or below


ODD = st.one_of(
    st.none(),
    st.floats(),
    st.sampled_from([0.0, -0.0, 5e-324, 1e308, 1.0 + 1e-9, 1.0 - 1e-9, 1.0, -1.0]),
)


@given(
    st.lists(
        st.tuples(st.integers(0, 9), *(st.sampled_from([1.0, 1.0 + 5e-10, 1.1]) for _ in FIELDS)),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from(FIELDS), ODD), max_size=2),
)
@example([(0, 1.0, 1.0, 1.0, 1.0, 1.0)], [(0, "low", 1.0 + 1e-9)])
@example([(0, 1.0, 1.0, 1.0, 1.0, 1.0)], [(0, "volume", -0.0)])
@settings(max_examples=200)
def test_a_table_loads_where_the_law_allows_it_and_only_there(
    drawn: list[tuple[Any, ...]], odd: list[tuple[int, str, float | None]]
) -> None:
    start = np.datetime64("2021-01-04")
    rows = [
        {"date": (start + day).item()} | dict(zip(FIELDS, values, strict=True))
        for day, *values in drawn
    ]
    for at, field, value in odd:
        rows[at % len(rows)][field] = value
    bad = first_bad(rows)
    frame = frame_of({"AB": rows}, by_day=False)
    if bad is None:
        bars = load(frame)
        with tempfile.TemporaryDirectory() as name:
            Catalog(name).write(bars, ORIGIN, at="x")
            assert Catalog(name).load("AB").data_hash == bars.data_hash
        assert [bars["AB"].close[at] for at in range(len(rows))] == [row["close"] for row in rows]
        return
    with pytest.raises(DataError, match=rf"^row {bad + 1} of the Polars frame: AB: "):
        load(frame)


@given(markets(), st.data())
@settings(max_examples=20)
def test_a_refused_table_leaves_what_the_catalog_has(
    market: dict[str, Any], data: st.DataObject
) -> None:
    """Bars that disagree with those that are there are refused with their row, and lose nothing."""
    bars = load(frame_of({"AB": rows_of(market, 0)}, by_day=False))
    at = data.draw(st.integers(0, len(market["days"]) - 1))
    field = data.draw(st.sampled_from(FIELDS))
    [block] = bars.blocks
    changed = {name: values.copy() for name, values in block.fields.items()}
    changed[field][0, at] = np.nextafter(changed[field][0, at], np.inf)
    other = Bars((type(block)(block.symbols, block.ts_close_ns, changed),), name="made")
    with tempfile.TemporaryDirectory() as name:
        Catalog(name).write(bars, ORIGIN, at="x")
        with pytest.raises(DataError, match=rf"^row {at + 1} of the new bars: AB at "):
            Catalog(name).write(other, ORIGIN, at="x")
        assert Catalog(name).load("AB").data_hash == bars.data_hash
