"""Large Parquet files become columns batch by batch, in memory that does not grow with them.

Each batch of a reader is held to what bars must be while it is at hand, and copied once: into the
mapped file that becomes the cache's entry, or into plain memory where there is no cache. Pages of a
mapped file are the system's to write out and to drop, so that a file may be larger than memory.

What is taken in here is what :func:`~neural_trader.data.content.read_content` makes of the same
files, to the bit. Whatever is out of the ordinary, a faulty cell among it, is left to that one way:
it reads the files anew and knows what to say.
"""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import Block, DataError
from neural_trader.core.bars import Floats, Stamps
from neural_trader.core.sessions import DAY_NS
from neural_trader.data.cache import ColumnCache, Draft, FileStamp, key_of_digests, stamp_of
from neural_trader.data.entries import ROOM
from neural_trader.data.pieces import Piece, read_piece
from neural_trader.data.selection import Content, frozen
from neural_trader.data.times import DATES, DAY_MAX, NAIVE
from neural_trader.data.validate import are_sound

if TYPE_CHECKING:
    import polars as pl


MEMORY_BYTES: Final = 256 << 20
"""Columns of at most so many bytes are taken into memory, and written to the cache afterwards."""

_CHUNK_ROWS: Final = 1 << 16
_BATCH_ROWS: Final = 1 << 19
_ALIGN_ROWS: Final = 8
# More runs of one symbol than this a symbol: the rows are sorted by time, and have to be gathered.
_RUNS_MAX: Final = 100_000


class _Odd(Exception):  # noqa: N818 - no error: what is odd is read in another way
    """The files hold something that is not taken in here."""


class _Run(NamedTuple):
    """Consecutive rows of one symbol, ``first`` to ``stop - 1``, of one file."""

    symbol: str
    first: int
    stop: int
    path: Path


class Taken(NamedTuple):
    """What was taken in; ``draft`` is the file of the cache in which the columns lie."""

    content: Content
    draft: Draft | None


def take_in(files: Sequence[Path], store: ColumnCache | None) -> Taken | None:
    """Take in Parquet files; None where they hold something out of the ordinary.

    Parameters
    ----------
    files : sequence of Path
    store : ColumnCache or None
        Whose file the columns are written into; None: into memory.

    Raises
    ------
    OSError
        A file cannot be read.
    """
    import polars as pl

    draft = None
    try:
        pieces = [_piece(file) for file in files]
        columns = _Columns(pieces, store)
        draft = columns.draft
        runs = columns.fill()
        return Taken(_content(pieces, columns, runs), draft)
    # Damage inside a file surfaces as errors of many kinds, panics of the reader among them.
    except (_Odd, DataError, pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError):
        if draft is not None:
            draft.drop()
        return None
    except BaseException:
        if draft is not None:
            draft.drop()
        raise


def _piece(path: Path) -> Piece:
    """Read the footer of a file, and hold a file of a catalog to its checksum."""
    piece = read_piece(path)
    if piece is None or not piece.rows:
        raise _Odd
    if piece.stamped:
        from neural_trader.data.catalog.seals import check_file

        check_file(path)
    return piece


