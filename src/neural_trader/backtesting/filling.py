"""Fills the intents of a compiled strategy: by the kernel, or where costs ask for it one by one.

Costs that are rates of the value are the kernel's. A fee by share, by order or by month, and a half
spread, ask what each order is; a strategy makes few of them, so Python does. The rules are those of
``docs/semantics.md``, "Costs": an intent is one market order, filled whole.
"""

import numpy as np

from neural_trader._kernels import execution
from neural_trader.backtesting.window import Window
from neural_trader.core import Costs
from neural_trader.core.bars import Floats, Ints
from neural_trader.core.sessions import month_numbers
from neural_trader.strategies import IntentBuffer


class Filling:
    """Cash and quantities of a run, which every fill changes exactly once."""

    def __init__(self, window: Window, capital: float, costs: Costs) -> None:
        self._prices = window.fill_price
        self._rows = np.array(window.rows, dtype=np.int64)
        self._costs = costs
        self._rates = (costs.fee_rate, costs.slippage_rate)
        self._ledger = np.zeros(len(window.rows) + 1)
        self._ledger[0] = capital
        self._counts = np.zeros(1, dtype=np.int64)
        self._months = month_numbers(window.ts_close_ns) if costs.fee_tiers else None
        self._month, self._traded = -1, 0.0

    def show(self, window: Window) -> None:
        """Go on with the bars of another window: a feed brings them one at a time."""
        self._prices = window.fill_price
        if self._months is not None:
            self._months = month_numbers(window.ts_close_ns)

    @property
    def cash(self) -> float:
        """What is left in money."""
        return float(self._ledger[0])

    @property
    def unfilled(self) -> int:
        """Intents of the last bar, which never fill."""
        return int(self._counts[0])

    def fill(self, buffer: IntentBuffer, made: int) -> tuple[Ints, Floats]:
        """Fill the first ``made`` intents at the bar after each.

        Returns
        -------
        where : int64 array, shape (2, n)
            Bar and leg of each fill.
        fills : float64 array, shape (5, n)
            Quantity, reference price, price, fee, cash afterwards.
        """
        where, fills = np.empty((2, made), dtype=np.int64), np.empty((execution.FILL_ROWS, made))
        if self._costs.is_by_rate:
            filled = execution.fill(
                self._prices,
                self._rows,
                buffer.where,
                buffer.targets,
                (0, made),
                self._rates,
                self._ledger,
                self._counts,
                where,
                fills,
            )
        else:
            filled = self._fill_orders(buffer, made, where, fills)
        if filled < made:
            return where[:, :filled].copy(), fills[:, :filled].copy()
        return where, fills

    def _fill_orders(self, buffer: IntentBuffer, made: int, where: Ints, fills: Floats) -> int:
        count = 0
        places = buffer.where[:, :made].T.tolist()
        for (decided, leg), target in zip(places, buffer.targets[:made].tolist(), strict=True):
            bar = decided + 1
            if bar >= self._prices.shape[1]:
                self._counts[0] += 1
                continue
            qty = target - float(self._ledger[1 + leg])
            if qty == 0.0:
                continue
            reference = float(self._prices[self._rows[leg], bar])
            price, fee = self._charge(bar, qty, reference)
            self._ledger[0] = self.cash - qty * price - fee
            self._ledger[1 + leg] = target
            where[:, count] = bar, leg
            fills[:, count] = qty, reference, price, fee, self._ledger[0]
            count += 1
        return count

    def _charge(self, bar: int, qty: float, reference: float) -> tuple[float, float]:
        """Return the price of an order and its fee."""
        costs = self._costs
        if qty > 0.0:
            price = reference * (1.0 + costs.slippage_rate) + costs.half_spread
        else:
            price = max(reference * (1.0 - costs.slippage_rate) - costs.half_spread, 0.0)
        value = abs(qty) * price
        fee = self._fee_rate(bar) * value + costs.fee_per_share * abs(qty)
        self._traded += value
        return price, max(fee, costs.fee_minimum)

    def _fee_rate(self, bar: int) -> float:
        """Return the rate that the month's trading so far has come to."""
        if self._months is None:
            return self._costs.fee_rate
        month = int(self._months[bar])
        if month != self._month:
            self._month, self._traded = month, 0.0
        reached = [rate for value, rate in self._costs.tier_rates if self._traded >= value]
        return reached[-1]
