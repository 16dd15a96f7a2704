"""The splits and dividends of a catalog: kept with the series, once, and never half."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core import Bars, Block, DataError
from neural_trader.data.catalog import Catalog, Origin
from neural_trader.data.catalog.files import from_bytes
from neural_trader.data.catalog.provenance import Provenance, decode, encode

AT = "2026-01-01T00:00:00Z"
RAW = Origin(provider="import")
DAY_NS = 86_400_000_000_000
TABLE = {
    "symbol": ["A", "A", "ELSE"],
    "ex_date": ["2021-01-06", "2021-01-07", "2021-01-07"],
    "kind": ["split", "dividend", "dividend"],
    "value": [2.0, 0.5, 0.5],
}


def daily(symbol: str, *, count: int = 6, basis: str = "raw", early_ns: int = 1) -> Bars:
    stamps = (np.arange(18_631, 18_631 + count) + 1) * DAY_NS - early_ns  # From 2021-01-04.
    close = np.array([[10.0 + 0.125 * each for each in range(count)]])
    block = Block((symbol,), stamps, {"close": close})
    return Bars((block,), name="made", basis=basis)  # type: ignore[arg-type]


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    made = Catalog(tmp_path)
    for symbol in ("A", "B"):
        made.write(daily(symbol), RAW, at=AT)
    return made


def test_a_table_goes_to_the_files_of_its_symbols(catalog: Catalog) -> None:
    [known] = catalog.keep_actions(TABLE)
    assert (known.symbol, len(known.splits), known.added) == ("A", 1, 2)
    assert [each.dividends for each in catalog.actions()][1] is None, "nobody told of B's"
    before = catalog.path_of("A").stat()
    assert catalog.keep_actions(TABLE)[0].added == 0
    assert catalog.path_of("A").stat().st_ino == before.st_ino, "nothing changed"
    assert catalog.load("A").data_hash == daily("A").data_hash, "raw prices stay"


def test_appending_and_replacing_keep_them(catalog: Catalog) -> None:
    catalog.keep_actions(TABLE)
    catalog.write(daily("A", count=9), RAW, at=AT)
    catalog.write(daily("A", count=12), RAW, at=AT, replace_all=True)
    [known, _] = catalog.actions()
    assert (len(known.splits), len(known.dividends or ())) == (1, 1)


def test_another_frequency_of_a_symbol_knows_them_too(catalog: Catalog) -> None:
    catalog.keep_actions(TABLE)
    hours = daily("A", early_ns=3 * 3_600_000_000_000)
    catalog.write(hours, RAW, at=AT, frequency="1Hour")
    assert {each.frequency for each in catalog.actions(["A"])} == {"1Day", "1Hour"}
    [day, hour] = catalog.actions(["A"])
    assert (day.splits, day.dividends) == (hour.splits, hour.dividends)
    more = {"symbol": ["A"], "ex_date": ["2021-01-08"], "amount": [0.25]}
    assert [each.added for each in catalog.keep_actions(more)] == [1, 1]


def test_another_value_is_refused_and_replaced_when_asked(catalog: Catalog) -> None:
    catalog.keep_actions(TABLE)
    other = {"symbol": ["A"], "ex_date": ["2021-01-06"], "ratio": [3.0]}
    with pytest.raises(DataError, match="A has a split on 2021-01-06 of 2"):
        catalog.keep_actions(other)
    [known] = catalog.keep_actions(other, replace_all=True)
    assert ([each.ratio for each in known.splits], known.dividends) == ([3.0], ())


def test_splits_alone_do_not_tell_of_dividends(catalog: Catalog) -> None:
    splits = {"symbol": ["A"], "ex_date": ["2021-01-06"], "ratio": [2.0]}
    assert catalog.keep_actions(splits)[0].dividends is None
    with pytest.raises(DataError, match="does not know the dividends of A"):
        catalog.load("A", adjust="total-return")
    assert catalog.keep_actions(splits, ["A", "B"])[1].dividends == ()
    assert catalog.load(["A", "B"], adjust="total-return").basis == "total-return"


def test_a_fault_changes_no_file(catalog: Catalog) -> None:
    before = {each: catalog.path_of(each).read_bytes() for each in ("A", "B")}
    table = {"symbol": ["A", "B"], "ex_date": ["2021-01-06"] * 2, "amount": [0.5, 99.0]}
    with pytest.raises(DataError, match="B: the dividend of"):
        catalog.keep_actions(table)
    with pytest.raises(DataError, match="unknown symbol 'C'"):
        catalog.keep_actions(TABLE, ["A", "C"])
    catalog.write(daily("D", basis="split-adjusted"), Origin(provider="x", basis="split-adjusted"),
                  at=AT)  # fmt: skip
    with pytest.raises(DataError, match=r"D \(1Day\) holds split-adjusted prices"):
        catalog.keep_actions(TABLE, ["A", "D"])
    assert {each: catalog.path_of(each).read_bytes() for each in before} == before


def test_actions_at_load_join_those_that_are_kept(catalog: Catalog) -> None:
    catalog.keep_actions(TABLE)
    more = {"symbol": ["A"], "ex_date": ["2021-01-08"], "amount": [0.25]}
    with_more = catalog.load("A", actions=more, adjust="total-return", direction="forward")
    without = catalog.load("A", adjust="total-return", direction="forward")
    assert with_more["A"].close[:4].tolist() == without["A"].close[:4].tolist()
    assert with_more["A"].close[4] > without["A"].close[4]
    with pytest.raises(nt.ConfigError, match="direction is 'up'"):
        catalog.load("A", direction="up")  # type: ignore[arg-type]


def test_a_file_from_before_there_were_dividends_is_read(catalog: Catalog) -> None:
    path = catalog.path_of("A")
    _, provenance = from_bytes(path, path.read_bytes())
    plain = msgspec.json.decode(encode(provenance))
    del plain["dividends"]
    assert decode(msgspec.json.encode(plain).decode(), "A") == provenance
    assert isinstance(provenance, Provenance)
    assert provenance.known_dividends is None