class _Columns:
    """One area a column for the rows of all files, one file after the other."""

    def __init__(self, pieces: Sequence[Piece], store: ColumnCache | None) -> None:
        first = pieces[0]
        self.names = tuple(first.fields)
        if any((tuple(p.fields), p.basis) != (self.names, first.basis) for p in pieces):
            raise _Odd
        self.pieces = pieces
        self.rows = sum(piece.rows for piece in pieces)
        self.draft, self.arrays = _areas(store, self.rows, len(self.names))
        self.clock: str | None = None

    def fill(self) -> list[_Run]:
        """Copy every row, checked; return the runs of symbols."""
        runs: list[_Run] = []
        first = 0
        for piece in self.pieces:
            self._fill_piece(piece, first, runs)
            first += piece.rows
        return runs

    def _fill_piece(self, piece: Piece, first: int, runs: list[_Run]) -> None:

        wanted = [piece.time, *piece.fields.values()]
        wanted += [] if piece.symbol is None else [piece.symbol]
        at, is_dates = first, True
        for batch in _batches(piece, wanted, is_bounded=self.draft is not None):
            stop = at + batch.height
            if stop > first + piece.rows or any(batch.null_count().row(0)):
                raise _Odd
            is_dates = self._put_times(piece, batch[piece.time], at, is_dates=is_dates)
            fields = {}
            for row, (name, column) in enumerate(piece.fields.items()):
                fields[name] = self.arrays[1 + row][at:stop].view(np.float64)
                _copy(batch[column], fields[name])
            if not are_sound(fields):
                raise _Odd
            _put_symbols(piece, batch, at, runs)
            at = stop
        if at != first + piece.rows:
            raise _Odd
        clock = DATES if is_dates else piece.clock
        if self.clock not in {None, clock}:
            raise _Odd
        self.clock = clock
        if is_dates:
            # Times that all stand at midnight are dates: each bar closes with its day.
            self.arrays[0][first:at] += DAY_NS - 1

    def _put_times(self, piece: Piece, times: "pl.Series", at: int, *, is_dates: bool) -> bool:
        """Copy the stamps of a batch; return whether all so far are dates."""
        import polars as pl

        out = self.arrays[0][at : at + len(times)]
        scale = DAY_NS
        if isinstance(times.dtype, pl.Datetime):
            scale = {"ns": 1, "us": 1_000, "ms": 1_000_000}[times.dtype.time_unit]
        _copy(times.cast(pl.Int64), out)
        # Beyond these nanoseconds would wrap around silently.
        bound = DAY_MAX * DAY_NS // scale
        if not (-bound <= int(out.min()) and int(out.max()) <= bound):
            raise _Odd
        if scale != 1:
            np.multiply(out, scale, out=out)
        if times.dtype == pl.Date:
            return True
        if piece.stamped or not is_dates:
            return False
        if piece.clock in (NAIVE, "UTC"):
            return not (out[0] % DAY_NS or (out % DAY_NS).any())
        # Midnight is that of the zone. Its dates are read elsewhere.
        local = times.dt.replace_time_zone(None)
        if (local == local.dt.truncate("1d")).all():
            raise _Odd
        return False


def _batches(piece: Piece, wanted: Sequence[str], *, is_bounded: bool) -> Iterator["pl.DataFrame"]:
    """Yield the rows of a file in turn; the next ones are read while the present ones are copied.

    A reader that hands out batches by itself is the fastest, and reads ahead as far as it likes
    where they are not taken fast enough. Two slices are two slices.
    """
    import polars as pl

    plan = pl.scan_parquet(piece.path).select(wanted)
    if not is_bounded:
        yield from plan.collect_batches(chunk_size=_CHUNK_ROWS, maintain_order=True)
        return
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(plan.slice(0, _BATCH_ROWS).collect)
        for at in range(_BATCH_ROWS, piece.rows + _BATCH_ROWS, _BATCH_ROWS):
            batch = coming.result()
            if at < piece.rows:
                coming = ahead.submit(plan.slice(at, _BATCH_ROWS).collect)
            yield batch


def _put_symbols(piece: Piece, batch: "pl.DataFrame", at: int, runs: list[_Run]) -> None:
    """Lengthen the last run by the rows of a batch, or begin others."""
    import polars as pl

    if piece.symbol is None:
        found = [(batch.height, piece.named)]
    else:
        lengths = batch[piece.symbol].rle().struct.unnest()
        texts = lengths["value"].cast(pl.String).str.strip_chars()
        if (texts == "").any() or len(runs) + len(texts) > _RUNS_MAX:
            raise _Odd
        found = list(zip(lengths["len"].to_list(), texts.to_list(), strict=True))
    for length, symbol in found:
        last = runs[-1] if runs else None
        if last is not None and (last.symbol, last.path) == (symbol, piece.path):
            runs[-1] = last._replace(stop=at + length)
        else:
            runs.append(_Run(symbol, at, at + length, piece.path))
        at += length


def _areas(
    store: ColumnCache | None, rows: int, fields: int
) -> tuple[Draft | None, list[NDArray[np.int64]]]:
    """Return the areas of stamps and fields, each of shape (rows,), in a file or in memory."""
    room = rows + -rows % _ALIGN_ROWS
    size = 8 * room * (1 + fields)
    # Memory is several times as fast as pages of a file, which the system has to find blocks for.
    draft = store.draft(size) if store is not None and size > MEMORY_BYTES else None
    if draft is None:
        areas = np.empty((1 + fields, room), dtype=np.int64)
    else:
        flat = np.frombuffer(draft.mapped, np.int64, room * (1 + fields), ROOM)
        areas = flat.reshape(1 + fields, room)
    return draft, [area[:rows] for area in areas]


