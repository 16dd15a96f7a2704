"""Strategies that are frames: intents or target weights, run whole by the order book kernel."""

import hashlib
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from neural_trader.backtesting.timeline import Timeline
from neural_trader.core import ConfigError, DataError, Instrument, steps_per_unit
from neural_trader.core.bars import Floats, Ints
from neural_trader.core.orders import TIMES_IN_FORCE
from neural_trader.core.sessions import DAY_NS, session_date
from neural_trader.data import Schedule, read_schedule

WAYS: Final = ("qty", "target_qty", "target_notional", "target_weight")
"""What a size means, in the numbers of the kernel: an order, or what is to be held after it."""


_NO_FLOATS: Final = np.empty(0)
_NO_INTS: Final = np.empty(0, dtype=np.int64)


class Rows(NamedTuple):
    """Intents in the kernel's form, see ``_kernels.book.Book.run``; rising in time."""

    slices: Ints
    legs: Ints
    size: Floats
    limit: Floats
    stop: Floats
    tif: Ints

    def take(self, kept: Ints) -> "Rows":
        """Return some of the intents; the three last columns may be empty."""
        is_plain = not len(self.limit)
        return Rows(
            self.slices[kept],
            self.legs[kept],
            self.size[kept],
            self.limit if is_plain else self.limit[kept],
            self.stop if is_plain else self.stop[kept],
            self.tif if is_plain else self.tif[kept],
        )


class Intents:
    """Orders and targets in a frame, one a row, made at the close of the row's bar.

    Parameters
    ----------
    frame : Polars or pandas frame, or mapping of columns
        ``date`` or ``time``: the bar at whose close the intent is made; a date is the last bar of
        its session. ``symbol``. One of ``qty`` (an order), ``target_qty``, ``target_notional``
        (money) and ``target_weight`` (share of equity). Orders may have ``limit``, ``stop`` (empty:
        none) and ``tif`` (GTC, DAY, IOC, FOK; GTC by default).

    Raises
    ------
    ConfigError, DataError
        A column that is missing, unknown or not what it must be.

    Notes
    -----
    Timing: as for a strategy that calls ``order``, ``target_qty``, ``target_notional`` or
    ``target_weight`` in ``on_bar``, row by row: an intent works from its symbol's next bar on. That
    the frame was made without the future is its author's word: ``neural-trader check lookahead``
    can test a strategy that makes one.
    Missing: a size that is not a number is an error; rows outside the run's range are left out.

    Examples
    --------
    >>> Intents({"date": ["2021-01-04"], "symbol": ["KO"], "target_weight": [0.5]}).symbols
    ('KO',)
    """

    def __init__(self, frame: object) -> None:
        self.schedule = read_schedule(frame)
        columns = self.schedule.columns
        sizes = [name for name in columns if name in WAYS]
        if "symbol" not in columns or len(sizes) != 1:
            message = (
                f"intents have the columns {', '.join(map(repr, columns))}; expected a time, "
                f"'symbol', and one of {', '.join(map(repr, WAYS))}"
            )
            raise ConfigError(message)
        self.way = sizes[0]
        known = {"symbol", self.way} | ({"limit", "stop", "tif"} if self.way == "qty" else set())
        for name in columns:
            if name not in known:
                message = (
                    f"intents have a column {name!r}; beside times, those of {self.way!r} have "
                    f"{', '.join(sorted(known))}"
                )
                raise ConfigError(message)
        names = columns["symbol"].tolist()
        self.symbols: tuple[str, ...] = tuple(dict.fromkeys(names))
        number = {symbol: place for place, symbol in enumerate(self.symbols)}
        self._symbol = np.array([number[name] for name in names], dtype=np.int64)
        self._size = _numbers(self.way, columns[self.way])
        bad = np.flatnonzero(~np.isfinite(self._size))
        if len(bad):
            message = (
                f"{self.way} is {self._size[bad[0]]} in row {bad[0]}; expected a finite number"
            )
            raise DataError(message)
        self._terms: tuple[Floats, Floats, Ints] = (_NO_FLOATS, _NO_FLOATS, _NO_INTS)
        if {"limit", "stop", "tif"} & set(columns):
            none = np.full(len(names), np.nan)
            self._terms = (
                _prices("limit", columns.get("limit", none)),
                _prices("stop", columns.get("stop", none)),
                self._times_in_force(len(names)),
            )

    def rows(self, timeline: Timeline, instruments: tuple[Instrument, ...]) -> Rows:
        """Return the intents of a run's range."""
        slices, kept = _slices(self.schedule, timeline)
        leg_of = {symbol: leg for leg, symbol in enumerate(timeline.symbols)}
        legs = np.array([leg_of[symbol] for symbol in self.symbols], dtype=np.int64)[self._symbol]
        size = _lots(self._size, legs, instruments) if self.way == "qty" else self._size
        rows = Rows(slices, legs, size, *self._terms)
        if np.any(slices[kept][1:] < slices[kept][:-1]):
            kept = kept[np.argsort(slices[kept], kind="stable")]
        elif len(kept) == len(slices):
            return rows
        return rows.take(kept)

    def _times_in_force(self, count: int) -> Ints:
        if "tif" not in self.schedule.columns:
            return np.zeros(count, dtype=np.int64)
        number = {word: place for place, word in enumerate(TIMES_IN_FORCE)} | {None: 0}
        words = self.schedule.columns["tif"].tolist()
        for row, word in enumerate(words):
            if word not in number:
                message = (
                    f"tif is {word!r} in row {row}; expected {', '.join(TIMES_IN_FORCE)}, or none"
                )
                raise DataError(message)
        return np.array([number[word] for word in words], dtype=np.int64)

    @cached_property
    def digest(self) -> str:
        """A SHA-256 of the frame: equal intents, equal hash."""
        return _digest(self.schedule)


