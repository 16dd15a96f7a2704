"""The bundled samples are the ones that their sources and their listing say."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from neural_trader.core import DataError, Split
from neural_trader.core.sessions import session_day
from neural_trader.data import load, samples
from neural_trader.data.bundled import find_sample

FOLDER = Path(__file__).parents[3] / "src/neural_trader/data/samples"


def day(text: str) -> int:
    return session_day(text, option="day")


def row(symbol: str, date: str, **options: str) -> tuple[float, ...]:
    bars = load("us-ohlcv", symbols=symbol, start=date, end=date, **options)[symbol]  # type: ignore[arg-type]
    assert bars.open is not None
    assert bars.high is not None
    assert bars.low is not None
    assert bars.volume is not None
    return tuple(float(x[0]) for x in (bars.open, bars.high, bars.low, bars.close, bars.volume))


def test_the_listing_says_what_loading_gives() -> None:
    found = samples()
    assert [sample.name for sample in found] == ["sp500-closes", "us-ohlcv"]
    for sample in found:
        bars = load(sample.name, adjust="none")
        assert bars.symbols == sample.symbols
        assert len(bars) == sample.bars
        assert bars.basis == sample.basis
        assert bars.labels == sample.labels == ("survivors",)
        assert bars.splits == sample.splits
        assert list(bars.blocks[0].fields) == list(sample.fields)
        assert f"{sample.start} to {sample.end}" in repr(bars)
        assert sample.path.stat().st_size == sample.bytes
        assert sample.license
        assert sample.source


def test_all_files_stay_under_a_megabyte_and_a_half() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_500_000


def test_closes_are_those_of_their_source() -> None:
    bars = load("sp500-closes")
    assert len(bars.symbols) == 20
    assert len(bars) == 8313
    assert bars["AAPL"].close[0] == 0.264
    assert bars["XOM"].close[-1] == 106.627
    assert [float(bars["KO"].close[at]) for at in (0, -1)] == [2.235, 62.609]
    texts = [f"{float(x)!r}" for x in bars.blocks[0].fields["close"].ravel()]
    digest = hashlib.sha256(",".join(texts).encode()).hexdigest()
    assert digest == "7dc3c2c15e6e14a63861e1549874415b15659e2ba8601a166dc6711350ccbfd3"


def test_raw_bars_are_those_of_their_source() -> None:
    expected = (118.56, 132.06, 118.5, 130.31, 9_616_100.0)
    assert row("AAPL", "2000-03-01", adjust="none") == expected


def test_prices_before_splits_are_divided_and_volumes_multiplied() -> None:
    raw = row("AAPL", "2000-03-01", adjust="none")
    assert row("AAPL", "2000-03-01") == (*(price / 4 for price in raw[:4]), raw[4] * 4)
    raw = row("AAPL", "2000-06-21", adjust="none")
    assert row("AAPL", "2000-06-21") == (*(price / 2 for price in raw[:4]), raw[4] * 2)
    for symbol, date in (("AAPL", "2005-02-28"), ("MSFT", "2003-02-18"), ("IBM", "2000-03-01")):
        assert row(symbol, date) == row(symbol, date, adjust="none")


def test_no_day_of_the_adjusted_bars_looks_like_a_split_but_the_one_that_was_a_crash() -> None:
    bars = load("us-ohlcv")
    assert bars.basis == "split-adjusted"
    assert bars.splits == ()
    drops = {
        (symbol, str(np.datetime64(int(stamp), "ns"))[:10], round(float(change), 2))
        for symbol in bars.symbols
        for stamp, change in zip(
            bars[symbol].ts_close_ns[1:],
            bars[symbol].close[1:] / bars[symbol].close[:-1] - 1,
            strict=True,
        )
        if abs(change) > 0.4
    }
    assert drops == {("AAPL", "2000-09-29", -0.52)}


def test_raw_bars_list_the_splits_that_they_cross() -> None:
    def splits(**options: str) -> tuple[Split, ...]:
        return load("us-ohlcv", adjust="none", **options).splits  # type: ignore[arg-type]

    first, second, third = (
        Split("AAPL", day("2000-06-21"), 2.0),
        Split("AAPL", day("2005-02-28"), 2.0),
        Split("MSFT", day("2003-02-18"), 2.0),
    )
    assert splits() == (first, second, third)
    assert splits(symbols="IBM") == ()
    assert splits(symbols="AAPL", start="2000-06-21") == (second,)
    assert splits(symbols="AAPL", start="2000-06-20", end="2000-06-21") == (first,)
    assert splits(symbols="AAPL", end="2000-06-20") == ()
    assert splits(symbols="MSFT", start="2005-01-01") == ()


def test_a_bar_is_the_same_in_every_range() -> None:
    whole, part = load("us-ohlcv"), load("us-ohlcv", end="2001-12-31")
    for symbol in part.symbols:
        kept = len(part[symbol].close)
        assert np.array_equal(part[symbol].close, whole[symbol].close[:kept])


@pytest.mark.parametrize("name", ["", "samples", "../samples/us-ohlcv", "US-OHLCV "])
def test_other_names_are_no_samples(name: str) -> None:
    assert find_sample(name) is None


def test_notices_stand_beside_the_data() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for word in ("survivors", "skfolio", "bokeh-sampledata", "1.12.2", "2026.1", "sha256"):
        assert word in readme
    for name in ("LICENSE-skfolio.txt", "LICENSE-bokeh-sampledata.txt"):
        assert "Redistribution and use" in (FOLDER / name).read_text(encoding="utf-8")
    for sample in samples():
        digest = hashlib.sha256(sample.path.read_bytes()).hexdigest()
        assert digest in readme


def test_missing_samples_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("neural_trader.data.bundled._FOLDER", tmp_path)
    with pytest.raises(DataError, match="the bundled samples are missing"):
        samples()


def test_the_listing_is_written_by_the_script() -> None:
    entries = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))
    assert sorted(entries) == list(entries)
