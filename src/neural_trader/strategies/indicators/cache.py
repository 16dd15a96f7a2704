"""A cache of whole columns: what was computed once of the same data is not computed again.

A key is what decides a result and nothing else: the bytes of the columns, the function and its
parameters. Other data, an edited function or another parameter is another key, so nothing stale can
be found, and a cache can be shared by whoever likes. What a function reads beyond its arguments is
not part of the key: give pure functions.
"""

import hashlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import Bars, ConfigError
from neural_trader.core.bars import FIELDS, SymbolBars
from neural_trader.strategies.indicators.keys import function_key, parameter_key

LIMIT_MB: Final = 256.0
_ENTRY_BYTES: Final = 500
"""What an entry takes beside its arrays, about."""


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


class _Flight:
    """A computation that is under way, for those who want the same."""

    __slots__ = ("error", "is_given_up", "landed", "owner", "value")

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.owner = threading.get_ident()
        self.value: Any = None
        self.error: Exception | None = None
        self.is_given_up = False


class _Entry(NamedTuple):
    value: Any
    size: int
    columns: "frozenset[bytes]"


class IndicatorCache:
    """Columns that indicators and functions made of bars, kept for whoever asks again.

    Parameters
    ----------
    limit_mb : float
        Most megabytes that the columns take together, above 0; those used longest ago go first.

    Notes
    -----
    Safe for threads: of those who ask for the same at once one computes, the others wait. An
    exception reaches all of them and is not kept. Results are handed out read-only, the same object
    to everybody. Columns of ``Bars`` are read-only, so that their bytes are digested once; arrays
    that can be written to are digested at every request.

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
        if not isinstance(limit_mb, (int, float)) or not limit_mb > 0.0:
            message = f"limit_mb is {limit_mb!r}; expected megabytes above 0"
            raise ConfigError(message)
        self.limit_bytes = int(limit_mb * 1e6)
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._flights: dict[Hashable, _Flight] = {}
        self._digests: dict[tuple[int, int], tuple[weakref.ref[Any], bytes]] = {}
        self._counts = dict.fromkeys(("hits", "misses", "waits", "evictions", "bytes"), 0)

    @property
    def stats(self) -> CacheStats:
        """What has been asked so far, and what it holds."""
        with self._lock:
            return CacheStats(entries=len(self._entries), **self._counts)

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
            The wrong number of symbols, a field that the bars do not have, parameters that cannot
            be told apart.
        DataError
            A symbol is not loaded.
        """
        inputs = tuple(indicator.inputs)
        if len(symbols) not in (1, len(inputs)):
            wanted = "one symbol" if len(inputs) == 1 else f"one symbol, or {len(inputs)}"
            message = f"compute was given {len(symbols)} symbols; {indicator!r} reads {wanted}"
            raise ConfigError(message)
        columns = _columns(indicator, bars, inputs, symbols)
        # A class that is defined anew is another object, so that its old results are not found.
        key = (type(indicator), parameter_key(vars(indicator), indicator))
        return self.fetch(key, columns, lambda: indicator.batch(*columns))

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
            Takes a ``SymbolBars`` for each symbol, and the parameters. It must depend on nothing
            else and change nothing. A function defined anew with the same code is the same.
        bars : Bars
        *symbols : str
        **parameters
            Numbers, texts, dates, arrays, and tuples, lists and dicts of them.

        Returns
        -------
        object
            Arrays in it, and in tuples, lists and dicts of them, are made read-only.

        Raises
        ------
        ConfigError
            No symbol, or a parameter that cannot be told apart from others.
        DataError
            A symbol is not loaded.
        """
        if not symbols:
            message = "call was given no symbol; name those whose bars the function reads"
            raise ConfigError(message)
        series = [bars[symbol] for symbol in symbols]
        columns = [column for one in series for column in _all_columns(one)]
        shapes = tuple(
            (one.symbol, *(name for name in FIELDS if getattr(one, name) is not None))
            for one in series
        )
        key = (function_key(function), shapes, parameter_key(parameters, "parameters"))
        return self.fetch(key, columns, lambda: _owned(function(*series, **parameters)))

    def count(self, hits: int, misses: int) -> None:
        """Count what was asked of the cache of another process, beside one's own."""
        with self._lock:
            self._counts["hits"] += hits
            self._counts["misses"] += misses

    def drop(self, bars: Bars) -> int:
        """Let go of all that was made of columns of these bars; return how many that was."""
        gone = {
            self._digest(values[row])
            for block in bars.blocks
            for values in block.fields.values()
            for row in range(len(values))
        }
        with self._lock:
            doomed = [key for key, entry in self._entries.items() if entry.columns & gone]
            for key in doomed:
                self._counts["bytes"] -= self._entries.pop(key).size
        return len(doomed)

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
        digests = tuple([self._digest(column) for column in columns])
        key = (what, digests)
        while True:
            with self._lock:
                entry = self._entries.get(key)
                if entry is not None:
                    self._entries.move_to_end(key)
                    self._counts["hits"] += requests
                    return entry.value
                flight = self._flights.get(key)
                if flight is None:
                    mine = self._flights[key] = _Flight()
                    self._counts["misses"] += 1
                    self._counts["hits"] += requests - 1
                    break
                if flight.owner == threading.get_ident():
                    message = "a computation asks the cache for its own result"
                    raise ConfigError(message)
            flight.landed.wait()
            if flight.is_given_up:
                # Whoever computed it was interrupted: somebody else has to.
                continue
            with self._lock:
                self._counts["hits"] += requests
                self._counts["waits"] += 1
            if flight.error is not None:
                raise flight.error
            return flight.value
        return self._compute(mine, key, digests if is_kept else None, compute)

    def _compute(
        self,
        mine: _Flight,
        key: Hashable,
        digests: Sequence[bytes] | None,
        compute: Callable[[], Any],
    ) -> Any:  # noqa: ANN401 - whatever is computed
        mine.is_given_up = True
        try:
            mine.value = _read_only(compute())
            mine.is_given_up = False
        except Exception as error:
            mine.error, mine.is_given_up = error, False
            raise
        finally:
            with self._lock:
                del self._flights[key]
                if digests is not None and mine.error is None and not mine.is_given_up:
                    self._keep(key, _Entry(mine.value, _size(mine.value), frozenset(digests)))
            mine.landed.set()
        return mine.value

    def _keep(self, key: Hashable, entry: _Entry) -> None:
        """Keep an entry, and let go of those used longest ago; one beyond the limit is not kept."""
        if entry.size > self.limit_bytes:
            return
        self._entries[key] = entry
        self._counts["bytes"] += entry.size
        while self._counts["bytes"] > self.limit_bytes:
            _, oldest = self._entries.popitem(last=False)
            self._counts["bytes"] -= oldest.size
            self._counts["evictions"] += 1

    def _digest(self, column: NDArray[Any]) -> bytes:
        """Return a digest of a column's bytes, remembered for as long as its memory lives."""
        owner = column.base if isinstance(column.base, np.ndarray) else column
        if column.flags.writeable or owner.flags.writeable:
            return _digest(column)
        place = (column.__array_interface__["data"][0], column.nbytes)
        known = self._digests.get(place)
        if known is not None and known[0]() is owner:
            return known[1]
        found = _digest(column)
        forget = self._digests.pop
        self._digests[place] = (weakref.ref(owner, lambda _: forget(place, None)), found)
        return found


