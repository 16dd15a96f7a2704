"""Compiled strategies, bar by bar: signals over the bars so far, and one decision at a time.

The kernels are those of the backtest. Signals are computed anew over all bars so far, because their
running sums begin at the first bar and the last bit counts: a step costs as much as there are bars,
0.1 ms at some ten thousand. Only bars that all legs have are seen, as in the backtest.
"""

from collections.abc import Callable, Collection, Mapping

import numpy as np

from neural_trader._kernels import execution
from neural_trader.backtesting.filling import Filling
from neural_trader.backtesting.run import Outcome
from neural_trader.backtesting.window import FillAt, Range, Window, open_window
from neural_trader.core import Bars, Block, Costs, Fill
from neural_trader.core.bars import Floats
from neural_trader.strategies import STATE_SIZE, CompiledStrategy, IntentBuffer, Legs

_ROOM = 1024
# What one decision can want: each leg out, and in again.
_INTENTS = 4


class CompiledWalk:
    """Pairs or SmaCross in progress.

    ``equity`` has a number for every common bar from the start on; ``peak`` the peak leverage and
    its bar.
    """

    def __init__(
        self,
        strategy: CompiledStrategy,
        fill_at: FillAt,
        capital: float,
        costs: Costs,
        *,
        on_fill: Callable[[Fill], object] | None,
    ) -> None:
        legs = len(strategy.symbols)
        self._strategy, self._on_fill = strategy, on_fill
        self._fill_at: FillAt = fill_at
        self._close = np.empty((legs, _ROOM))
        self._bars, self._first = 0, 0
        # The present bar and the one before, which is all that a fill needs.
        self._prices, self._stamps = np.zeros((legs, 2)), np.zeros(2, dtype=np.int64)
        self._filling = Filling(self._pair(), capital, costs)
        self._state = np.zeros(STATE_SIZE, dtype=np.int64)
        room = max(_INTENTS, 2 * legs)
        self._pending = IntentBuffer(
            self._state, np.zeros((2, room), dtype=np.int64), np.empty(room)
        )
        self._made = 0
        self._where: list[tuple[int, int]] = []
        self._fills: list[list[float]] = []
        self._ledger = np.zeros(legs + 1)
        self._ledger[0] = capital
        self._is_ruined = False
        self.equity: list[float] = []
        self.peak = np.zeros(2)

    @property
    def cash(self) -> float:
        """Money on hand."""
        return self._filling.cash

    def _pair(self) -> Window:
        legs = self._strategy.symbols
        rows = tuple(range(len(legs)))
        block = Block(legs, self._stamps, {"close": self._prices})
        return Window(self._stamps, self._prices, self._prices, self._fill_at, rows, 0, block)

    def step(
        self,
        stamp: int,
        bars: Mapping[str, tuple[float, ...]],
        *,
        ended: Collection[str],  # noqa: ARG002 - a pair has no common bar once a leg has ended
        before: bool,
    ) -> bool:
        """Fill what was decided, mark, decide; see ``Walk``."""
        symbols = self._strategy.symbols
        if any(symbol not in bars for symbol in symbols):
            return True
        t = self._bars
        if t == self._close.shape[1]:
            self._close = np.concatenate([self._close, np.empty_like(self._close)], axis=1)
        self._close[:, t] = [bars[symbol][3] for symbol in symbols]
        self._bars = t + 1
        self._prices[:, 0], self._stamps[0] = self._prices[:, 1], self._stamps[1]
        place = 0 if self._fill_at == "open" else 3
        self._prices[:, 1] = [bars[symbol][place] for symbol in symbols]
        self._stamps[1] = stamp
        if before:
            self._first = t + 1
            return True
        self._mark(t, self._fill(t))
        self._decide(t)
        return not self._is_ruined

    def _fill(self, t: int) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int64]], Floats]:
        """Fill at this bar what was decided at the one before."""
        self._filling.show(self._pair())
        where, fills = self._filling.fill(self._pending, self._made)
        for (_, leg), fill in zip(where.T.tolist(), fills.T.tolist(), strict=True):
            if self._on_fill is not None:
                number = len(self._fills)
                symbol = self._strategy.symbols[leg]
                self._on_fill(Fill(number, symbol, int(self._stamps[1]), *fill))
            self._where.append((t, leg))
            self._fills.append(fill)
        where[0] = 0
        return where, fills

    def _mark(
        self, t: int, filled: tuple[np.ndarray[tuple[int, int], np.dtype[np.int64]], Floats]
    ) -> None:
        """Value the account at this bar's close; the kernel carries the ledger on."""
        rows = np.arange(len(self._strategy.symbols), dtype=np.int64)
        close = np.ascontiguousarray(self._close[:, t : t + 1])
        equity = np.empty(1)
        peak = self.peak[0]
        self._is_ruined = (
            execution.mark(close, rows, *filled, 0, self._ledger, equity, self.peak) == 0
        )
        if self.peak[0] > peak:
            self.peak[1] = t
        self.equity.append(float(equity[0]))

    def _decide(self, t: int) -> None:
        """Ask the strategy at this close; what it wants waits for the next bar."""
        strategy, sizing = self._strategy, self._strategy.sizing
        close = np.ascontiguousarray(self._close[:, : t + 1])
        legs = Legs(close, tuple(range(len(strategy.symbols))))
        money = sizing.amount * self._filling.cash if sizing.of_equity else sizing.amount
        self._state[0] = t
        self._made = strategy.decide(legs, strategy.signals(legs), money, self._pending)
        # Seen from the next bar, it was decided at the first of the two that are kept.
        self._pending.where[0, : self._made] = 0

    def finish(self, bars: Bars, asked: Range) -> tuple[Window, Outcome]:
        """See ``Walk``."""
        strategy = self._strategy
        window = open_window(bars, strategy.symbols, asked)
        if self._is_ruined:
            window = window.until(window.first + len(self.equity))
        count = len(self._fills)
        outcome = Outcome(
            np.array(self.equity),
            np.array(self._where, dtype=np.int64).reshape(count, 2).T.copy(),
            np.array(self._fills).reshape(count, execution.FILL_ROWS).T.copy(),
            strategy.signals(Legs(window.close, window.rows)),
            self._is_ruined,
            float(self.peak[0]),
            int(self.peak[1]),
            (int(self._state[2]), int(self._state[3]), self._made),
        )
        return window, outcome
