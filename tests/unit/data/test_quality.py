"""A look at data finds what was planted in real prices, and little in what is sound."""

import datetime as dt
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import neural_trader as nt
from neural_trader.core import ConfigError, DataError
from neural_trader.data.catalog import Catalog, Origin
from neural_trader.data.quality import KINDS, Finding, Quality, check_quality

FOUR = ["KO", "PEP", "JNJ", "PG"]


def frame(symbols: list[str] | None = None, start: str = "2010-01-01") -> pl.DataFrame:
    """Return real closes of some symbols, long, a day a row."""
    bars = nt.load("sp500-closes", symbols=symbols or FOUR, start=start, end="2015-12-31")
    return bars.to_polars().select("symbol", "time", "close")


def ohlcv(symbol: str = "MSFT") -> pl.DataFrame:
    bars = nt.load("us-ohlcv", symbols=symbol, start="2004-01-01", end="2008-12-31", adjust="none")
    return bars.to_polars()


def kinds_of(found: Quality, symbol: str | None = None) -> Counter[str]:
    return Counter(one.kind for one in found.findings if symbol in (None, one.symbol))


def the(found: Quality, kind: str, symbol: str) -> Finding:
    (one,) = [each for each in found.findings if (each.kind, each.symbol) == (kind, symbol)]
    return one


def changed(table: pl.DataFrame, symbol: str, rows: slice, column: str, by: float) -> pl.DataFrame:
    """Multiply a column of a symbol at some of its rows."""
    place = pl.int_range(pl.len()).over("symbol")
    hit = (pl.col("symbol") == symbol) & place.is_between(rows.start, rows.stop - 1)
    return table.with_columns(
        pl.when(hit).then(pl.col(column) * by).otherwise(column).alias(column)
    )


def test_sound_prices_have_no_error_and_only_known_warnings() -> None:
    found = check_quality("us-ohlcv")
    assert found.counts["error"] == 0
    # The day of the flash crash, whose low was real.
    assert [
        (one.symbol, one.kind, one.first) for one in found.findings if one.severity == "warning"
    ] == [("AAPL", "outlier", "2010-05-06")]


def test_the_real_fall_by_half_is_a_move_and_no_split() -> None:
    one = the(check_quality("us-ohlcv", symbols="AAPL"), "large_move", "AAPL")
    assert (one.first, one.severity) == ("2000-09-29", "note")
    assert one.value == pytest.approx(-0.519, abs=1e-3)


def test_splits_are_suspected_where_no_table_knows_them() -> None:
    raw = nt.load("us-ohlcv", adjust="none")
    untold = nt.load(raw.to_polars())
    found = [one for one in check_quality(untold).findings if one.kind == "split_suspect"]
    assert [(one.symbol, one.first, one.value) for one in found] == [
        ("AAPL", "2000-06-21", 2.0),
        ("AAPL", "2005-02-28", 2.0),
        ("MSFT", "2003-02-18", 2.0),
    ]
    assert kinds_of(check_quality(raw))["split_suspect"] == 0


@pytest.mark.parametrize(("new", "old"), [(2, 1), (3, 2), (10, 1), (1, 10), (1, 20), (7, 1)])
def test_a_planted_split_is_suspected_with_its_ratio(new: int, old: int) -> None:
    table = ohlcv()
    for column in ("open", "high", "low", "close"):
        table = changed(table, "MSFT", slice(600, len(table)), column, old / new)
    table = changed(table, "MSFT", slice(600, len(table)), "volume", new / old)
    one = the(check_quality(table), "split_suspect", "MSFT")
    assert one.value == pytest.approx(new / old)
    assert one.first_ns == int(nt.load(table).home("MSFT").ts_close_ns[600])


@pytest.mark.parametrize("by", [1.5, 0.6, 100.0, 0.01])
@pytest.mark.parametrize("bars", [1, 2])
def test_a_price_that_comes_back_is_a_bad_print(by: float, bars: int) -> None:
    table = changed(frame(), "PEP", slice(700, 700 + bars), "close", by)
    found = check_quality(table)
    one = the(found, "outlier", "PEP")
    assert (one.severity, one.bars) == ("warning", bars)
    assert one.first_ns == int(nt.load(table).home("PEP").ts_close_ns[700])
    assert not kinds_of(found, "KO")["outlier"]