def _copy(column: "pl.Series", out: NDArray[Any]) -> None:
    """Copy a column without nulls, chunk by chunk, as ``layouts`` and ``times`` would read it."""
    import polars as pl

    if out.dtype == np.float64 and column.dtype != pl.Float64:
        column = column.cast(pl.Float64)
    at = 0
    for chunk in column.get_chunks():
        values = chunk.to_numpy(allow_copy=False)
        out[at : at + len(values)] = values
        at += len(values)


def _content(pieces: Sequence[Piece], columns: _Columns, runs: Sequence[_Run]) -> Content:
    """Return the content of the columns: neighbours that share a calendar stand in one block."""
    symbols = tuple(run.symbol for run in runs)
    if len(set(symbols)) < len(symbols):
        raise _Odd
    stamps = columns.arrays[0]
    for run in runs:
        _check_rising(stamps[run.first : run.stop])
    groups: list[list[_Run]] = []
    for run in runs:
        own = stamps[run.first : run.stop]
        if groups and _is_equal(stamps[groups[-1][0].first : groups[-1][0].stop], own):
            groups[-1].append(run)
        else:
            groups.append([run])
    calendars = [stamps[group[0].first : group[0].stop] for group in groups]
    if len(groups) > 1 and len({hashlib.sha256(own.data).digest() for own in calendars}) < len(
        groups
    ):
        # Symbols of one calendar that are no neighbours would have to be moved together.
        raise _Odd
    blocks = tuple(_block(columns, group) for group in groups)
    splits = tuple(split for piece in pieces for split in piece.splits)
    labels = tuple(sorted({label for piece in pieces for label in piece.labels}))
    dividends = {piece.named: piece.dividends for piece in pieces if piece.dividends is not None}
    return Content(symbols, blocks, pieces[0].basis, {}, splits, labels, dividends)


def _block(columns: _Columns, group: Sequence[_Run]) -> Block:
    first, stop = group[0].first, group[-1].stop
    fields: dict[str, Floats] = {
        name: columns.arrays[1 + row][first:stop].view(np.float64).reshape(len(group), -1)
        for row, name in enumerate(columns.names)
    }
    own: Stamps = columns.arrays[0][first : group[0].stop]
    return frozen(Block(tuple(run.symbol for run in group), own, fields))


def _check_rising(stamps: Stamps) -> None:
    for at in range(0, len(stamps) - 1, _BATCH_ROWS):
        part = stamps[at : at + _BATCH_ROWS + 1]
        if not (part[1:] > part[:-1]).all():
            raise _Odd


def _is_equal(one: Stamps, other: Stamps) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(one[at : at + _BATCH_ROWS], other[at : at + _BATCH_ROWS])
        for at in range(0, len(one), _BATCH_ROWS)
    )


class Publication(threading.Thread):
    """Makes a draft the cache's entry after the bars have been handed out.

    Checksums and the digest of the source cost as much again as half of the reading: whoever wants
    the bars need not wait for them. A process ends only when the entry is whole.
    """

    def __init__(
        self,
        store: ColumnCache,
        source: Path,
        *,
        files: Sequence[Path],
        stamps: Sequence[FileStamp],
        taken: Taken,
    ) -> None:
        super().__init__(name="neural-trader column cache")
        self.store, self.taken = store, taken
        self.source, self.files, self.stamps = source, files, stamps

    def run(self) -> None:
        """Hash the source, write the entry, and note the source's key."""
        content, draft = self.taken
        try:
            digests = [(path.name, _digest(path)) for path in self.files]
            is_changed = [stamp_of(path) for path in self.files] != list(self.stamps)
        except OSError:
            is_changed = True
        if is_changed:
            # What lies there now is not what was taken in.
            if draft is not None:
                draft.drop()
            return
        key = key_of_digests(self.source.name, digests)
        if draft is None:
            self.store.write(key, content)
        else:
            self.store.publish(draft, key, content)
        self.store.remember(self.source, self.stamps, key)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
