"""Frames, mappings and arrays in memory hold the same bars as a file of them."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from neural_trader.data import load

DAYS = [dt.date(2021, 1, 4), dt.date(2021, 1, 5), dt.date(2021, 1, 6)]
TEXTS = [day.isoformat() for day in DAYS]
CLOSES = np.array([[1.5, 10.0], [2.5, 20.0], [3.5, 30.0]])
WIDE = {"date": DAYS, "KO": CLOSES[:, 0], "PEP": CLOSES[:, 1]}
INDEX = pd.DatetimeIndex(TEXTS)
EXPECTED = load(pl.DataFrame(WIDE)).data_hash


def structured() -> np.ndarray[Any, Any]:
    array = np.zeros(3, dtype=[("date", "datetime64[D]"), ("KO", ">f4"), ("PEP", "i8")])
    array["date"], array["KO"], array["PEP"] = DAYS, CLOSES[:, 0], CLOSES[:, 1]
    return array


def by_level() -> pd.DataFrame:
    columns = pd.MultiIndex.from_tuples([("Close", "KO"), ("Close", "PEP")])
    return pd.DataFrame(CLOSES, index=INDEX, columns=columns)


def long_pandas() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([["KO", "PEP"], INDEX], names=["ticker", "Date"])
    return pd.DataFrame({"Close": CLOSES.T.ravel()}, index=index)


SOURCES: dict[str, tuple[Any, dict[str, Any]]] = {
    "lazy": (pl.DataFrame(WIDE).lazy(), {}),
    "dict": (WIDE, {}),
    "dict of lists": ({"date": TEXTS, "KO": [1.5, 2.5, 3.5], "PEP": [10, 20, 30]}, {}),
    "dict of pandas": ({"date": INDEX, "KO": pd.Series(CLOSES[:, 0]), "PEP": CLOSES[:, 1]}, {}),
    "dict of bytes": (
        {"date": np.array(TEXTS, dtype="S"), **dict(zip(["KO", "PEP"], CLOSES.T, strict=True))},
        {},
    ),
    "times apart": ({"KO": CLOSES[:, 0], "PEP": CLOSES[:, 1]}, {"timestamps": DAYS}),
    "structured": (structured(), {}),
    "pandas": (pd.DataFrame(WIDE), {}),
    "pandas index": (pd.DataFrame(CLOSES, index=INDEX, columns=["KO", "PEP"]), {}),
    "pandas named index": (
        pd.DataFrame(CLOSES, index=INDEX.rename("when"), columns=["KO", "PEP"]),
        {},
    ),
    "pandas text index": (pd.DataFrame(CLOSES, index=TEXTS, columns=["KO", "PEP"]), {}),
    "pandas zone": (
        pd.DataFrame(CLOSES, index=INDEX.tz_localize("America/New_York"), columns=["KO", "PEP"]),
        {},
    ),
    "pandas nullable": (pd.DataFrame(WIDE).convert_dtypes(), {}),
    "pandas levels": (by_level(), {}),
    "pandas levels swapped": (by_level().swaplevel(axis=1), {}),
    "pandas long index": (long_pandas(), {}),
    "array": (CLOSES, {"timestamps": TEXTS, "symbols": ["KO", "PEP"]}),
    "array of Fortran order": (
        np.asfortranarray(CLOSES),
        {"timestamps": INDEX, "symbols": ["KO", "PEP"]},
    ),
    "array, times of NumPy": (
        CLOSES,
        {"timestamps": np.array(TEXTS, "datetime64[s]"), "symbols": ["KO", "PEP"]},
    ),
    "array, times of Polars": (CLOSES, {"timestamps": pl.Series(DAYS), "symbols": ["KO", "PEP"]}),
    "array, epochs": (
        CLOSES,
        {"timestamps": np.array(TEXTS, "datetime64[ns]").astype(int), "symbols": ("KO", "PEP")},
    ),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_gives_the_same_bars(kind: str) -> None:
    source, options = SOURCES[kind]
    bars = load(source, **options)
    assert bars.data_hash == EXPECTED
    assert bars.symbols == ("KO", "PEP")


def test_one_series_is_named_by_symbols() -> None:
    for source in (
        pd.DataFrame({"Close": CLOSES[:, 0]}, index=INDEX),
        pd.Series(CLOSES[:, 0], index=INDEX),
        pl.DataFrame({"date": DAYS, "close": CLOSES[:, 0]}),
    ):
        bars = load(source, symbols="KO")
        assert bars.symbols == ("KO",)
        assert bars["KO"].close.tolist() == [1.5, 2.5, 3.5]
    assert load(CLOSES[:, 0], timestamps=DAYS, symbols="KO")["KO"].close[2] == 3.5
    assert load(pd.Series(CLOSES[:, 0], index=INDEX, name="PEP")).symbols == ("PEP",)


def test_nanoseconds_survive_pandas() -> None:
    index = pd.DatetimeIndex(["2021-01-04T10:00:00.000000001Z"])
    bars = load(pd.DataFrame({"close": [1.0]}, index=index), symbols="KO")
    assert bars["KO"].ts_close_ns.tolist() == [int(index.as_unit("ns").asi8[0])]


def test_symbols_of_an_array_may_be_named_like_fields() -> None:
    bars = load(CLOSES, timestamps=DAYS, symbols=["close", "Date"])
    assert bars.symbols == ("close", "Date")


def test_the_source_is_neither_changed_nor_shared() -> None:
    frame = pl.DataFrame({"KO": CLOSES[:, 0]})
    load(frame, timestamps=DAYS)
    assert frame.columns == ["KO"]
    array = CLOSES.copy()
    bars = load(array, timestamps=DAYS, symbols=["KO", "PEP"])
    array[:] = 0
    assert bars["KO"].close.tolist() == [1.5, 2.5, 3.5]
    with pytest.raises(ValueError, match="read-only"):
        bars["KO"].close[0] = 9


def test_the_basis_can_be_told() -> None:
    assert load(pl.DataFrame(WIDE)).basis == "raw"
    assert load(pl.DataFrame(WIDE), basis="split-adjusted").basis == "split-adjusted"


def test_names_for_provenance() -> None:
    names = [load(SOURCES[kind][0], **SOURCES[kind][1]).name for kind in ("lazy", "dict", "array")]
    assert names == ["Polars frame", "mapping", "array"]
