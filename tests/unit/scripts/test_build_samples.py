"""The samples script notices sources and splits that are not the ones it means."""

import datetime as dt

import polars as pl
import pytest

from scripts import build_samples
from scripts.build_samples import Source, check_splits, parquet, read, span


def bars(closes: list[float], adjusted: list[float]) -> pl.DataFrame:
    days = [dt.date(2021, 1, 4) + dt.timedelta(days=at) for at in range(len(closes))]
    columns = {"symbol": ["KO"] * len(days), "date": days, "close": closes, "adj_close": adjusted}
    return pl.DataFrame(columns)


def test_splits_are_found_in_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_samples, "US_OHLCV_SPLITS", (("KO", "2021-01-06", 2.0),))
    check_splits(bars([10.0, 10.0, 5.0], [5.0, 5.0, 5.0]))


@pytest.mark.parametrize("adjusted", [[10.0, 10.0, 5.0], [2.5, 5.0, 5.0], [10 / 3, 10 / 3, 5.0]])
def test_a_table_that_the_data_deny_is_refused(
    monkeypatch: pytest.MonkeyPatch, adjusted: list[float]
) -> None:
    monkeypatch.setattr(build_samples, "US_OHLCV_SPLITS", (("KO", "2021-01-06", 2.0),))
    with pytest.raises(SystemExit, match="the data show the splits"):
        check_splits(bars([10.0, 10.0, 5.0], adjusted))


def test_another_file_than_the_one_meant_is_refused() -> None:
    source = Source("polars", "0", "polars/__init__.py", "0" * 64)
    with pytest.raises(SystemExit, match="expected version 0 and sha256 0000"):
        read(source)


def test_the_same_frame_gives_the_same_bytes() -> None:
    frame = bars([10.0, 10.0, 5.0], [5.0, 5.0, 5.0])
    assert parquet(frame) == parquet(frame.clone())
    assert span(frame["date"]) == {"bars": 3, "start": "2021-01-04", "end": "2021-01-06"}
