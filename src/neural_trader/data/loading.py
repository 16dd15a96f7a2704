"""The front door of the data room: one call from any source to validated bars."""

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neural_trader.core import BASES, Bars, Basis, ConfigError, DataError
from neural_trader.core.sessions import session_day
from neural_trader.data.actions import (
    ADJUSTMENTS,
    DIRECTIONS,
    Adjust,
    Adjustment,
    Direction,
    adjusted_content,
    crossed,
    load_actions,
)
from neural_trader.data.bundled import find_sample
from neural_trader.data.cache import ColumnCache, FileStamp, cache_folder, key_of, stamp_of
from neural_trader.data.paths import data_files, find_path, is_large
from neural_trader.data.selection import Content, Span, read_span, select

if TYPE_CHECKING:
    from neural_trader.data.intake import Publication

# Entries that are being written for bars that were handed out: a next load waits for its own.
_pending: "dict[Path, Publication]" = {}


def load(  # noqa: PLR0913 - the one front door: each option is a word of the field
    source: object,
    *,
    symbols: str | Sequence[str] | None = None,
    start: str | dt.date | None = None,
    end: str | dt.date | None = None,
    timestamps: object = None,
    basis: Basis | None = None,
    actions: object = None,
    adjust: Adjust = "splits",
    direction: Direction = "backward",
    cache: bool = True,
) -> Bars:
    """Load validated bars from a sample, a file, a folder, a frame or arrays.

    Parameters
    ----------
    source : str, Path, Polars or pandas frame, dict of columns, or NumPy array
        The name of a sample (see :func:`samples`); the path of a CSV or Parquet file, or of a
        folder of them; a frame or columns in memory; or an array of closes of shape (T,) or (T, N).
        A name that is a sample wins over a path: write ``./name`` for the path.
    symbols : str or sequence of str, optional
        Which symbols, in which order; None loads all. For an array they name its columns, for a
        frame of one unnamed series that series.
    start, end : str or datetime.date, optional
        First and last session date, both inclusive, as ``YYYY-MM-DD``.
    timestamps : array-like, shape (T,), optional
        The close times of a source in memory that has none: dates, datetimes, ISO texts or integer
        epochs. A naive time is UTC.
    basis : {"raw", "split-adjusted", "total-return"}, optional
        What the prices know of corporate actions. None: raw; total-return where the only closes
        are adjusted ones. A sample knows its own.
    actions : str, Path, frame, dict of columns, or Actions, optional
        A table of splits and dividends of raw prices (see :mod:`neural_trader.data.actions`),
        beside those that the source knows: samples know their splits, files of a catalog what was
        brought in. Symbols of the table that the source does not have are left out.
    adjust : {"splits", "total-return", "none"}
        What raw prices are adjusted for: their splits; splits and dividends, which are reinvested
        on the ex-date; or nothing.
    direction : {"backward", "forward"}
        Whether the last or the first price stays the market's.
    cache : bool
        Whether files are kept as columns, for the next load.

    Returns
    -------
    Bars
        What is loaded is all there is: nothing before ``start`` is kept for a warm-up. Arrays are
        read-only.

    Raises
    ------
    ConfigError
        An argument cannot be used, or one that the source needs is missing.
    DataError
        The source is not there, cannot be read, is not what bars must be, or has no such symbol or
        range; or actions and prices do not fit. The message names file, row, value and what to do.

    Timing
    ------
    A bar is stamped at its close. A bar that carries only a date closes at the end of that UTC day.

    Missing
    -------
    No gap is filled: an empty or NaN cell of a symbol that is asked for is an error, wherever in
    its history it stands. Symbols with different calendars keep their own.

    Examples
    --------
    >>> bars = load("sp500-closes", symbols=["KO", "PEP"], start="2021-01-01", end="2021-12-31")
    >>> bars
    Bars('sp500-closes': KO, PEP; 252 bars, 2021-01-04 to 2021-12-31, total-return)
    """
    wanted = read_symbols(symbols)
    span = read_span(
        None if start is None else session_day(start, option="start"),
        None if end is None else session_day(end, option="end"),
    )
    _check_option("basis", basis, (None, *BASES))
    _check_option("adjust", adjust, ADJUSTMENTS)
    _check_option("direction", direction, DIRECTIONS)
    table = None if actions is None else load_actions(actions)
    how = Adjustment(adjust, direction, table)
    if not isinstance(source, (str, os.PathLike)):
        name, content = _read_memory(source, wanted, timestamps)
        content = content._replace(basis=basis or content.basis)
        bars = _bars(name, content, wanted, span=span, how=how)
        bars.name = name.removeprefix("the ")
        return bars
    if timestamps is not None:
        message = "timestamps= is for data in memory that have no times; files and samples have"
        raise ConfigError(message)
    folder = cache_folder() if cache else None
    store = None if folder is None else ColumnCache(folder)
    sample = find_sample(source) if isinstance(source, str) else None
    if sample is not None:
        if basis is not None:
            message = f"basis= is for files and frames; the sample {sample.name} knows its own"
            raise ConfigError(message)
        content = _read_path(sample.path, wanted, store)._replace(
            basis=sample.basis, splits=sample.splits, labels=sample.labels
        )
        return _bars(sample.name, content, wanted, span=span, how=how)
    path = find_path(source)
    content = _read_path(path, wanted, store)
    if basis is not None:
        # The user knows better; actions say something about raw prices alone.
        content = content._replace(basis=basis)
        if basis != "raw":
            content = content._replace(splits=(), dividends={})
    return _bars(path.name, content, wanted, span=span, how=how)


