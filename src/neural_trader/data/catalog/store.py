"""The catalog: a folder of series by frequency and symbol that no crash and no race can damage.

::

    <folder>/1Day/AAPL.parquet          one series with its provenance
    <folder>/1Day/BTC%2FUSD.parquet     BTC/USD
    <folder>/1Day/.AAPL.parquet.lock    held while the file is merged and written
    <folder>/1Day/.AAPL.parquet.*.tmp   a file that is being written

A file is read, merged and replaced under its lock, so that two writers at once lose nothing. It is
replaced by a rename, so that readers need no lock, and a writer that dies at any moment leaves the
old file or the new one.
"""

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from neural_trader.core import Bars, Basis, Block, ConfigError, DataError, unknown_symbol
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
from neural_trader.data.catalog.actions import (
    KnownActions,
    kept_beside,
    known_of,
    with_actions,
)
from neural_trader.data.catalog.checks import check_grid, check_origin, check_place
from neural_trader.data.catalog.files import (
    Columns,
    block_of,
    columns_of,
    from_bytes,
    provenance_of,
    to_bytes,
)
from neural_trader.data.catalog.gaps import Gaps, find_gaps
from neural_trader.data.catalog.merging import CONFLICTS, OnConflict, merge
from neural_trader.data.catalog.names import SUFFIX, file_name, symbol_of
from neural_trader.data.catalog.provenance import (
    Days,
    KnownSplit,
    Origin,
    Provenance,
    Write,
    joined,
)
from neural_trader.data.catalog.writing import locked, replace
from neural_trader.data.frequencies import Frequency, read_frequency
from neural_trader.data.selection import Content, read_span, select


class Entry(NamedTuple):
    """A file of the catalog: its series, size and provenance, or what is wrong with it."""

    symbol: str
    frequency: str
    path: Path
    bytes: int
    provenance: Provenance | None
    fault: str


class Written(NamedTuple):
    """What a write did: bars that are new, that were there already, and that were changed."""

    symbol: str
    added: int
    same: int
    replaced: int
    provenance: Provenance


class Check(NamedTuple):
    """What a file was found to be: its fault, or empty; its gaps, where a calendar was given."""

    entry: Entry
    fault: str
    gaps: Gaps | None


