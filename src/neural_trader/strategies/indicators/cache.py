"""A cache of whole columns: what was computed once of the same data is not computed again.

A key is what decides a result and nothing else: the bytes of the columns, the function and its
parameters. Other data, an edited function or another parameter is another key, so nothing stale can
be found, and a cache can be shared by whoever likes. What a function reads beyond its arguments and
its module (``keys.function_key``) is not part of the key: give pure functions.
"""

import hashlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import Bars, ConfigError
from neural_trader.core.bars import FIELDS
from neural_trader.core.numbers import plain_number
from neural_trader.strategies.indicators.kept import Kept, keep
from neural_trader.strategies.indicators.keys import function_key, parameter_key, settings_key

LIMIT_MB: Final = 256.0
_LIMIT_MB_MAX: Final = 1e9
_WAIT_S: Final = 0.1


class CacheStats(NamedTuple):
    """What has been asked of a cache so far.

    Attributes
    ----------
    hits, misses : int
        Requests that were answered from it, and that were computed. Who waited for another's
        computation is a hit.
    waits : int
        Hits that waited.
    evictions : int
        Entries that made room for others.
    entries, bytes : int
        What it holds now.
    """

    hits: int = 0
    misses: int = 0
    waits: int = 0
    evictions: int = 0
    entries: int = 0
    bytes: int = 0

    @property
    def hit_rate(self) -> float:
        """Hits over requests; NaN before the first."""
        requests = self.hits + self.misses
        return self.hits / requests if requests else float("nan")


_Column = tuple[NDArray[Any], int | None]
"""A column: the array that holds it, and its row there, None where it is all of it."""


class _Flight:
    """A computation that is under way, for those who want the same."""

    __slots__ = ("error", "is_done", "is_over", "kept", "landed", "owner")

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.owner = threading.get_ident()
        self.kept: Kept | None = None
        self.error: Exception | None = None
        self.is_done = False
        self.is_over = False


class _Entry(NamedTuple):
    kept: Kept
    columns: frozenset[bytes]


