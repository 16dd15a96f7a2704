"""One look at data, whatever it is: bars in memory, a sample, a file, a folder, a catalog."""

import datetime as dt
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from neural_trader.core.bars import Bars, SymbolBars
from neural_trader.core.errors import DataError
from neural_trader.core.sessions import first_ns, last_ns, session_date, session_day
from neural_trader.data.catalog import Catalog
from neural_trader.data.frequencies import read_frequency
from neural_trader.data.loading import load_sound, read_symbols
from neural_trader.data.paths import data_files
from neural_trader.data.quality.findings import Finding, Quality, in_order
from neural_trader.data.quality.moves import find_moves
from neural_trader.data.quality.rhythm import find_missing
from neural_trader.data.quality.slips import find_slips
from neural_trader.data.quality.stillness import find_still
from neural_trader.data.selection import Content, Span, read_span, select

Progress = Callable[[int, int], None]
_Parts = tuple[str, list[Bars], list[tuple[str, str]]]


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
        First and last session date, inclusive.
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
        Nothing is there, a symbol is unknown, or no symbol has a bar in the range.

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
    wanted = read_symbols(symbols)
    span = read_span(
        None if start is None else session_day(start, option="start"),
        None if end is None else session_day(end, option="end"),
    )
    name, parts, faults = _read(source, wanted, read_frequency(frequency).name)
    parts, absent = _cut(name, parts, wanted, span)
    findings = [_refused(symbol, fault) for symbol, fault in faults]
    findings += [_absent(symbol, words) for symbol, words in absent]
    pairs = [(bars, bars[symbol]) for bars in parts for symbol in bars.symbols]
    series = [one for _, one in pairs]
    findings += find_missing(series, calendar)
    findings += find_slips(series, calendar)
    for done, (bars, one) in enumerate(pairs, start=1):
        findings += find_moves(one, _known_places(bars, one))
        findings += find_still(one)
        if progress is not None:
            progress(done, len(pairs))
    every = dict.fromkeys(
        [one.symbol for one in series] + [symbol for symbol, _ in (*faults, *absent) if symbol]
    )
    return Quality(name, tuple(parts), tuple(every), in_order(tuple(every), findings), calendar)


def _known_places(bars: Bars, series: SymbolBars) -> frozenset[int]:
    """Return the first bars after the known splits of a symbol."""
    return frozenset(
        int(np.searchsorted(series.ts_close_ns, first_ns(split.day), "left"))
        for split in bars.splits
        if split.symbol == series.symbol
    )


def _refused(symbol: str, fault: str) -> Finding:
    return Finding(
        symbol,
        "refused",
        "error",
        *(0, 0, 0),
        None,
        "what bars must be, for nt.load to take them",
        fault,
        "Mend the file; nothing of it is loaded",
    )


def _absent(symbol: str, words: str) -> Finding:
    expected, advice = "a bar in the range", "Nothing was looked at: change the range, or fetch it"
    return Finding(symbol, "gap", "note", 0, 0, 0, None, expected, words, advice)


def _cut(
    name: str, parts: Sequence[Bars], wanted: Sequence[str] | None, span: Span
) -> tuple[list[Bars], list[tuple[str, str]]]:
    """Return the bars of some symbols over a range, and who has none in it."""
    cut: list[Bars] = []
    absent: list[tuple[str, str]] = []
    for bars in parts:
        chosen = [each for each in wanted or bars.symbols if each in bars]
        inside = [each for each in chosen if _reaches(bars, each, span)]
        for each in chosen:
            if each not in inside:
                stamps = bars[each].ts_close_ns
                reach = f"{session_date(int(stamps[0]))} to {session_date(int(stamps[-1]))}"
                absent.append((each, f"no bar in the range; its bars reach from {reach}"))
        if inside:
            content = Content(bars.symbols, bars.blocks, bars.basis, {})
            blocks = select(name, content, inside, span)
            cut.append(
                Bars(
                    blocks,
                    name=bars.name,
                    basis=bars.basis,
                    labels=bars.labels,
                    splits=bars.splits,
                )
            )
    if parts and not cut:
        symbol, words = absent[0] if absent else ("", "no symbol")
        message = f"{name}: {symbol} has {words}. Change the range"
        raise DataError(message)
    return cut, absent


def _reaches(bars: Bars, symbol: str, span: Span) -> bool:
    stamps = bars[symbol].ts_close_ns
    low = 0 if span.first is None else int(np.searchsorted(stamps, first_ns(span.first), "left"))
    if span.last is None:
        return low < len(stamps)
    return low < int(np.searchsorted(stamps, last_ns(span.last), "right"))


def _read(source: object, wanted: Sequence[str] | None, frequency: str) -> _Parts:
    """Return the name of the data, what can be loaded of it, and what is refused and why."""
    if isinstance(source, Bars):
        for symbol in wanted or ():
            source.home(symbol)
        return source.name, [source], []
    if isinstance(source, Catalog):
        return _read_catalog(source, wanted, frequency)
    try:
        bars, faults = load_sound(source, symbols=wanted)
    except DataError as error:
        files = _files(source)
        if not files or _loads_whole(source):
            # What was asked for cannot be: the data are not at fault.
            raise
        return _read_files(str(source), files, str(error), wanted)
    name = bars.name if bars is not None else str(source)
    return name, [] if bars is None else [bars], list(faults.items())


def _loads_whole(source: object) -> bool:
    """Return whether a source can be read where nothing is asked of it."""
    try:
        load_sound(source, symbols=None)
    except DataError:
        return False
    return True


def _read_files(
    name: str, files: Sequence[Path], reason: str, wanted: Sequence[str] | None
) -> _Parts:
    """Read each file for itself: one that is broken must not hide the others."""
    parts: list[Bars] = []
    faults: list[tuple[str, str]] = []
    broken: list[tuple[str, str]] = []
    for file in files:
        try:
            bars, bad = load_sound(file, symbols=None)
        except DataError as problem:
            broken.append((file.stem, str(problem)))
            continue
        parts += [] if bars is None else [bars]
        faults += [each for each in bad.items() if wanted is None or each[0] in wanted]
    found = {symbol for bars in parts for symbol in bars.symbols} | {each for each, _ in faults}
    for symbol in wanted or ():
        if symbol not in found | {each for each, _ in broken}:
            broken.append((symbol, f"{symbol} stands in none of the files that can be read"))
    # Files that are sound one by one do not belong together: that concerns all symbols.
    return name, parts, [*(broken or [("", reason)]), *faults]


def _files(source: object) -> list[Path]:
    """Return the file or the files of a folder; none where the source is not there or no path."""
    if not isinstance(source, (str, os.PathLike)):
        return []
    path = Path(source).expanduser()
    return data_files(path) if path.exists() else []


def _read_catalog(catalog: Catalog, wanted: Sequence[str] | None, frequency: str) -> _Parts:
    name = str(catalog.folder)
    held = [each.symbol for each in catalog.entries() if each.frequency == frequency]
    names = held if wanted is None else list(wanted)
    unknown = next((each for each in names if each not in held), None)
    if unknown is not None or not names:
        # Its message says what is there instead.
        catalog.load(unknown, frequency=frequency)
    try:
        return name, [catalog.load(names, frequency=frequency)], []
    except DataError:
        # Damaged files, and files that do not belong together, must not hide the others.
        parts, broken = [], []
    for each in names:
        try:
            parts.append(catalog.load([each], frequency=frequency))
        except DataError as error:
            broken.append((each, str(error)))
    return name, parts, broken
