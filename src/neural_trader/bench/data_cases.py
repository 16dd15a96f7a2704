"""The cases of the data bench: what each does, by whom, and what it is to reach.

A case is run by one engine in a fresh process, part by part: ``ours``, and others beside it. To add
one, add a :class:`DataCase` whose engines measure it; the suite does the rest.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from neural_trader.bench import data_cached, data_fetch, data_rows, data_sharing, data_year
from neural_trader.bench.data_measure import Measured, write_year

Engine = Callable[[Path, str], Measured]
"""Measures a part of a case; the folder holds the files that were prepared for it."""


class Target(NamedTuple):
    """What a quantity is to reach: at most so much, or at least so many times less (``x``)."""

    value: float
    unit: str


class DataCase(NamedTuple):
    """A case of the data bench.

    Parameters
    ----------
    name, words : str
        What it is called, and what is done.
    prepare : callable
        Writes the files that its engines read into a folder.
    engines : mapping of str to Engine
        ``ours`` first, then what stands beside it. ``limit`` measures what no program can do
        without, and is a figure without an answer.
    beside : str
        The engine whose figures ours are divided into.
    parts : tuple of str
        Each is measured in a process of its own, in this order.
    targets, claims : mapping
        By quantity: what is to be reached, and the performance page's figure for Rust.
    tolerance : float
        How far, relatively, an answer may be from ours.
    """

    name: str
    words: str
    prepare: Callable[[Path], None]
    engines: Mapping[str, Engine]
    beside: str
    parts: tuple[str, ...]
    targets: Mapping[str, Target]
    claims: Mapping[str, float]
    tolerance: float = 1e-12


def _nothing(folder: Path) -> None:
    """Write no files."""


DATA_CASES: Final = (
    DataCase(
        "year_20",
        "parse, check, returns, rolling features: 252 days of 20 symbols",
        write_year,
        {"ours": data_year.measure_ours, "pandas": data_year.measure_pandas},
        "pandas",
        ("csv", "parquet"),
        {
            "csv, time": Target(7.0, "x"),
            "parquet, time": Target(7.0, "x"),
            "csv, memory over imports": Target(12.0, "MB"),
            "parquet, memory over imports": Target(12.0, "MB"),
        },
        {"csv, memory over imports": 12.0, "parquet, memory over imports": 12.0},
        1e-9,
    ),
    DataCase(
        "rows_5m",
        "5,000,000 rows of Parquet to columns",
        data_rows.write_both,
        {
            "ours": data_rows.measure_ours,
            "pandas": data_rows.measure_pandas,
            "limit": data_rows.measure_limit,
        },
        "pandas",
        # The last but one leaves the entry that the last one maps.
        (data_rows.ZSTD, "cold", "cached"),
        {
            "cold": Target(250.0, "ms"),
            data_rows.ZSTD: Target(250.0, "ms"),
            "from the cache": Target(5.0, "ms"),
        },
        {},
    ),
    DataCase(
        "zero_copy",
        "5,000,000 rows from a file to sums by two workers",
        data_rows.write_both,
        {"ours": data_sharing.measure_ours, "copies": data_sharing.measure_copies},
        "copies",
        ("",),
        # 70 % less memory is 3.3 times less.
        {"time": Target(5.0, "x"), "memory of all processes": Target(1 / 0.3, "x")},
        {},
        0.0,
    ),
    DataCase(
        "indicator_cache",
        "a z-score of 60 bars, asked for ten times",
        _nothing,
        {"ours": data_cached.measure_cached, "uncached": data_cached.measure_uncached},
        "uncached",
        tuple(data_cached.PARTS),
        # Where one of ten is computed, ten times less is what no cache can pass.
        {"1,000,000 bars, one hit": Target(10.0, "x"), "8,313 bars, one hit": Target(10.0, "x")},
        {},
        0.0,
    ),
    DataCase(
        "fetch_100",
        "100 symbols, a year each, from a loopback provider, 20 ms a request",
        _nothing,
        {"ours": data_fetch.measure_at_once, "one by one": data_fetch.measure_in_turn},
        "one by one",
        ("",),
        {"100 symbols": Target(10.0, "x")},
        {"one symbol, checked, with returns": 180.0},
        0.0,
    ),
)


def find_data_case(name: str) -> DataCase:
    """Return the case of a name that is known."""
    return next(case for case in DATA_CASES if case.name == name)
