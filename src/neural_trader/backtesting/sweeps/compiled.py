"""Trials of compiled strategies: grouped by their signals, run by the kernel on threads."""

import functools
from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from neural_trader._kernels import execution
from neural_trader._kernels import sweeps as kernel
from neural_trader.backtesting.window import Window
from neural_trader.core import Costs
from neural_trader.core.bars import Floats
from neural_trader.portfolio import last_of_sessions
from neural_trader.strategies import Legs, Pairs, SmaCross
from neural_trader.strategies.indicators import IndicatorCache

CHUNK = 512
"""Trials in one call of the kernel: some milliseconds, so that progress and Ctrl-C are prompt."""

_LINE: Final = 16
"""Numbers in two cache lines, which are fetched together."""

_KINDS: Final[dict[Any, int]] = {Pairs: 0, SmaCross: 1}
"""The kernel's number of a strategy."""


class Chunk(NamedTuple):
    """Trials that share their signals: their places, levels (m, 3), and whether sized by equity."""

    kind: int
    signals: Floats
    places: list[int]
    levels: Floats
    of_equity: bool


def is_fast(strategies: Collection[Any], costs: Costs) -> bool:
    """Whether the kernel runs these trials: else each is run as a backtest of its own."""
    if not costs.is_by_rate or not all(type(each) in _KINDS for each in strategies):
        return False
    return len({(type(each), each.symbols) for each in strategies}) == 1


def chunks(
    strategies: dict[int, Any], window: Window, cache: IndicatorCache, *, is_kept: bool
) -> Iterator[Chunk]:
    """Yield trials by their places, in chunks; those of a chunk share their signals.

    Signals come from the cache, and are kept there where other blocks of trials will follow, which
    may have the same.
    """
    groups: dict[tuple[Any, ...], tuple[list[int], list[tuple[float, float, float]]]] = {}
    for place, each in strategies.items():
        amount, of_equity = each.sizing
        signal_key = tuple([getattr(each, name) for name in each.signal_parameters])
        places, levels = groups.setdefault((*signal_key, of_equity), ([], []))
        places.append(place)
        levels.append(_levels(each, amount))
    legs = Legs(window.close, window.rows)
    closes = window.close
    if closes.flags.writeable:
        # A cache looks at the bytes of what can be written to at every request.
        closes = closes.copy()
        closes.flags.writeable = False
    for key, (places, levels) in groups.items():
        first = strategies[places[0]]
        what = (type(first), first.symbols, window.rows, key[:-1])
        signals = cache.fetch(
            what,
            (closes,),
            functools.partial(first.signals, legs),
            requests=len(places),
            is_kept=is_kept,
        )
        for begin in range(0, len(places), CHUNK):
            part = slice(begin, begin + CHUNK)
            yield Chunk(_KINDS[type(first)], signals, places[part], np.array(levels[part]), key[-1])


def _levels(strategy: Pairs | SmaCross, amount: float) -> tuple[float, float, float]:
    if isinstance(strategy, Pairs):
        return (strategy.entry, strategy.exit, amount)
    return (0.0, 0.0, amount)


class Worker:
    """What a thread needs to run chunks: the market, and scratch of its own."""

    def __init__(self, window: Window, capital: float, costs: Costs) -> None:
        bars = len(window.ts_close_ns) - window.first
        legs = len(window.rows)
        room = legs * bars + 4
        self.window = window
        self.rows = np.array(window.rows, dtype=np.int64)
        self.ends = last_of_sessions(window.ts_close_ns[window.first :]).astype(np.int64)
        self.account = (window.first, capital, costs.fee_rate, costs.slippage_rate)
        # Small arrays take cache lines of their own: two threads that write to one line take turns.
        self.scratch = (
            np.zeros(kernel.STATE_SIZE + 1 + _LINE, dtype=np.int64)[: kernel.STATE_SIZE + 1],
            np.empty((2, room), dtype=np.int64),
            np.empty(room),
            np.empty((2, room), dtype=np.int64),
            np.empty((execution.FILL_ROWS, room)),
            np.empty(1 + legs + _LINE)[: 1 + legs],
            np.empty(bars),
            np.empty((2, -(-len(window.ts_close_ns) // kernel.BOUND_BARS))),
        )

    def run(self, chunk: Chunk) -> Floats:
        """Return the kernel's figures of every trial of a chunk, shape (m, kernel.FIGURES)."""
        figures = np.empty((len(chunk.places), kernel.FIGURES))
        kernel.run(
            chunk.kind,
            (self.window.close, self.window.fill_price, self.rows, chunk.signals, self.ends),
            (*self.account, chunk.of_equity),
            chunk.levels,
            self.scratch,
            figures,
        )
        return figures