class IndicatorCache:
    """Columns that indicators and functions made of bars, kept for whoever asks again.

    Parameters
    ----------
    limit_mb : float
        Most megabytes that the columns take together, above 0; those used longest ago go first.

    Raises
    ------
    ConfigError
        A limit that is none.

    Notes
    -----
    Safe for threads: of those who ask for the same at once one computes, the others wait. An
    exception reaches all of them and is not kept; where the one is interrupted, another computes.
    Arrays are handed out read-only, the same to everybody. Columns of ``Bars`` are read-only, so
    that their bytes are digested once; arrays that can be written to are digested at every request.
    Another process gets an empty cache of the same limit.

    Timing and NaN are those of the function: a cache gives whole columns, and whoever looks at bar
    t must not look further.

    Examples
    --------
    >>> import neural_trader as nt
    >>> bars = nt.load("sp500-closes", symbols="KO")
    >>> cache = IndicatorCache()
    >>> average = cache.compute(nt.indicators.SMA(20), bars, "KO")
    >>> cache.compute(nt.indicators.SMA(20), bars, "KO") is average
    True
    >>> cache.stats.hit_rate
    0.5
    """

    def __init__(self, limit_mb: float = LIMIT_MB) -> None:
        limit = plain_number(limit_mb)
        if not 0.0 < limit <= _LIMIT_MB_MAX:
            message = f"limit_mb is {limit_mb!r}; expected megabytes above 0"
            raise ConfigError(message)
        self.limit_bytes = int(limit * 1e6)
        self._limit_mb = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._flights: dict[Hashable, _Flight] = {}
        self._digests: dict[tuple[int, int | None], tuple[weakref.ref[Any], bytes]] = {}
        self._counts = dict.fromkeys(("hits", "misses", "waits", "evictions", "bytes"), 0)

    @classmethod
    def read(cls, cache: "IndicatorCache | None") -> "IndicatorCache":
        """Return the cache that is given, or a new one, or raise ConfigError."""
        if cache is not None and not isinstance(cache, cls):
            message = f"cache is {cache!r}; expected nt.indicators.IndicatorCache(...) or None"
            raise ConfigError(message)
        return cls() if cache is None else cache

    @property
    def stats(self) -> CacheStats:
        """What has been asked so far, and what it holds."""
        with self._lock:
            return CacheStats(entries=len(self._entries), **self._counts)

    def __repr__(self) -> str:
        """Return the cache with its limit."""
        return f"IndicatorCache(limit_mb={self._limit_mb:g})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Be sent as its limit: what it holds stays here."""
        return IndicatorCache, (self._limit_mb,)

    def compute(self, indicator: Any, bars: Bars, *symbols: str) -> Any:  # noqa: ANN401 - what batch returns
        """Return what ``indicator.batch`` makes of columns of bars.

        Parameters
        ----------
        indicator : an indicator
            Those of ``nt.indicators``, or an object with ``inputs`` and ``batch`` whose attributes
            are its parameters. It is not fed.
        bars : Bars
        *symbols : str
            One, whose fields it reads; or one for each input, on their common bars.

        Returns
        -------
        array or tuple of arrays
            As ``batch``: float64, shape (T,), read-only.

        Raises
        ------
        ConfigError
            Not an indicator, the wrong number of symbols, a field that the bars do not have,
            parameters that cannot be told apart.
        DataError
            A symbol is not loaded, or the symbols have no bar in common.
        """
        if isinstance(indicator, type) or not hasattr(indicator, "batch"):
            message = f"compute was given {indicator!r}; expected an indicator such as SMA(20)"
            raise ConfigError(message)
        inputs: tuple[str, ...] = indicator.inputs
        if len(symbols) != 1 and len(symbols) != len(inputs):
            wanted = "one symbol" if len(inputs) == 1 else f"one symbol, or {len(inputs)}"
            message = f"compute was given {len(symbols)} symbols; {indicator!r} reads {wanted}"
            raise ConfigError(message)
        columns = _columns_read(indicator, bars, inputs, symbols)
        # A class that is defined anew is another object, so that its old results are not found.
        what = (type(indicator), settings_key(indicator))

        def batch() -> Any:  # noqa: ANN401 - as the indicator says
            block, rows = bars.common(symbols)
            rows = rows if len(rows) > 1 else rows * len(inputs)
            fields = zip(inputs, rows, strict=True)
            return indicator.batch(*(block.fields[name][row] for name, row in fields))

        # Ours return arrays of their own, as views; a user's may return views of anything.
        is_owned = type(indicator).__module__.startswith(__package__)
        return self._get(what, columns, batch, is_owned=is_owned)

    def call(
        self,
        function: Callable[..., Any],
        bars: Bars,
        *symbols: str,
        **parameters: Any,  # noqa: ANN401 - whatever the function takes
    ) -> Any:  # noqa: ANN401 - what the function returns
        """Return what ``function(*series, **parameters)`` makes of the bars of symbols.

        Parameters
        ----------
        function : callable
            Takes a ``SymbolBars`` for each symbol, and the parameters. It must change nothing, and
            depend on nothing else but constants and functions of its own module. Defined anew with
            the same code it is the same.
        bars : Bars
        *symbols : str
        **parameters
            Numbers, texts, dates, arrays, and tuples, lists and dicts of them.

        Returns
        -------
        object
            Arrays, plain values, or tuples, lists and dicts of them; arrays are read-only.

        Raises
        ------
        ConfigError
            No symbol, a parameter that cannot be told apart from others, or a result that cannot be
            kept: frames and series of other libraries.
        DataError
            A symbol is not loaded.
        """
        if not symbols:
            message = "call was given no symbol; name those whose bars the function reads"
            raise ConfigError(message)
        columns: list[_Column] = []
        shapes = []
        for symbol in symbols:
            home = bars.home(symbol)
            row = home.row_of[symbol]
            names = [name for name in FIELDS if name in home.fields]
            columns += [(home.ts_close_ns, None), *((home.fields[name], row) for name in names)]
            shapes.append((symbol, *names))
        what = (function_key(function), tuple(shapes), parameter_key(parameters, "parameters"))
        return self._get(
            what,
            columns,
            lambda: function(*(bars[symbol] for symbol in symbols), **parameters),
            is_owned=False,
        )

    def fetch(
        self,
        what: Hashable,
        columns: Sequence[NDArray[Any]],
        compute: Callable[[], Any],
        *,
        requests: int = 1,
        is_kept: bool = True,
    ) -> Any:  # noqa: ANN401 - whatever is computed
        """Return what ``compute`` makes of columns, for those who have a key of their own.

        Parameters
        ----------
        what : hashable
            Tells the computation and its parameters apart from all others.
        columns : sequence of arrays
            Whatever the result is made of.
        compute : callable
            Makes arrays that nobody else writes to.
        requests : int
            How many requests this one stands for, in the counts: all but one are hits at least.
        is_kept : bool
            False where nobody will ask again: it is only counted.
        """
        held = [(column, None) for column in columns]
        return self._get(what, held, compute, is_owned=True, requests=requests, is_kept=is_kept)

    def count(self, hits: int, misses: int) -> None:
        """Count what was asked of the cache of another process, beside one's own."""
        with self._lock:
            self._counts["hits"] += hits
            self._counts["misses"] += misses

    def drop(self, bars: Bars) -> int:
        """Let go of all that was made of columns of these bars; return how many that was."""
        gone = {
            self._digest(values, row)
            for block in bars.blocks
            for values in block.fields.values()
            for row in range(len(values))
        }
        with self._lock:
            doomed = [key for key, entry in self._entries.items() if entry.columns & gone]
            for key in doomed:
                self._remove(key)
        return len(doomed)

    # ---------------------------------------------------------------------------------- requests
    def _get(
        self,
        what: Hashable,
        columns: Sequence[_Column],
        compute: Callable[[], Any],
        *,
        is_owned: bool,
        requests: int = 1,
        is_kept: bool = True,
    ) -> Any:  # noqa: ANN401 - whatever is computed
        """Return a result that is there, that another thread is making, or that is made now."""
        digests = tuple([self._digest(values, row) for values, row in columns])
        key = (what, digests)
        while True:
            with self._lock:
                entry = self._entries.get(key)
                if entry is not None:
                    self._entries.move_to_end(key)
                    self._counts["hits"] += requests
                    break
            mine = _Flight()
            try:
                flight = self._board(key, mine, requests)
                if flight is mine:
                    mine.kept = keep(compute(), is_owned=is_owned)
                    mine.is_done = True
                    if is_kept:
                        self._keep(key, _Entry(mine.kept, frozenset(digests)))
            except Exception as error:
                mine.error, mine.is_done = error, True
                raise
            finally:
                # An interrupt may come at any call, those of _land too, but not before this is set.
                mine.is_over = True
                self._land(key, mine)
            if flight is None:
                # Another has landed in between.
                continue
            if flight is not mine:
                self._wait(flight, requests)
            if flight.kept is not None:
                return flight.kept.hand_out()
        return entry.kept.hand_out()

    def _board(self, key: Hashable, mine: _Flight, requests: int) -> _Flight | None:
        """Return the computation of a key that is under way, or one's own, which is now.

        None where its result is there by now: it is kept before its computation counts as over.
        """
        with self._lock:
            if key in self._entries:
                return None
            flight = self._flights.get(key)
            if flight is None or flight.is_over:
                self._flights[key] = mine
                self._counts["misses"] += 1
                self._counts["hits"] += requests - 1
                return mine
        if flight.owner == threading.get_ident():
            message = "a computation asks the cache for its own result"
            raise ConfigError(message)
        return flight

    def _wait(self, flight: _Flight, requests: int) -> None:
        """Wait for another thread's computation; raise what it raised."""
        while not flight.is_over:
            # Who computes may have been interrupted on the way to telling.
            flight.landed.wait(_WAIT_S)
        if not flight.is_done:
            # It was interrupted: somebody else has to compute.
            return
        with self._lock:
            self._counts["hits"] += requests
            self._counts["waits"] += 1
        if flight.error is not None:
            raise flight.error

    def _land(self, key: Hashable, mine: _Flight) -> None:
        """Let those go on who wait for one's own computation."""
        try:
            with self._lock:
                if self._flights.get(key) is mine:
                    del self._flights[key]
        finally:
            mine.landed.set()

    def _keep(self, key: Hashable, entry: _Entry) -> None:
        """Keep an entry, and let go of those used longest ago; one beyond the limit is not kept."""
        size = entry.kept.size
        if size > self.limit_bytes:
            return
        with self._lock:
            if key in self._entries:
                self._remove(key)
            self._entries[key] = entry
            self._counts["bytes"] += size
            while self._counts["bytes"] > self.limit_bytes:
                self._remove(next(iter(self._entries)))
                self._counts["evictions"] += 1

    def _remove(self, key: Hashable) -> None:
        """Let go of an entry; the lock is held."""
        size = self._entries[key].kept.size
        # Nothing is called in between, so that no interrupt can part the two.
        self._counts["bytes"] -= size
        del self._entries[key]

    def _digest(self, values: NDArray[Any], row: int | None) -> bytes:
        """Return a digest of a column's bytes, remembered for as long as its array lives."""
        owner = values.base
        if values.flags.writeable or (isinstance(owner, np.ndarray) and owner.flags.writeable):
            return _digest(values if row is None else values[row])
        place = (id(values), row)
        known = self._digests.get(place)
        if known is not None and known[0]() is values:
            return known[1]
        found = _digest(values if row is None else values[row])
        forget = self._digests.pop
        self._digests[place] = (weakref.ref(values, lambda _: forget(place, None)), found)
        return found


def _columns_read(
    indicator: object, bars: Bars, inputs: Sequence[str], symbols: Sequence[str]
) -> list[_Column]:
    """Return the columns that an indicator reads, and stamps where calendars may differ."""
    home = bars.home(symbols[0])
    try:
        if len(symbols) == 1:
            row = home.row_of[symbols[0]]
            return [(home.fields[name], row) for name in inputs]
        columns: list[_Column] = []
        homes = [bars.home(symbol) for symbol in symbols]
        for home, symbol, name in zip(homes, symbols, inputs, strict=True):
            columns.append((home.fields[name], home.row_of[symbol]))
    except KeyError as error:
        message = f"{indicator!r} reads {error.args[0]}; {bars.name} has {', '.join(home.fields)}"
        raise ConfigError(message) from None
    if any(home is not homes[0] for home in homes):
        columns += [(home.ts_close_ns, None) for home in homes]
    return columns


def _digest(column: NDArray[Any]) -> bytes:
    digest = hashlib.sha256(np.ascontiguousarray(column).data)
    digest.update(f"{column.dtype.str}{column.shape}".encode())
    return digest.digest()
