"""Plain CSV is read to the bits of the one way that reads all, or left to it."""

import datetime as dt
import math
import string
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from neural_trader._kernels import plain_csv
from neural_trader.core import DataError
from neural_trader.data.content import read_content
from neural_trader.data.plain import read_plain
from neural_trader.data.readers import read_tables
from neural_trader.data.selection import Content
from tests.interpreted import load_interpreted, with_memoryviews

PATH = Path("KO.csv")


def general(data: bytes) -> Content | None:
    """Return what the one way makes of a file; None where it refuses it or a symbol of it."""
    try:
        content = read_content(PATH.name, read_tables(PATH, [(PATH, data)]))
    except DataError:
        return None
    return None if content.faults else content


def described(content: Content) -> list[object]:
    return [
        content.symbols,
        content.basis,
        content.splits,
        content.labels,
        content.dividends,
        *(
            (block.symbols, block.ts_close_ns.tobytes(), name, values.shape, values.tobytes())
            for block in content.blocks
            for name, values in block.fields.items()
        ),
    ]


def check(data: bytes, *, is_plain: bool | None = None) -> None:
    found, expected = read_plain([(PATH, data)]), general(data)
    if found is not None:
        assert expected is not None
        assert described(found) == described(expected)
    if is_plain is not None:
        assert (found is not None) == is_plain


# ------------------------------------------------------------------------------- any kind of table
DAYS = st.dates(min_value=dt.date(1700, 1, 1)).map(str)
DATES = st.one_of(
    DAYS,
    st.sampled_from(["2021-01-04", "2021-01-05", "2021-02-29", "2021-13-01", "0000-01-01", ""]),
)
CLOCKS = st.sampled_from(["", "T21:00", " 21:00:00", "T00:00:00", "T21:00:00.5", "T24:00:00"])
OFFSETS = st.sampled_from(["", "Z", "+00:00", "-05:00", "+0530", "z", " Z", "EST"])
PRICES = st.one_of(
    st.floats(0.01, 1e6).map(repr),
    st.decimals("0.01", "1000", places=2).map(str),
    st.sampled_from(
        ["1", "01.50", "1e2", "1E-2", "1.", ".5", "+1", "-1", " 1", "1 ", "", "nan", "inf", "1_0"]
    ),
    st.sampled_from(["1e400", "1e-400", "0", "0.0", "0.00000000000000000001", "x", '"1"', "1.2.3"]),
)
SYMBOLS = st.sampled_from(["KO", "PEP", "BRK.B", " KO", "", "é", "X Y"])
EXTRAS = st.sampled_from(["", "x", "1", "a b"])
CELLS = {"date": DATES, "close": PRICES, "open": PRICES, "symbol": SYMBOLS, "note": EXTRAS}


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    others = draw(
        st.lists(st.sampled_from(["close", "open", "symbol", "note", "A", "B"]), unique=True)
    )
    header = draw(st.permutations(["date", *others]))
    clock = draw(CLOCKS)
    offset = draw(OFFSETS) if clock else ""
    mark = draw(st.sampled_from([",", ",", ",", ";", "\t"]))
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    lines = [mark.join(header)]
    for _ in range(draw(st.integers(0, 6))):
        cells = [draw(CELLS.get(name, PRICES)) for name in header]
        cells = [
            f"{cell}{clock}{offset}" if name == "date" and cell else cell
            for name, cell in zip(header, cells, strict=True)
        ]
        lines.append(mark.join(cells))
    data = end.join(lines) + draw(st.sampled_from(["", end, end + end]))
    return draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"])) + data.encode()


@given(tables())
@settings(max_examples=600)
@example(b"date,close\n2021-01-04,1\n")
@example(b"date,close\n2021-01-04T00:00:00 x,1\n")
@example(b"date,close\n2021-01-04T21:00:00Z,1\n2021-01-05,2\n")
@example(b"date,close,note\n2021-01-04,1,a\rb\n")
@example(b"date,close\n2021-01-04,1\n\n2021-01-05,2\n")
@example(b"date,close\n2021-01-04,1,2\n")
@example(b"date,close\n2021-01-04\n")
@example(b"date,close\n2021-0")
@example(b"2021")
@example(b"date,close,close\n2021-01-04,1,2\n")
@example(b"date,KO,PEP,\n2021-01-04,1,2,\n")
def test_what_is_read_is_what_the_one_way_reads(data: bytes) -> None:
    check(data)


