"""One look at data, whatever it is: bars in memory, a sample, a file, a folder, a catalog."""

import datetime as dt
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from neural_trader.core.bars import Bars, SymbolBars
from neural_trader.core.errors import DataError
from neural_trader.core.sessions import first_ns
from neural_trader.data.catalog import Catalog
from neural_trader.data.loading import load_sound
from neural_trader.data.paths import data_files
from neural_trader.data.quality.findings import Finding, Quality, in_order
from neural_trader.data.quality.moves import find_moves
from neural_trader.data.quality.rhythm import find_missing, find_slips
from neural_trader.data.quality.stillness import find_still

Progress = Callable[[int, int], None]


class _Range(NamedTuple):
    """First and last session date, inclusive; None is open."""

    start: str | dt.date | None
    end: str | dt.date | None


def check_quality(
    source: object,
    *,
    symbols: str | Sequence[str] | None = None,
    start: str | dt.date | None = None,
    end: str | dt.date | None = None,
    calendar: str = "",
    frequency: str = "1Day",
    progress: Progress | None = None,
) -> Quality:
    """Look through data for what a person should know before trading on it.

    Parameters
    ----------
    source : Bars, Catalog, or what ``load`` takes
        Prices are looked at as they are stored: not adjusted for known splits, which are no
        findings.
    symbols : str or sequence of str, optional
    start, end : str or datetime.date, optional
        First and last session date, inclusive. Not for Bars.
    calendar : str
        Market identifier code of an exchange, such as ``XNYS``, whose sessions the bars are held
        to (extra ``calendars``). Empty: to each other, and to their own rhythm.
    frequency : str
        Of a catalog's series.
    progress : callable, optional
        Told how many symbols are done, and of how many.

    Returns
    -------
    Quality
        Nothing is changed or left out: bars that are refused are findings, and so is what is
        found in the others.

    Raises
    ------
    ConfigError
        An argument cannot be used.
    DataError
        Nothing is there, or a symbol is unknown.

    Missing
    -------
    NaN and empty cells are refused bars, hence findings.

    Examples
    --------
    >>> found = check_quality("us-ohlcv", symbols="AAPL")
    >>> found.counts["error"]
    0
    >>> [one.first for one in found.findings if one.value is not None and one.value < -0.5]
    ['2000-09-29']
    """
    name, parts, faults = _read(source, symbols=symbols, start=start, end=end, frequency=frequency)
    findings = [_refused(symbol, fault) for symbol, fault in faults]
    total = sum(len(bars.symbols) for bars in parts)
    every: list[str] = []
    for bars in parts:
        series = [bars[symbol] for symbol in _chosen(source, bars, symbols)]
        findings += find_missing(series, calendar)
        findings += find_slips(series)
        for one in series:
            findings += find_moves(one, _known_places(bars, one))
            findings += find_still(one)
            every.append(one.symbol)
            if progress is not None:
                progress(len(every), total)
    every += [symbol for symbol, _ in faults if symbol]
    return Quality(name, tuple(parts), tuple(every), in_order(every, findings), calendar)


def _chosen(source: object, bars: Bars, symbols: str | Sequence[str] | None) -> Sequence[str]:
    """Return the symbols to look at: bars in memory hold others too."""
    if symbols is None or not isinstance(source, Bars):
        return bars.symbols
    return [symbols] if isinstance(symbols, str) else symbols


def _known_places(bars: Bars, series: SymbolBars) -> frozenset[int]:
    """Return the first bars after the known splits of a symbol."""
    return frozenset(
        int(np.searchsorted(series.ts_close_ns, first_ns(split.day), "left"))
        for split in bars.splits
        if split.symbol == series.symbol
    )


def _refused(symbol: str, fault: str) -> Finding:
    return Finding(
        symbol, "refused", "error", 0, 0, 0, None, fault, "Mend the file; nothing of it is loaded"
    )


def _read(
    source: object,
    *,
    symbols: str | Sequence[str] | None,
    start: str | dt.date | None,
    end: str | dt.date | None,
    frequency: str,
) -> tuple[str, list[Bars], list[tuple[str, str]]]:
    """Return the name of the data, what can be loaded of it, and what is refused and why."""
    if isinstance(source, Bars):
        return source.name, [source], []
    span = _Range(start, end)
    if isinstance(source, Catalog):
        return _read_catalog(source, symbols, frequency, span)
    try:
        bars, faults = load_sound(source, symbols=symbols, start=span.start, end=span.end)
    except DataError as error:
        files = _files(source)
        if len(files) < 2:
            raise
        # One bad file must not hide the others: each is read for itself.
        parts, broken = [], [("", str(error))]
        for file in files:
            try:
                bars, faults = load_sound(file, symbols=None, start=span.start, end=span.end)
            except DataError as problem:
                broken.append((file.stem, str(problem)))
                continue
            parts += [] if bars is None else [bars]
            broken += list(faults.items())
        return str(source), parts, broken
    name = bars.name if bars is not None else str(source)
    return name, [] if bars is None else [bars], list(faults.items())


def _files(source: object) -> list[Path]:
    """Return the files of a folder; none where the source is none."""
    if not isinstance(source, (str, os.PathLike)) or not Path(source).expanduser().is_dir():
        return []
    return data_files(Path(source).expanduser())


def _read_catalog(
    catalog: Catalog,
    symbols: str | Sequence[str] | None,
    frequency: str,
    span: _Range,
) -> tuple[str, list[Bars], list[tuple[str, str]]]:
    held = [each.symbol for each in catalog.entries() if each.frequency == frequency]
    names = held if symbols is None else [symbols] if isinstance(symbols, str) else list(symbols)
    try:
        return (
            str(catalog.folder),
            [catalog.load(names, frequency=frequency, start=span.start, end=span.end)],
            [],
        )
    except DataError:
        if len(names) == 1 or not set(names) <= set(held):
            raise
    # Damaged files, and files that do not belong together, must not hide the others.
    parts, broken = [], []
    for name in names:
        try:
            parts.append(catalog.load([name], frequency=frequency, start=span.start, end=span.end))
        except DataError as error:
            broken.append((name, str(error)))
    return str(catalog.folder), parts, broken