def test_a_move_that_stays_is_no_bad_print() -> None:
    table = changed(frame(), "PEP", slice(700, 10_000), "close", 1.35)
    found = check_quality(table)
    assert kinds_of(found, "PEP")["outlier"] == 0
    assert the(found, "large_move", "PEP").value == pytest.approx(0.35, abs=0.02)


def test_a_high_that_nothing_comes_near_to_is_an_outlier() -> None:
    one = the(
        check_quality(changed(ohlcv(), "MSFT", slice(200, 201), "high", 1.6)), "outlier", "MSFT"
    )
    assert one.message.startswith("high ")


def test_closes_that_do_not_move_are_stale() -> None:
    table = frame()
    place = pl.int_range(pl.len()).over("symbol")
    hit = (pl.col("symbol") == "JNJ") & place.is_between(300, 311)
    stuck = table.with_columns(pl.when(hit).then(64.25).otherwise("close").alias("close"))
    one = max(
        (each for each in check_quality(stuck).findings if each.kind == "stale"),
        key=lambda each: each.bars,
    )
    assert (one.symbol, one.bars, one.value, one.severity) == ("JNJ", 12, 64.25, "warning")


def test_days_that_the_others_have_are_missing() -> None:
    table = frame()
    day = pl.col("time").dt.date()
    hole = (pl.col("symbol") == "KO") & day.is_between(dt.date(2012, 3, 5), dt.date(2012, 3, 9))
    found = check_quality(table.filter(~hole))
    gaps = [one for one in found.findings if one.kind == "gap" and one.symbol == "KO"]
    assert {(one.first, one.last, one.bars) for one in gaps if "other symbols" in one.message} == {
        ("2012-03-05", "2012-03-09", 5)
    }
    assert not [one for one in found.findings if one.symbol == "PG" and one.kind == "gap"]


def test_a_calendar_tells_holidays_from_holes() -> None:
    pytest.importorskip("exchange_calendars")
    table = frame(["KO"], "2012-01-01")
    day = pl.col("time").dt.date()
    found = check_quality(table.filter(day != dt.date(2012, 7, 5)), calendar="XNYS")
    one = the(found, "gap", "KO")
    assert (one.bars, "2012-07-05" in one.message) == (1, True)
    assert kinds_of(check_quality(table, calendar="XNYS"))["gap"] == 0


def test_bars_without_volume_are_counted() -> None:
    table = changed(ohlcv(), "MSFT", slice(100, 110), "volume", 0.0)
    one = the(check_quality(table), "zero_volume", "MSFT")
    assert (one.bars, one.severity) == (10, "note")
    many = the(
        check_quality(changed(ohlcv(), "MSFT", slice(0, 200), "volume", 0.0)), "zero_volume", "MSFT"
    )
    assert many.severity == "warning"


def minutes(symbols: list[str], days: int = 30, first: str = "2021-03-01") -> pl.DataFrame:
    """Return half-hour bars of New York's session, at their UTC closes, over a change of clocks."""
    zone = "America/New_York"
    rng = np.random.default_rng(7)
    stamps = [
        dt.datetime.combine(day, dt.time(10, 0)) + dt.timedelta(minutes=30 * bar)
        for day in pl.date_range(
            dt.date.fromisoformat(first),
            dt.date.fromisoformat(first) + dt.timedelta(days=days),
            eager=True,
        )
        if day.weekday() < 5
        for bar in range(13)
    ]
    times = pl.Series("time", stamps).dt.replace_time_zone(zone).dt.convert_time_zone("UTC")
    return pl.concat(
        pl.DataFrame(
            {
                "symbol": [symbol] * len(times),
                "time": times,
                "close": 100.0 * np.exp(np.cumsum(0.002 * rng.standard_normal(len(times)))),
            }
        )
        for symbol in symbols
    )


def test_summer_time_is_a_note_and_no_gap() -> None:
    found = check_quality(minutes(["A"]))
    one = the(found, "time_slip", "A")
    assert (one.first[:10], one.severity, one.value) == ("2021-03-15", "note", -1.0)
    assert kinds_of(found) == {"time_slip": 1}


def test_stamps_of_another_zone_are_a_slip() -> None:
    table = minutes(["A", "B", "C", "D"])
    local = pl.when(pl.col("symbol") == "C").then(pl.col("time").dt.offset_by("-5h"))
    found = check_quality(table.with_columns(local.otherwise("time").alias("time")))
    slips = [one for one in found.findings if one.kind == "time_slip" and one.severity == "warning"]
    assert [(one.symbol, one.value) for one in slips] == [("C", -5.0)]