def load_sound(
    source: object,
    *,
    symbols: str | Sequence[str] | None = None,
    start: str | dt.date | None = None,
    end: str | dt.date | None = None,
) -> tuple[Bars | None, dict[str, str]]:
    """Load the symbols of a source that are what bars must be, and say why the others are not.

    Prices are not adjusted. Parameters and errors as those of ``load``, but for a symbol's faults.

    Returns
    -------
    Bars or None
        None: no symbol is sound.
    dict of str to str
        The fault of each symbol that cannot be loaded.
    """
    wanted = read_symbols(symbols)
    if isinstance(source, (str, os.PathLike)):
        sample = find_sample(source) if isinstance(source, str) else None
        path = find_path(source) if sample is None else sample.path
        folder = cache_folder()
        content = _read_path(path, wanted, None if folder is None else ColumnCache(folder))
    else:
        _, content = _read_memory(source, wanted, None)
    asked = content.symbols if wanted is None else wanted
    faults = {symbol: content.faults[symbol] for symbol in asked if symbol in content.faults}
    sound = tuple(symbol for symbol in asked if symbol not in faults)
    if not sound:
        return None, faults
    bars = load(source, symbols=sound, start=start, end=end, adjust="none")
    return bars, faults


def settle() -> None:
    """Wait until the cache holds the bars that were handed out before it did.

    Nobody has to: a next load of the same source waits for its own, and a process ends only when
    all are written.
    """
    for pending in list(_pending.values()):
        pending.join()


def read_symbols(symbols: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the symbols that are asked for, each once."""
    if symbols is None:
        return None
    try:
        wanted = (symbols,) if isinstance(symbols, str) else tuple(symbols)
    except TypeError:
        wanted = ()
    if not wanted or not all(isinstance(symbol, str) and symbol for symbol in wanted):
        message = f"symbols is {symbols!r}; expected one symbol or a list of them, such as ['KO']"
        raise ConfigError(message)
    twice = next((symbol for symbol in wanted if wanted.count(symbol) > 1), None)
    if twice is not None:
        message = f"symbols has {twice!r} twice; expected each once"
        raise ConfigError(message)
    return wanted


def _check_option(name: str, value: object, known: Sequence[object]) -> None:
    if value not in known:
        listed = ", ".join(repr(each) for each in known if each is not None)
        message = f"{name} is {value!r}; expected one of {listed}"
        raise ConfigError(message)


def _read_memory(
    source: object, symbols: Sequence[str] | None, timestamps: object
) -> tuple[str, Content]:
    """Return what messages call an object in memory, and its content."""
    from neural_trader.data.content import read_content
    from neural_trader.data.frames import frame_table

    table = frame_table(source, symbols, timestamps)
    return table.name, read_content(table.name, [table])


def _read_path(path: Path, symbols: Sequence[str] | None, store: ColumnCache | None) -> Content:
    """Return the content of a file or folder, from the cache where it knows the same bytes."""
    try:
        files = data_files(path)
        if store is not None:
            pending = _pending.pop(path, None)
            if pending is not None:
                pending.join()
        stamps = [stamp_of(file) for file in files]
        known = None if store is None else store.known_key(path, stamps)
        content = None if known is None or store is None else store.read(known, symbols)
        if content is None:
            content = _take_in(path, files, stamps, store)
        if content is not None:
            return content
        read = [(file, file.read_bytes()) for file in files]
        unchanged = [stamp_of(file) for file in files] == stamps
    except OSError as error:
        message = (
            f"{error.filename} cannot be read: {error.strerror}. Check the path and its rights"
        )
        raise DataError(message) from None
    if store is None:
        return _parse(path, read)
    key = key_of(path.name, read)
    content = store.read(key, symbols)
    if content is None:
        content = _parse(path, read)
        store.write(key, content)
    if unchanged:
        store.remember(path, stamps, key)
    return content


def _take_in(
    path: Path, files: Sequence[Path], stamps: Sequence[FileStamp], store: ColumnCache | None
) -> Content | None:
    """Take in large Parquet files; None: they are to be read whole."""
    if not is_large(files):
        return None
    from neural_trader.data.intake import Publication, take_in

    taken = take_in(files, store)
    if taken is None:
        return None
    if [stamp_of(file) for file in files] != list(stamps):
        # Written to meanwhile: half of it may be old. Bytes that are read at once are of one time.
        if taken.draft is not None:
            taken.draft.drop()
        return None
    if store is not None:
        _pending[path] = Publication(store, path, files=files, stamps=stamps, taken=taken)
        _pending[path].start()
    return taken.content


def _parse(path: Path, files: Sequence[tuple[Path, bytes]]) -> Content:
    """Read a source anew. What this needs is imported here: a warm load goes without."""
    from neural_trader.data.content import read_content
    from neural_trader.data.plain import read_plain
    from neural_trader.data.readers import read_tables

    plain = read_plain(files)
    return read_content(path.name, read_tables(path, files)) if plain is None else plain


def _bars(
    name: str,
    content: Content,
    symbols: Sequence[str] | None,
    *,
    span: Span,
    how: Adjustment,
) -> Bars:
    """Return the bars of a content, adjusted as it is asked."""
    content = adjusted_content(name, content, symbols, how)
    blocks = select(name, content, symbols, span)
    return Bars(
        blocks,
        name=name,
        basis=content.basis,
        labels=content.labels,
        splits=crossed(content.splits, blocks),
    )