def _columns(
    indicator: object, bars: Bars, inputs: Sequence[str], symbols: Sequence[str]
) -> list[NDArray[np.float64]]:
    """Return the columns that an indicator reads."""
    block, rows = bars.common(tuple(symbols))
    for name in inputs:
        if name not in block.fields:
            message = f"{indicator!r} reads {name}; {bars.name} has {', '.join(block.fields)}"
            raise ConfigError(message)
    rows = rows if len(rows) > 1 else rows * len(inputs)
    return [block.fields[name][row] for name, row in zip(inputs, rows, strict=True)]


def _all_columns(series: SymbolBars) -> list[NDArray[Any]]:
    fields = (getattr(series, name) for name in FIELDS)
    return [series.ts_close_ns, *(values for values in fields if values is not None)]


def _digest(column: NDArray[Any]) -> bytes:
    digest = hashlib.blake2b(np.ascontiguousarray(column).data, digest_size=16)
    digest.update(f"{column.dtype.str}{column.shape}".encode())
    return digest.digest()


def _read_only(value: Any) -> Any:  # noqa: ANN401 - whatever was computed
    """Return a result whose arrays cannot be written to."""
    return _with_arrays(value, _frozen)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _owned(value: Any) -> Any:  # noqa: ANN401 - what a user's function returned
    """Return a result whose arrays are nobody else's: views of other memory are copied."""
    return _with_arrays(
        value,
        lambda array: array.copy() if array.flags.writeable and array.base is not None else array,
    )


def _with_arrays(value: Any, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Any:  # noqa: ANN401
    """Return an array, or what holds some, with every array changed."""
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _with_arrays(part, change) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        parts = [_with_arrays(part, change) for part in value]
        # A named tuple is made from its parts one by one.
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def _size(value: Any) -> int:  # noqa: ANN401 - whatever was computed
    if isinstance(value, np.ndarray):
        return _ENTRY_BYTES + value.nbytes
    if isinstance(value, Mapping):
        return _ENTRY_BYTES + sum(_size(part) for part in value.values())
    if isinstance(value, (tuple, list)):
        return _ENTRY_BYTES + sum(_size(part) for part in value)
    return _ENTRY_BYTES