class Catalog:
    """A folder of series, by frequency and symbol.

    Parameters
    ----------
    folder : str or Path
        Made by the first write. A leading ``~`` is the user's home.

    Examples
    --------
    >>> import tempfile
    >>> from neural_trader.data import load
    >>> catalog = Catalog(tempfile.mkdtemp())
    >>> bars = load("us-ohlcv", symbols="AAPL", adjust="none")
    >>> catalog.write(bars, Origin(provider="samples"), at="2026-01-01T00:00:00Z")[0].added
    3270
    >>> catalog.load(["AAPL"]).data_hash == bars.data_hash
    True
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).expanduser()
        if self.folder.exists() and not self.folder.is_dir():
            message = f"the catalog {self.folder} is a file; expected a folder"
            raise ConfigError(message)

    def path_of(self, symbol: str, frequency: str = "1Day") -> Path:
        """Return where a series lies, or would lie."""
        return self.folder / read_frequency(frequency).name / file_name(symbol)

    def write(
        self,
        bars: Bars,
        origin: Origin,
        *,
        at: str,
        frequency: str = "1Day",
        covered: Days | None = None,
        on_conflict: OnConflict = "refuse",
        replace_all: bool = False,
    ) -> list[Written]:
        """Add bars to their files, one file a symbol.

        Parameters
        ----------
        bars : Bars
            Validated; any number of symbols.
        origin : Origin
            Where they come from; its basis is that of the bars.
        at : str
            When, as ISO text: it is kept with the file, and nothing depends on it.
        frequency : str
            The length of a bar.
        covered : tuple of date, optional
            First and last session date for which the provider was asked and answered in full.
        on_conflict : {"refuse", "new", "old"}
            What a close holds that is there already with other values.
        replace_all : bool
            The bars take the place of what is there, whatever its origin.

        Returns
        -------
        list of Written
            One a symbol. An error leaves the files of the symbols before it written, and its own
            as it was.

        Raises
        ------
        ConfigError
            An argument cannot be used, or a symbol cannot name a file.
        DataError
            What is there has another origin, other fields or other values, or is damaged.
        """
        if on_conflict not in CONFLICTS:
            message = f"on_conflict is {on_conflict!r}; expected one of refuse, new, old"
            raise ConfigError(message)
        if bars.basis != origin.basis:
            message = f"the bars are {bars.basis}, their origin says {origin.basis}"
            raise ConfigError(message)
        read = read_frequency(frequency)
        for symbol in bars.symbols:
            file_name(symbol)
            check_grid(symbol, columns_of(bars, symbol), read)
        out = []
        for symbol in bars.symbols:
            splits = tuple(KnownSplit(s.date, s.ratio) for s in bars.splits if s.symbol == symbol)
            fresh = Provenance(
                symbol=symbol,
                frequency=read.name,
                origin=origin,
                covered=() if covered is None else (covered,),
                splits=splits,
                labels=bars.labels,
            )
            new = columns_of(bars, symbol)
            out.append(self._write_one(new, fresh, at, on_conflict, replace_all=replace_all))
        return out

    def _write_one(
        self,
        new: Columns,
        fresh: Provenance,
        at: str,
        on_conflict: OnConflict,
        *,
        replace_all: bool,
    ) -> Written:
        """Merge one series into its file, under its lock."""
        symbol = fresh.symbol
        path = self.path_of(symbol, fresh.frequency)
        with locked(path):
            old, known = None, None
            if not path.exists() or replace_all:
                fresh = kept_beside(fresh, sorted(self.folder.glob(f"*/{path.name}")))
            else:
                old, known = from_bytes(path, path.read_bytes())
                check_origin(path, known.origin, fresh.origin)
                fresh = msgspec.structs.replace(
                    fresh,
                    covered=joined((*known.covered, *fresh.covered)),
                    splits=tuple(sorted({*known.splits, *fresh.splits}, key=lambda s: s.date)),
                    dividends=known.dividends,
                    labels=tuple(sorted({*known.labels, *fresh.labels})),
                    writes=known.writes,
                )
            merged = merge(symbol, old, new, on_conflict)
            news = msgspec.structs.replace(fresh, writes=())
            if known is not None and not merged.added and not merged.replaced:
                before = msgspec.structs.replace(
                    known, writes=(), sha256="", rows=0, first="", last="", version=""
                )
                if news == before:
                    return Written(symbol, 0, merged.same, 0, known)
            fresh = msgspec.structs.replace(
                fresh, writes=fresh.after(Write(at, merged.added, merged.replaced))
            )
            data, complete = to_bytes(merged.columns, fresh)
            replace(path, data)
        return Written(symbol, merged.added, merged.same, merged.replaced, complete)

    def note_covered(self, symbol: str, frequency: str, days: Days) -> None:
        """Note that the provider has nothing more for a range of days of a series that is there.

        A series of which nothing is there stays so: the range is asked for again.
        """
        path = self.path_of(symbol, frequency)
        if not path.exists():
            return
        with locked(path):
            columns, known = from_bytes(path, path.read_bytes())
            ranges = joined((*known.covered, days))
            if ranges != known.covered:
                data, _ = to_bytes(columns, msgspec.structs.replace(known, covered=ranges))
                replace(path, data)

    def provenance(self, symbol: str, frequency: str = "1Day") -> Provenance | None:
        """Return where a series comes from; None where it is not there."""
        path = self.path_of(symbol, frequency)
        return provenance_of(path) if path.exists() else None

    def load(
        self,
        symbols: Sequence[str] | str | None = None,
        *,
        frequency: str = "1Day",
        start: str | dt.date | None = None,
        end: str | dt.date | None = None,
        actions: object = None,
        adjust: Adjust = "none",
        direction: Direction = "backward",
    ) -> Bars:
        """Load series as bars.

        Parameters
        ----------
        symbols : str or sequence of str, optional
            Which, in which order; None loads all of the frequency.
        frequency : str
            The length of a bar.
        start, end : str or datetime.date, optional
            First and last session date, both inclusive.
        actions : str, Path, frame, dict of columns, or Actions, optional
            Splits and dividends beside those that the files know.
        adjust : {"none", "splits", "total-return"}
            What raw prices are adjusted for.
        direction : {"backward", "forward"}
            Whether the last or the first price stays the market's.

        Returns
        -------
        Bars
            With the basis, labels and splits of their files. Arrays are read-only.

        Raises
        ------
        ConfigError
            An argument cannot be used.
        DataError
            A series is not there or damaged, has no bar in the range, or two have another basis;
            or actions and prices do not fit.
        """
        known: tuple[tuple[str, str, Sequence[str]], ...] = (
            ("adjust", adjust, ADJUSTMENTS),
            ("direction", direction, DIRECTIONS),
        )
        for option, value, expected in known:
            if value not in expected:
                listed = ", ".join(map(repr, expected))
                message = f"{option} is {value!r}; expected one of {listed}"
                raise ConfigError(message)
        table = None if actions is None else load_actions(actions)
        span = read_span(
            None if start is None else session_day(start, option="start"),
            None if end is None else session_day(end, option="end"),
        )
        self._check_there()
        held = self.symbols(frequency)
        wanted = (symbols,) if isinstance(symbols, str) else tuple(symbols or held)
        where = f"{self.folder} ({read_frequency(frequency).name})"
        if not held:
            message = f"the catalog {where} has no series. Fetch or import some"
            raise DataError(message)
        blocks: list[Block] = []
        found: list[Provenance] = []
        for symbol in wanted:
            if symbol not in held:
                raise DataError(unknown_symbol(symbol, held, where=where))
            path = self.path_of(symbol, frequency)
            columns, provenance = from_bytes(path, path.read_bytes())
            blocks.append(block_of(symbol, columns))
            found.append(provenance)
        content = Content(
            wanted,
            tuple(blocks),
            _one_basis(found),
            {},
            tuple(split for each in found for split in each.known_splits),
            tuple(sorted({label for each in found for label in each.labels})),
            {each.symbol: paid for each in found if (paid := each.known_dividends) is not None},
        )
        how = Adjustment(adjust, direction, table)
        content = adjusted_content(where, content, wanted, how)
        chosen = select(where, content, wanted, span)
        return Bars(
            chosen,
            name=self.folder.name,
            basis=content.basis,
            labels=content.labels,
            splits=crossed(content.splits, chosen),
        )

    def actions(self, symbols: Sequence[str] | None = None) -> list[KnownActions]:
        """Return the splits and dividends that the files know, by frequency and symbol.

        Raises
        ------
        DataError
            There is no catalog, a file is damaged, or a symbol is not there.
        """
        return [
            known_of(each.provenance)
            for each in self._series(symbols)
            if each.provenance is not None
        ]

    def keep_actions(
        self, source: object, symbols: Sequence[str] | None = None, *, replace_all: bool = False
    ) -> list[KnownActions]:
        """Bring a table of splits and dividends into every file of its symbols.

        Parameters
        ----------
        source : str, Path, frame, dict of columns, or Actions
            See :func:`~neural_trader.data.actions.load_actions`.
        symbols : sequence of str, optional
            Take these alone. One without a row in the table is known to have had no action from
            then on. None: those of the table that the catalog has; the others are left out.
        replace_all : bool
            What is there goes. Else what both know stands once, and another value is refused.

        Returns
        -------
        list of KnownActions
            One a file: what it knows now, and how many are new.

        Raises
        ------
        ConfigError
            The source is of no known kind.
        DataError
            The table has a fault, a symbol is not there, prices are not raw, an action is there
            with another value, or a dividend is not below the close before it. No file is changed.
        """
        table = load_actions(source)
        held = {each.symbol for each in self.entries()}
        wanted = tuple(symbols) if symbols is not None else tuple(sorted(held & {*table.symbols}))
        series = self._series(wanted)

        def told(each: Entry) -> tuple[bytes | None, KnownActions]:
            return with_actions(
                each.path,
                each.path.read_bytes(),
                table,
                complete=symbols is not None,
                replace_all=replace_all,
            )

        for each in series:
            told(each)
        out = []
        for each in series:
            # Crash: the files before this one know the table, the others do not; to bring it in
            # once more does no harm.
            with locked(each.path):
                data, known = told(each)
                if data is not None:
                    replace(each.path, data)
            out.append(known)
        return out

    def _series(self, symbols: Sequence[str] | None) -> list[Entry]:
        """Return the files of some symbols, each sound as far as its provenance goes."""
        entries = self.entries()
        held = {each.symbol for each in entries}
        for symbol in symbols or ():
            if symbol not in held:
                raise DataError(unknown_symbol(symbol, held, where=f"the catalog {self.folder}"))
        chosen = [each for each in entries if symbols is None or each.symbol in symbols]
        for each in chosen:
            if each.fault:
                raise DataError(each.fault)
        return chosen

    def symbols(self, frequency: str = "1Day") -> tuple[str, ...]:
        """Return the symbols of a frequency, sorted; files are not read."""
        found = []
        for path in self._files(read_frequency(frequency)):
            # A foreign file is told by entries().
            with suppress(DataError):
                found.append(symbol_of(path.name))
        return tuple(sorted(found))

    def entries(self) -> list[Entry]:
        """Return every file with its provenance, by frequency and symbol; no bars are read."""
        out = []
        for frequency in self._frequencies():
            for path in self._files(frequency):
                symbol, provenance, fault = path.name, None, ""
                try:
                    symbol = symbol_of(path.name)
                    provenance = provenance_of(path)
                    check_place(path, provenance, symbol, frequency)
                except DataError as error:
                    fault = str(error)
                size = path.stat().st_size
                out.append(Entry(symbol, frequency.name, path, size, provenance, fault))
        return out

    def verify(self, entry: Entry, calendar: str | None = None) -> Check:
        """Read a file whole and hold it to what it says; look for gaps where a calendar is given.

        Raises
        ------
        ConfigError
            There is no such calendar.
        """
        if entry.fault:
            return Check(entry, entry.fault, None)
        try:
            columns, provenance = from_bytes(entry.path, entry.path.read_bytes())
            frequency = read_frequency(provenance.frequency)
            check_grid(entry.symbol, columns, frequency)
        except OSError as error:
            return Check(entry, f"{entry.path.name} cannot be read: {error.strerror}", None)
        except DataError as error:
            return Check(entry, str(error), None)
        gaps = None if calendar is None else find_gaps(columns.stamps, frequency, calendar)
        return Check(entry, "", gaps)

    def _check_there(self) -> None:
        if not self.folder.is_dir():
            message = (
                f"there is no catalog at {self.folder}. Make one with: neural-trader market-data "
                "fetch, or import"
            )
            raise DataError(message)

    def _frequencies(self) -> Iterator[Frequency]:
        self._check_there()
        for path in sorted(self.folder.iterdir()):
            # Folders of other names are none of the catalog's.
            with suppress(ConfigError):
                read = read_frequency(path.name)
                if read.name == path.name and path.is_dir():
                    yield read

    def _files(self, frequency: Frequency) -> list[Path]:
        folder = self.folder / frequency.name
        found = folder.iterdir() if folder.is_dir() else ()
        return sorted(p for p in found if p.suffix == SUFFIX and not p.name.startswith("."))


def _one_basis(found: Sequence[Provenance]) -> Basis:
    for each in found[1:]:
        if each.origin.basis != found[0].origin.basis:
            message = (
                f"{found[0].symbol} is {found[0].origin.basis}, {each.symbol} is "
                f"{each.origin.basis}; expected one price basis. Load them apart"
            )
            raise DataError(message)
    return found[0].origin.basis
