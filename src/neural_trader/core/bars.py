"""Bars in memory: validated columns, one contiguous row a symbol, grouped by calendar.

A :class:`Block` holds the symbols that share one time axis as arrays of shape (S, T), so that a
kernel reads each symbol's column without a copy. :class:`Bars` holds one block or several: symbols
with different calendars stand in different blocks, and :meth:`Bars.common` brings the symbols that
a strategy trades onto their common bars.

This module trusts its input: ``neural_trader.data`` validates before it builds.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import DataError
from neural_trader.core.sessions import first_ns, session_date

if TYPE_CHECKING:
    import polars as pl

FIELDS: Final = ("open", "high", "low", "close", "volume")
Basis = Literal["raw", "split-adjusted", "total-return"]
BASES: Final[tuple[Basis, ...]] = ("raw", "split-adjusted", "total-return")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Stamps = NDArray[np.int64]


class Split(NamedTuple):
    """A split of shares: from ``day`` on, ``ratio`` new shares stand for one old share."""

    symbol: str
    day: int
    ratio: float

    @property
    def date(self) -> dt.date:
        """The first session after the split."""
        return session_date(first_ns(self.day))


class Dividend(NamedTuple):
    """A cash dividend: who holds the share at the close before ``day`` is paid ``amount`` for it.

    The amount is money a share of that close, in ``currency`` where it is known. ``special`` says
    that it is no part of the regular ones, which may go ex on the same day.
    """

    symbol: str
    day: int
    amount: float
    currency: str = ""
    special: bool = False

    @property
    def date(self) -> dt.date:
        """The first session without the dividend."""
        return session_date(first_ns(self.day))


class Block:
    """The bars of symbols that share one calendar.

    Parameters
    ----------
    symbols : tuple of str
        One a row.
    ts_close_ns : int64 array, shape (T,)
        Close of each bar, nanoseconds UTC, strictly increasing.
    fields : mapping of str to float64 array, shape (S, T)
        C-contiguous; ``close`` always, the other names of ``FIELDS`` where the data have them.
    """

    __slots__ = ("fields", "row_of", "symbols", "ts_close_ns")

    def __init__(
        self, symbols: tuple[str, ...], ts_close_ns: Stamps, fields: Mapping[str, Floats]
    ) -> None:
        self.symbols = symbols
        self.ts_close_ns = ts_close_ns
        self.fields = fields
        self.row_of = {symbol: row for row, symbol in enumerate(symbols)}

    def cut(self, rows: Iterable[int], first: int, stop: int) -> "Block":
        """Return the bars ``first`` to ``stop - 1`` of some rows.

        A whole block, rows that follow each other, and a range of one row are not copied.
        """
        rows = list(rows)
        whole = rows == list(range(len(self.symbols)))
        if whole and first == 0 and stop == len(self.ts_close_ns):
            return self
        at = rows[0] if rows else 0
        follow = rows == list(range(at, at + len(rows)))
        return Block(
            tuple(self.symbols[row] for row in rows),
            self.ts_close_ns[first:stop],
            {
                name: np.ascontiguousarray(
                    values[at : at + len(rows), first:stop] if follow else values[rows, first:stop]
                )
                for name, values in self.fields.items()
            },
        )

    def take(self, row: int, bars: NDArray[np.intp]) -> Mapping[str, Floats]:
        """Return the fields of one symbol at some bars, each of shape (len(bars),)."""
        return {name: values[row, bars] for name, values in self.fields.items()}


class SymbolBars(NamedTuple):
    """The bars of one symbol: zero-copy views, each of shape (T,); absent fields are None."""

    symbol: str
    ts_close_ns: Stamps
    open: Floats | None
    high: Floats | None
    low: Floats | None
    close: Floats
    volume: Floats | None


class Bars:
    """Validated bars of one symbol or more.

    Parameters
    ----------
    blocks : tuple of Block
        No symbol stands in two of them.
    name : str
        The data set's or file's name, for provenance.
    basis : {"raw", "split-adjusted", "total-return"}
        What the prices know of corporate actions.
    labels : tuple of str
        What every result made from these bars must say, such as ``"survivors"``.
    splits : tuple of Split
        The known splits that the prices are *not* adjusted for.

    Notes
    -----
    Make one with :func:`neural_trader.load`. Prices are float64, volume float64 shares; stamps are
    int64 nanoseconds UTC at the close of a bar.
    """

    __slots__ = ("_hash", "basis", "blocks", "labels", "name", "splits")

    def __init__(
        self,
        blocks: tuple[Block, ...],
        *,
        name: str,
        basis: Basis = "raw",
        labels: tuple[str, ...] = (),
        splits: tuple[Split, ...] = (),
    ) -> None:
        self.blocks = blocks
        self.name = name
        self.basis: Basis = basis
        self.labels = labels
        self.splits = splits
        self._hash: str | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, in the order in which they were loaded."""
        return tuple(symbol for block in self.blocks for symbol in block.symbols)

    @property
    def data_hash(self) -> str:
        """A SHA-256 of symbols, stamps, columns and basis: equal data, equal hash."""
        if self._hash is None:
            digest = hashlib.sha256(self.basis.encode())
            for block in self.blocks:
                digest.update(np.ascontiguousarray(block.ts_close_ns).data)
                for symbol, row in block.row_of.items():
                    digest.update(f"\0{symbol}".encode())
                    for name in FIELDS:
                        if name in block.fields:
                            digest.update(name.encode())
                            digest.update(np.ascontiguousarray(block.fields[name][row]).data)
            self._hash = f"sha256:{digest.hexdigest()}"
        return self._hash

    def remember_hash(self, data_hash: str) -> None:
        """Take over the hash of the data that these bars were cut from, for provenance."""
        self._hash = data_hash

    def __len__(self) -> int:
        """Return the number of distinct bar times over all symbols."""
        if len(self.blocks) == 1:
            return len(self.blocks[0].ts_close_ns)
        return len(np.unique(np.concatenate([block.ts_close_ns for block in self.blocks])))

    def __getitem__(self, symbol: str) -> SymbolBars:
        """Return the columns of one symbol.

        Raises
        ------
        DataError
            The symbol is not among those loaded; the message names the nearest one.
        """
        block = self.home(symbol)
        row = block.row_of[symbol]
        columns = {name: values[row] for name, values in block.fields.items()}
        return SymbolBars(
            symbol,
            block.ts_close_ns,
            columns.get("open"),
            columns.get("high"),
            columns.get("low"),
            columns["close"],
            columns.get("volume"),
        )

    def __contains__(self, symbol: object) -> bool:
        """Return whether a symbol is loaded."""
        return any(symbol in block.row_of for block in self.blocks)

    # Python would try bars[0], bars[1] and so on, which are no symbols.
    __iter__ = None

    def __repr__(self) -> str:
        """Return name, symbols and range on one line."""
        first = min(block.ts_close_ns[0] for block in self.blocks)
        last = max(block.ts_close_ns[-1] for block in self.blocks)
        shown = ", ".join(self.symbols[:6]) + (", ..." if len(self.symbols) > 6 else "")
        return (
            f"Bars({self.name!r}: {shown}; {len(self)} bars, {session_date(first)} to "
            f"{session_date(last)}, {self.basis})"
        )

    def common(self, symbols: tuple[str, ...]) -> tuple[Block, tuple[int, ...]]:
        """Return a block that holds ``symbols`` on their common bars, and the row of each.

        Symbols of one block are returned without a copy. Across blocks only the stamps that all
        of them have are kept, and only the fields that all of them have.

        Raises
        ------
        DataError
            A symbol is not loaded, or the symbols have no bar in common.
        """
        block = self.blocks[0]
        try:
            return block, tuple([block.row_of[symbol] for symbol in symbols])
        except KeyError:
            pass
        homes = [self.home(symbol) for symbol in symbols]
        if all(home is homes[0] for home in homes):
            return homes[0], tuple([homes[0].row_of[symbol] for symbol in symbols])
        stamps = homes[0].ts_close_ns
        for home in homes[1:]:
            stamps = np.intersect1d(stamps, home.ts_close_ns, assume_unique=True)
        if not len(stamps):
            message = f"{', '.join(symbols)} have no bar in common in {self.name}"
            raise DataError(message)
        taken = [
            home.take(home.row_of[symbol], np.searchsorted(home.ts_close_ns, stamps))
            for home, symbol in zip(homes, symbols, strict=True)
        ]
        shared = [name for name in FIELDS if all(name in columns for columns in taken)]
        fields = {name: np.stack([columns[name] for columns in taken]) for name in shared}
        return Block(symbols, stamps, fields), tuple(range(len(symbols)))

    def to_polars(self) -> "pl.DataFrame":
        """Return a long Polars frame: symbol, time (UTC), and the fields that the data have."""
        import polars as pl

        frames = [
            pl.DataFrame(
                {"symbol": [symbol] * len(block.ts_close_ns)}
                | {"time": pl.Series(block.ts_close_ns).cast(pl.Datetime("ns", "UTC"))}
                | {name: values[row] for name, values in block.fields.items()}
            )
            for block in self.blocks
            for symbol, row in block.row_of.items()
        ]
        return pl.concat(frames, how="diagonal")

    def home(self, symbol: str) -> Block:
        """Return the block in which a symbol stands.

        Raises
        ------
        DataError
            The symbol is not among those loaded; the message names the nearest one.
        """
        for block in self.blocks:
            if symbol in block.row_of:
                return block
        message = unknown_symbol(symbol, self.symbols, where=self.name)
        raise DataError(message)


def unknown_symbol(symbol: str, known: Iterable[str], *, where: str) -> str:
    """Return the message for a symbol that a data set does not have, with the nearest it has."""
    import difflib

    names = sorted(known)
    by_upper = {name.upper(): name for name in names}
    near = difflib.get_close_matches(str(symbol).upper(), list(by_upper), n=1, cutoff=0.4)
    hint = f"did you mean {by_upper[near[0]]}? " if near else ""
    listed = ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
    return f"unknown symbol {symbol!r} in {where}: {hint}It has {listed}"