# ------------------------------------------------------------------------------------ sound tables
@st.composite
def sound(draw: st.DrawFn) -> bytes:
    """A valid table as a program would write it."""
    days = draw(st.lists(DAYS.filter(lambda day: "1700" < day < "2260"), min_size=1, unique=True))
    clock = draw(
        st.sampled_from(["", " 21:00:00-05:00", "T21:00:00.123456789Z", "T09:30", " 00:00"])
    )
    price = st.one_of(st.floats(0.01, 1e6).map(repr), st.decimals("0.01", "99", places=2).map(str))
    symbols = draw(st.lists(st.sampled_from(["KO", "PEP", "A", "B"]), min_size=1, unique=True))
    rows = [(day, symbol) for day in sorted(days) for symbol in symbols]
    if draw(st.booleans()):
        rows.sort(key=lambda row: symbols.index(row[1]))
    lines = [f"{day}{clock},{symbol},x,{draw(price)}" for day, symbol in rows]
    return "\n".join(["date,symbol,exchange,close", *lines, ""]).encode()


@given(sound())
def test_sound_tables_are_plain(data: bytes) -> None:
    check(data, is_plain=True)


# ------------------------------------------------------------------------------------- the numbers
DIGITS = st.text(string.digits, min_size=1, max_size=24)
NUMBERS = st.one_of(
    DIGITS,
    st.tuples(DIGITS, DIGITS).map(".".join),
    st.tuples(DIGITS, st.integers(-400, 400)).map(lambda each: f"{each[0]}e{each[1]}"),
    st.floats(1e-5, 1e15).map(repr),
    # Halfway between two doubles, and as near to it as the digits allow.
    st.floats(1.0, 2.0**53, exclude_max=True).map(
        lambda x: f"{(Decimal(x) + Decimal(math.nextafter(x, math.inf))) / 2:f}"
    ),
    st.floats(1.0, 2.0**53, exclude_max=True).map(
        lambda x: f"{(Decimal(x) + Decimal(math.nextafter(x, math.inf))) / 2:f}"[:19].rstrip(".")
    ),
)


def numbers(texts: list[str], *, kernel: object = plain_csv.parse) -> list[float]:
    n = len(texts)
    data = "".join(f"{text}\n" for text in texts).encode()
    kinds, marks = np.array([plain_csv.NUMBER]), np.zeros(plain_csv.MARKS, np.int64)
    stamps, codes, values = np.empty(n, np.int64), np.empty(n, np.int64), np.empty((1, n))
    assert callable(kernel)
    assert kernel(data, 0, ord(","), kinds, stamps, codes, values, {}, marks) == n
    return [float(value) for value in values[0]]


@given(st.lists(NUMBERS, min_size=1, max_size=50))
@settings(max_examples=400)
@example(["0.0000000000000000001", "9007199254740993", "9007199254740992.5", "999999999999999999"])
def test_numbers_are_those_of_python(texts: list[str]) -> None:
    assert numbers(texts) == [float(text) for text in texts]


@given(st.lists(NUMBERS, min_size=1, max_size=20))
@settings(max_examples=50)
def test_interpreted_numbers_are_the_compiled_ones(texts: list[str]) -> None:
    parse = with_memoryviews(load_interpreted("plain_csv").parse)
    assert numbers(texts, kernel=parse) == numbers(texts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": b""}, "line feed"),
        ({"data": b"1"}, "line feed"),
        ({"begin": 3}, "begin"),
        ({"kinds": np.empty(0, np.int64)}, "data must"),
        ({"kinds": np.array([plain_csv.SKIPPED])}, "marks must"),
        ({"marks": np.zeros(3, np.int64)}, "marks must"),
        ({"codes": np.empty(2, np.int64)}, "one column a row"),
        ({"values": np.empty((1, 2))}, "one column a row"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "data": b"1\n",
        "begin": 0,
        "separator": 44,
        "kinds": np.array([plain_csv.NUMBER]),
        "stamps": np.empty(1, np.int64),
        "codes": np.empty(1, np.int64),
        "values": np.empty((1, 1)),
        "known": {},
        "marks": np.zeros(plain_csv.MARKS, np.int64),
    }
    assert plain_csv.parse(**given) == 1
    with pytest.raises(ValueError, match=message):
        plain_csv.parse(**given | change)


def test_more_rows_than_there_is_room_for_are_left_alone() -> None:
    kinds, one = np.array([plain_csv.NUMBER]), np.empty(1, np.int64)
    marks = np.zeros(plain_csv.MARKS, np.int64)
    read = plain_csv.parse(b"1\n2\n", 0, 44, kinds, one, one, np.empty((1, 1)), {}, marks)
    assert read == plain_csv.ODD
