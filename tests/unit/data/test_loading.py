"""One call loads files, folders and ranges of them."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from neural_trader.data import load

Write = Callable[..., Path]
WIDE = "date,KO,PEP\n2021-01-04,1,10\n2021-01-05,2,20\n2021-01-06,3,30\n"


@pytest.mark.parametrize("cached", [True, False])
def test_symbols_and_range(write: Write, cached: bool) -> None:
    path = write(WIDE)
    for _ in range(2):
        bars = load(
            path, symbols=["PEP", "KO"], start="2021-01-05", end=dt.date(2021, 1, 5), cache=cached
        )
        assert bars.symbols == ("PEP", "KO")
        assert bars.name == "prices.csv"
        assert [bars[symbol].close.tolist() for symbol in bars.symbols] == [[20.0], [2.0]]
        [block] = bars.blocks
        assert block.fields["close"].flags.c_contiguous
        assert not block.fields["close"].flags.writeable
        assert not block.ts_close_ns.flags.writeable


def test_layouts_of_the_same_bars_are_equal(write: Write) -> None:
    days = ["2021-01-04", "2021-01-05", "2021-01-06"]
    long = "".join(
        f"{symbol},{day},{row + 1}{zero}\n"
        for symbol, zero in (("KO", ""), ("PEP", "0"))
        for row, day in enumerate(days)
    )
    ko, pep = (
        "Date;Close\n" + "".join(f"{day};{row + 1}{zero}\n" for row, day in enumerate(days))
        for zero in ("", "0")
    )
    write(ko, "folder/KO.csv")
    folder = write(pep, "folder/PEP.CSV").parent
    parquet = write("", "wide.parquet")
    pl.read_csv(WIDE.encode(), try_parse_dates=True).write_parquet(parquet)
    sources = [
        write(WIDE),
        write("\ufeff" + WIDE.replace("\n", "\r\n"), "windows.csv"),
        write(WIDE.replace(",", "\t"), "tabs.csv"),
        write(f"symbol,date,close\n{long}", "long.csv"),
        folder,
        str(folder),
        parquet,
    ]
    assert len({load(source).data_hash for source in sources}) == 1


def test_files_of_a_folder_may_differ_in_kind(write: Write) -> None:
    pl.DataFrame({"date": ["2021-01-04"], "close": [2.0]}).write_parquet(
        write("date,close\n2021-01-04,1\n", "KO.csv").with_name("PEP.pq")
    )
    write("ignored", "README.md")
    folder = write("ignored", ".hidden.csv").parent
    assert load(folder).symbols == ("KO", "PEP")


def test_symbols_of_different_calendars_stand_in_blocks_of_their_own(write: Write) -> None:
    text = (
        "symbol,date,close\nKO,2021-01-04,1\nPEP,2021-01-04,2\nXOM,2021-01-05,3\n"
        "KO,2021-01-05,4\nPEP,2021-01-05,5\nXOM,2021-01-06,6\n"
    )
    bars = load(write(text))
    assert [block.symbols for block in bars.blocks] == [("KO", "PEP"), ("XOM",)]
    # In a range where the calendars agree, so do the blocks.
    bars = load(write(text), symbols=["XOM", "KO"], start="2021-01-05", end="2021-01-05")
    assert [block.symbols for block in bars.blocks] == [("XOM", "KO")]


def test_symbols_with_other_fields_stand_in_blocks_of_their_own(write: Write) -> None:
    write("date,close\n2021-01-04,1\n", "KO.csv")
    folder = write("date,close,volume\n2021-01-04,1,2\n", "PEP.csv").parent
    bars = load(folder)
    assert len(bars.blocks) == 2
    assert bars["KO"].volume is None
    assert bars["PEP"].volume is not None


def test_equal_prices_of_a_bar_may_differ_in_their_last_bits(write: Write) -> None:
    text = "date,open,high,low,close\n2021-01-04,2,2.9999999999999996,1,3\n"
    assert load(write(text))["prices"].close.tolist() == [3.0]


def test_zero_volume_is_sound(write: Write) -> None:
    volume = load(write("date,close,volume\n2021-01-04,1,0\n"))["prices"].volume
    assert volume is not None
    assert volume.tolist() == [0.0]


def test_intraday_bars_are_cut_by_session_date(write: Write) -> None:
    times = ["2021-01-04T23:59:59Z", "2021-01-05T00:00:00Z", "2021-01-05T23:59:59.999Z"]
    path = write("time,close\n" + "".join(f"{time},1\n" for time in times))
    stamps = load(path, start="2021-01-05", end="2021-01-05")["prices"].ts_close_ns
    expected = np.array([time.removesuffix("Z") for time in times[1:]], "datetime64[ns]")
    assert stamps.tolist() == expected.astype(np.int64).tolist()


def test_a_link_names_its_symbol_itself(write: Write) -> None:
    target = write("date,close\n2021-01-04,1\n", "store/0b5e1f")
    link = target.with_name("KO.csv")
    link.symlink_to(target)
    bars = load(link)
    assert (bars.name, bars.symbols) == ("KO.csv", ("KO",))
    target.write_text("date,close\n2021-01-04,2\n")
    assert load(link)["KO"].close.tolist() == [2.0]


def test_the_home_of_the_user_is_known(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(write(WIDE).parent))
    assert load("~/prices.csv").symbols == ("KO", "PEP")


def test_the_folder_at_hand_has_a_name(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write("date,close\n2021-01-04,1\n", "mine/KO.csv").parent)
    assert load(".").name == "mine"


def test_relative_paths_and_links_find_the_same_bars(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(WIDE)
    link = path.with_name("link.csv")
    link.symlink_to(path)
    monkeypatch.chdir(path.parent)
    found = [load(path), load("prices.csv"), load("./prices.csv"), load(link)]
    assert len({bars.data_hash for bars in found}) == 1