def test_a_day_that_is_hours_off_is_a_slip() -> None:
    table = minutes(["A"], first="2021-05-03")
    odd = pl.when(pl.col("time").dt.date() >= dt.date(2021, 5, 17))
    moved = odd.then(pl.col("time").dt.offset_by("3h")).otherwise("time").alias("time")
    one = the(check_quality(table.with_columns(moved)), "time_slip", "A")
    assert (one.first[:10], one.value, one.severity) == ("2021-05-17", 3.0, "warning")


def test_holes_within_the_day_are_counted() -> None:
    table = minutes(["A"], first="2021-05-03")
    time = pl.col("time").dt.time()
    hole = (pl.col("time").dt.date() == dt.date(2021, 5, 11)) & time.is_between(
        dt.time(15), dt.time(16)
    )
    one = the(check_quality(table.filter(~hole)), "gap", "A")
    assert (one.bars, one.value) == (3, 3.0)


def test_bars_on_weekends_are_a_slip() -> None:
    table = frame(["KO"])
    one_late = pl.when(pl.col("time").dt.date() == dt.date(2013, 5, 10))
    moved = one_late.then(pl.col("time").dt.offset_by("1d")).otherwise("time")
    found = check_quality(table.with_columns(moved.alias("time")))
    assert the(found, "time_slip", "KO").first == "2013-05-11"
    late = check_quality(table.with_columns(pl.col("time").dt.offset_by("1d")))
    assert "a day late" in the(late, "time_slip", "KO").message


def test_what_is_refused_is_a_finding_and_hides_nothing(tmp_path: Path) -> None:
    table = changed(frame(), "JNJ", slice(40, 41), "close", -1.0)
    path = tmp_path / "prices.csv"
    table.write_csv(path)
    found = check_quality(path)
    one = the(found, "refused", "JNJ")
    assert one.severity == "error"
    assert "is not positive" in one.message
    assert set(found.symbols) == set(FOUR)
    assert [bars.symbols for bars in found.bars] == [("KO", "PEP", "PG")]


def test_a_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    for symbol in ("KO", "PEP"):
        frame([symbol]).drop("symbol").write_csv(tmp_path / f"{symbol}.csv")
    (tmp_path / "PG.csv").write_text("nothing,here\n1,2\n")
    found = check_quality(tmp_path)
    assert the(found, "refused", "PG").severity == "error"
    assert {symbol for bars in found.bars for symbol in bars.symbols} == {"KO", "PEP"}