class TargetWeights:
    """Weights to hold, a column a symbol, set anew at the close of each row's bar.

    Parameters
    ----------
    frame : Polars or pandas frame, or mapping of columns
        ``date`` or ``time`` (or a pandas index of times), and a column for each symbol: shares of
        equity, negative for a short position.

    Raises
    ------
    ConfigError, DataError
        No column of times, no symbol, two rows of one time, or a weight that is infinite.

    Notes
    -----
    Timing: as :class:`Intents` with ``target_weight``: equity and prices are those of the row's
    close, orders fill at the next bar. Symbols are handled in the order of the columns.
    Missing: an empty weight leaves its symbol as it is.

    Examples
    --------
    >>> TargetWeights({"date": ["2021-01-04"], "KO": [0.5], "PEP": [0.5]}).symbols
    ('KO', 'PEP')
    """

    def __init__(self, frame: object) -> None:
        self.schedule = read_schedule(frame)
        self.symbols: tuple[str, ...] = tuple(self.schedule.columns)
        self.way = "target_weight"
        if not self.symbols:
            message = "the frame of weights has no symbol; expected a column for each"
            raise ConfigError(message)
        if len(np.unique(self.schedule.ts_close_ns)) < len(self.schedule.ts_close_ns):
            message = "the frame of weights has two rows of one time; expected one a bar"
            raise DataError(message)

    def rows(self, timeline: Timeline, instruments: tuple[Instrument, ...]) -> Rows:  # noqa: ARG002
        """Return the intents of a run's range."""
        slices, kept = _slices(self.schedule, timeline)
        leg_of = {symbol: leg for leg, symbol in enumerate(timeline.symbols)}
        weights = np.stack(
            [_numbers(name, self.schedule.columns[name]) for name in self.symbols], axis=1
        )
        if np.isinf(weights).any():
            message = "a weight is infinite; expected a share of equity, or none"
            raise DataError(message)
        kept = kept[np.argsort(slices[kept], kind="stable")]
        weights = weights[kept]
        row, column = np.nonzero(~np.isnan(weights))
        legs = np.array([leg_of[name] for name in self.symbols], dtype=np.int64)
        return Rows(
            slices[kept][row],
            legs[column],
            np.ascontiguousarray(weights[row, column]),
            _NO_FLOATS,
            _NO_FLOATS,
            _NO_INTS,
        )

    @cached_property
    def digest(self) -> str:
        """A SHA-256 of the frame: equal weights, equal hash."""
        return _digest(self.schedule)


