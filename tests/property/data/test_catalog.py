"""Any valid table comes out of the catalog as it went in; an invalid one stays out, with why."""

import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.core import FIELDS, Bars, Block, ConfigError, DataError
from neural_trader.data import load
from neural_trader.data.catalog import Catalog, Origin, file_name, symbol_of
from tests.property.data.test_round_trip import columns, markets

ORIGIN = Origin(provider="import")
SYMBOLS = st.text(min_size=1, max_size=12)
MINUTE_NS = 60_000_000_000


@given(markets(), st.data())
@settings(max_examples=40)
def test_tables_come_back_bit_for_bit(market: dict[str, Any], data: st.DataObject) -> None:
    """Written in two parts, in either order, with or without an overlap."""
    table = pl.concat(
        [
            pl.DataFrame({"symbol": [symbol] * len(market["days"])} | columns(market, row))
            for row, symbol in enumerate(market["symbols"])
        ]
    )
    bars = load(table)
    count = len(market["days"])
    low = data.draw(st.integers(0, count - 1))
    high = data.draw(st.integers(low, count - 1))
    [block] = bars.blocks
    rows = list(range(len(block.symbols)))
    parts = [block.cut(rows, 0, high + 1), block.cut(rows, low, count)]
    if data.draw(st.booleans()):
        parts.reverse()
    with tempfile.TemporaryDirectory() as name:
        catalog = Catalog(name)
        for part in parts:
            catalog.write(Bars((part,), name="made"), ORIGIN, at="x")
        found = catalog.load(market["symbols"])
        assert found.data_hash == bars.data_hash
        again = load(Path(name) / "1Day", symbols=market["symbols"], cache=False)
        assert again.data_hash == bars.data_hash
        assert all(not catalog.verify(each).fault for each in catalog.entries())


@given(
    st.sets(st.integers(-3_000_000, 60_000_000), min_size=1, max_size=8),
    st.integers(0, MINUTE_NS - 1),
)
@settings(max_examples=40)
def test_stamps_within_the_day_come_back_to_the_nanosecond(minutes: set[int], shift: int) -> None:
    stamps = np.array(sorted(minutes)) * MINUTE_NS + shift
    block = Block(("BTC/USD",), stamps, {"close": np.ones((1, len(stamps)))})
    bars = Bars((block,), name="made")
    with tempfile.TemporaryDirectory() as name:
        Catalog(name).write(bars, ORIGIN, at="x", frequency="1Min")
        assert Catalog(name).load(frequency="1Min").data_hash == bars.data_hash
        assert load(Path(name) / "1Min", cache=False).data_hash == bars.data_hash


@given(markets(), st.data())
@settings(max_examples=40)
def test_an_invalid_table_is_refused_with_row_and_reason(
    market: dict[str, Any], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(market["days"]) - 1))
    field = data.draw(st.sampled_from(FIELDS))
    bad = data.draw(st.sampled_from([float("nan"), float("inf"), -1.0, None]))
    table = {name: np.asarray(each).tolist() for name, each in columns(market, 0).items()}
    table[field][at] = bad
    table["symbol"] = ["AB"] * len(market["days"])
    with tempfile.TemporaryDirectory() as name:
        with pytest.raises(DataError) as caught:
            Catalog(name).write(load(pl.DataFrame(table, strict=False)), ORIGIN, at="x")
        assert re.search(rf"^row {at + 1} of .*AB: .*{field}", str(caught.value))
        assert not list(Path(name).iterdir())


@given(SYMBOLS, SYMBOLS)
def test_every_symbol_has_one_file_on_every_file_system(one: str, other: str) -> None:
    names = []
    for symbol in (one, other):
        try:
            names.append(file_name(symbol))
        except ConfigError:
            return
        assert symbol_of(names[-1]) == symbol
        assert re.fullmatch(r"[A-Z0-9._=^%-]+\.parquet", names[-1])
        assert not names[-1].startswith(".")
    assert (names[0].casefold() == names[1].casefold()) == (one == other)