def test_a_catalog_is_looked_at_file_by_file(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    bars = nt.load("us-ohlcv", adjust="none")
    catalog.write(bars, Origin(provider="samples"), at="2026-01-01T00:00:00Z")
    assert kinds_of(check_quality(catalog)) == kinds_of(check_quality(bars)) | Counter()
    path = catalog.path_of("IBM")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    found = check_quality(catalog)
    assert the(found, "refused", "IBM").severity == "error"
    assert {symbol for part in found.bars for symbol in part.symbols} == {"AAPL", "MSFT"}


def test_findings_are_in_order_and_make_a_frame() -> None:
    found = check_quality("sp500-closes", symbols=["RRC", "AAPL"])
    table = found.to_polars()
    assert len(table) == len(found.findings)
    assert set(table["kind"]) <= set(KINDS)
    ranks = [("error", "warning", "note").index(one.severity) for one in found.findings]
    assert ranks == sorted(ranks)
    again = check_quality("sp500-closes", symbols=["RRC", "AAPL"])
    assert again.findings == found.findings


def test_bars_in_memory_are_looked_at_as_they_are() -> None:
    bars = nt.load("sp500-closes")
    found = check_quality(bars, symbols="AAPL")
    assert found.symbols == ("AAPL",)
    assert (
        len(
            check_quality(
                nt.load(bars.to_polars().head(2).select("symbol", "time", "close"))
            ).findings
        )
        == 0
    )


def test_wrong_arguments_are_told() -> None:
    with pytest.raises(DataError, match="NOPE"):
        check_quality("sp500-closes", symbols="NOPE")
    with pytest.raises(DataError, match="is not there"):
        check_quality("no-such-sample")
    with pytest.raises(ConfigError, match="calendar is 'MOON'"):
        check_quality("sp500-closes", symbols="KO", calendar="MOON")


@pytest.mark.parametrize("hours", [1, -1, 3, -5, 9])
def test_a_symbol_that_stands_whole_hours_off_the_others_is_a_slip(hours: int) -> None:
    """By an hour most of its closes are closes of the others too; by nine it is another day."""
    table = minutes(["A", "B", "C", "D"])
    moved = pl.when(pl.col("symbol") == "B").then(pl.col("time").dt.offset_by(f"{hours}h"))
    found = check_quality(table.with_columns(moved.otherwise("time").alias("time")))
    slips = [one for one in found.findings if one.kind == "time_slip" and one.severity == "warning"]
    assert [(one.symbol, one.value) for one in slips] == [("B", float(hours))]


def test_stamps_that_ignore_summer_time_are_an_hour_off_for_half_a_year() -> None:
    table = minutes(["A", "B", "C", "D"])
    summer = (pl.col("symbol") == "C") & (pl.col("time").dt.date() >= dt.date(2021, 3, 15))
    moved = pl.when(summer).then(pl.col("time").dt.offset_by("1h")).otherwise("time")
    found = check_quality(table.with_columns(moved.alias("time")))
    one = the(found, "time_slip", "C")
    assert (one.first[:10], one.value, one.severity) == ("2021-03-15", 1.0, "warning")
    assert "ignore summer time" in one.message
    assert one.bars == 13 * 13


def test_a_calendar_finds_what_all_symbols_have_in_common() -> None:
    pytest.importorskip("exchange_calendars")
    table = minutes(["A", "B", "C"])
    assert kinds_of(check_quality(table, calendar="XNYS")) == {}
    zone = "America/New_York"
    local = pl.col("time").dt.convert_time_zone(zone).dt.replace_time_zone("UTC")
    found = check_quality(table.with_columns(local), calendar="XNYS")
    slips = [one for one in found.findings if one.kind == "time_slip" and one.symbol == "A"]
    assert [one.value for one in slips] == [-5.0, -4.0]
    assert all("local times" in one.message for one in slips)
    assert "2021-03-15" in slips[1].first
    fixed = pl.when(pl.col("time").dt.date() >= dt.date(2021, 3, 15))
    moved = fixed.then(pl.col("time").dt.offset_by("1h")).otherwise("time").alias("time")
    one = the(check_quality(table.with_columns(moved), calendar="XNYS"), "time_slip", "B")
    assert (one.value, one.first[:10]) == (1.0, "2021-03-15")
    early = table.with_columns(pl.col("time").dt.offset_by("-30m"))
    outside = the(check_quality(early, calendar="XNYS"), "extra", "C")
    assert (outside.severity, outside.bars) == ("note", 23)


def test_weeks_are_no_slip_and_not_held_to_sessions() -> None:
    pytest.importorskip("exchange_calendars")
    table = frame(["KO"]).group_by_dynamic("time", every="1w").agg(pl.col("close").last())
    sundays = table.with_columns(
        pl.col("time").dt.date() + dt.timedelta(days=6), symbol=pl.lit("K")
    )
    assert not kinds_of(check_quality(sundays))["time_slip"]
    found = check_quality(sundays, calendar="XNYS")
    assert kinds_of(found)["extra"] == 0
    assert the(found, "gap", "K").severity == "note"
    hole = sundays.filter(~pl.int_range(pl.len()).is_between(100, 104))
    assert the(check_quality(hole), "gap", "K").severity == "warning"


def test_a_hole_is_told_once() -> None:
    day = pl.col("time").dt.date()
    hole = (pl.col("symbol") == "KO") & day.is_between(dt.date(2012, 3, 5), dt.date(2012, 6, 1))
    one = the(check_quality(frame().filter(~hole)), "gap", "KO")
    assert (one.first, one.last, one.bars) == ("2012-03-05", "2012-06-01", 63)


def test_two_bad_values_in_a_row_are_one_bad_print() -> None:
    table = frame(["KO"])
    close = table["close"].to_numpy().copy()
    close[500:503] *= (3.0, 5.0, 2.0)
    found = check_quality(table.with_columns(close=close))
    assert the(found, "outlier", "KO").bars == 3
    assert not kinds_of(found) & Counter({"split_suspect": 1})
    moves = [one for one in found.findings if one.kind == "large_move"]
    assert moves == [one for one in check_quality(table).findings if one.kind == "large_move"]


def test_of_the_last_bar_nobody_can_say_whether_it_stays() -> None:
    table = frame(["KO"])
    close = table["close"].to_numpy().copy()
    close[-1] *= 1.4
    one = max(
        (o for o in check_quality(table.with_columns(close=close)).findings),
        key=lambda each: each.first_ns,
    )
    assert (one.kind, one.severity) == ("large_move", "warning")
    assert "no bar after it" in one.message


def test_bars_in_memory_are_cut_to_the_range() -> None:
    bars = nt.load("us-ohlcv", adjust="none")
    found = check_quality(bars, symbols="AAPL", start="2004-01-01", end="2005-12-30")
    assert kinds_of(found)["large_move"] == 0
    assert [len(part) for part in found.bars] == [504]
    assert kinds_of(found)["split_suspect"] == 0
    with pytest.raises(DataError, match="no bar in the range"):
        check_quality(bars, start="2020-01-01")
    with pytest.raises(DataError, match="NOPE"):
        check_quality(bars, symbols=["AAPL", "NOPE"])
    with pytest.raises(ConfigError, match="lies after end"):
        check_quality(bars, start="2012-01-01", end="2011-01-01")


def test_a_symbol_without_a_bar_in_the_range_is_told(tmp_path: Path) -> None:
    table = frame(["KO", "PEP"])
    early = (pl.col("symbol") == "PEP") & (pl.col("time").dt.year() > 2011)
    table.filter(~early).write_parquet(tmp_path / "two.parquet")
    found = check_quality(tmp_path / "two.parquet", start="2014-01-01")
    one = the(found, "gap", "PEP")
    assert (one.severity, found.symbols) == ("note", ("KO", "PEP"))
    assert "2011-12-30" in one.message


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("date,open\n2021-01-04,10\n")
    found = check_quality(bad)
    assert [(one.kind, one.severity, one.symbol) for one in found.findings] == [
        ("refused", "error", "bad")
    ]
    assert "close" in found.findings[0].message
    assert found.bars == ()
    assert len(found.to_polars()) == 1
    with pytest.raises(DataError, match="is not there"):
        check_quality(tmp_path / "none.csv")


def test_a_broken_folder_keeps_to_the_symbols_that_are_asked_for(tmp_path: Path) -> None:
    for symbol in FOUR:
        frame([symbol]).drop("symbol").write_csv(tmp_path / f"{symbol}.csv")
    (tmp_path / "X.csv").write_text("nothing,here\n1,2\n")
    found = check_quality(tmp_path, symbols=["KO", "PG", "NOPE"])
    assert {symbol for bars in found.bars for symbol in bars.symbols} == {"KO", "PG"}
    assert the(found, "refused", "X").severity == "error"
    assert "in none of the files" in the(found, "refused", "NOPE").message
    # A symbol in two files: both are looked at, and what they share is told.
    (tmp_path / "X.csv").unlink()
    frame(["KO"]).write_csv(tmp_path / "again.csv")
    assert "stands in" in the(check_quality(tmp_path), "refused", "").message


def test_symbols_of_a_damaged_catalog_are_still_held_to_each_other(tmp_path: Path) -> None:
    day = pl.col("time").dt.date()
    hole = (pl.col("symbol") == "KO") & (day == dt.date(2012, 3, 6))
    catalog = Catalog(tmp_path)
    bars = nt.load(frame().filter(~hole))
    catalog.write(bars, Origin(provider="import"), at="2026-01-01T00:00:00Z")
    path = catalog.path_of("JNJ")
    path.write_bytes(path.read_bytes()[:-9])
    found = check_quality(catalog, frequency="1d")
    assert the(found, "gap", "KO").first == "2012-03-06"
    assert the(found, "refused", "JNJ").severity == "error"
    with pytest.raises(DataError, match="NOPE"):
        check_quality(catalog, symbols="NOPE")
    with pytest.raises(ConfigError, match="frequency"):
        check_quality(catalog, frequency="2Day")


def test_every_finding_says_what_was_expected() -> None:
    for source in ("us-ohlcv", "sp500-closes"):
        for one in check_quality(source).findings:
            assert one.expected
            assert one.message
            assert one.advice


def test_nothing_is_changed() -> None:
    bars = nt.load("us-ohlcv", adjust="none")
    before = nt.load(bars.to_polars()).data_hash
    check_quality(bars)
    assert nt.load(bars.to_polars()).data_hash == before


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_handful_of_bars_has_no_findings(count: int) -> None:
    found = check_quality(ohlcv().head(count))
    assert found.findings == ()
    assert found.to_polars().height == 0