def _slices(schedule: Schedule, timeline: Timeline) -> tuple[Ints, Ints]:
    """Return the slice of every row, and which rows lie in the run's range."""
    stamps = timeline.ts_close_ns
    times = schedule.ts_close_ns
    if schedule.is_dates:
        # A date stands for the close of its session: the last bar of its day.
        slices = np.searchsorted(stamps, times, side="right") - 1
        found = np.where(slices >= 0, stamps[slices] // DAY_NS == times // DAY_NS, False)
    else:
        slices = np.minimum(np.searchsorted(stamps, times), len(stamps) - 1)
        found = stamps[slices] == times
    inside = (times >= stamps[timeline.first]) & (times // DAY_NS <= stamps[-1] // DAY_NS)
    lost = np.flatnonzero(inside & ~found)
    if len(lost):
        when = np.datetime64(int(times[lost[0]]), "ns")
        shown = session_date(int(times[lost[0]])) if schedule.is_dates else f"{when} UTC"
        message = (
            f"row {lost[0]} is for {shown}, when no symbol has a bar; an intent is made at the "
            f"close of a bar ({len(lost)} such row{'s' if len(lost) > 1 else ''})"
        )
        raise DataError(message)
    kept: Ints = np.flatnonzero(inside & found)
    return slices.astype(np.int64), kept


def _numbers(name: str, values: np.ndarray[Any, Any]) -> Floats:
    """Return a column of numbers, or raise DataError."""
    if values.dtype.kind not in "fiu":
        try:
            return np.array([np.nan if v is None else float(v) for v in values.tolist()])
        except (TypeError, ValueError):
            message = f"column {name!r} holds {values.dtype}; expected numbers"
            raise DataError(message) from None
    return values.astype(np.float64)


def _prices(name: str, values: np.ndarray[Any, Any]) -> Floats:
    prices = _numbers(name, values)
    bad = np.flatnonzero(~(np.isnan(prices) | ((prices > 0.0) & np.isfinite(prices))))
    if len(bad):
        message = f"{name} is {prices[bad[0]]} in row {bad[0]}; expected a price above 0, or none"
        raise DataError(message)
    return prices


def _lots(size: Floats, legs: Ints, instruments: tuple[Instrument, ...]) -> Floats:
    """Return quantities on the grid of their instruments, or raise for one that is not."""
    lot = np.array([instrument.lot_size for instrument in instruments])[legs]
    per_unit = np.array([steps_per_unit(instrument.lot_size) for instrument in instruments])[legs]
    # As Instrument.on_grid, which every engine rounds by; a test holds the two together.
    steps = np.floor(size / np.where(lot > 0.0, lot, 1.0) + 0.5)
    divided = steps / np.where(per_unit > 0.0, per_unit, 1.0)
    settled = np.where(lot == 0.0, size, np.where(per_unit > 0.0, divided, steps * lot))
    bad = np.flatnonzero((settled == 0.0) | (np.abs(settled - size) > 1e-9 * np.abs(size)))
    if len(bad):
        message = (
            f"qty is {size[bad[0]]:g} in row {bad[0]}; expected a quantity other than 0 in whole "
            f"lots of {lot[bad[0]]:g}"
        )
        raise DataError(message)
    return settled


def _digest(schedule: Schedule) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(schedule.ts_close_ns).tobytes())
    for name, values in schedule.columns.items():
        digest.update(f"\0{name}\0".encode())
        plain = values.dtype.kind in "fiu"
        digest.update(
            np.ascontiguousarray(values).tobytes() if plain else repr(values.tolist()).encode()
        )
    return digest.hexdigest()
