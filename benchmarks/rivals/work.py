"""The work that every rival does, and the trader's own rules in plain Python.

Pairs: the hedge ratio is the slope (with intercept) of the first symbol on the second over the last
``lookback`` closes, the spread is first - ratio * second, z is the spread's distance from its mean
over ``lookback`` bars in sample deviations. Flat, z >= entry sells the spread and z <= -entry buys
it, unless the ratio is not positive or a leg comes to no share. A short spread is left at
z <= exit, a long one at z >= -exit. SMA: long while the fast average is above the slow one, else
flat. Whole shares are fixed at the decision. An order decided at a close fills whole at the next
close, slippage against the trader, and pays the fee on the filled value.
"""

import json
from collections import deque
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class Work:
    """One case: prices in memory, what the trader wants, and what trading costs."""

    kind: str
    symbols: tuple
    days: np.ndarray  # days since 1970-01-01
    closes: tuple  # one array a symbol
    capital: float
    fee: float
    slippage: float
    gross: float
    lookback: int = 0
    entry: float = 0.0
    exit: float = 0.0
    fast: int = 0
    slow: int = 0

    @classmethod
    def read(cls, request):
        """Read a request: JSON that names an ``.npz`` file of days and closes, a row a symbol."""
        fields = json.loads(request)
        with np.load(fields.pop("prices")) as file:
            return cls(days=file["days"], closes=tuple(file["closes"]), **fields)

    def fresh(self, run):
        """Return the same work with parameters that no earlier run has had."""
        return replace(self, entry=self.entry + run * 1e-12, gross=self.gross + run * 1e-9)

    def rules(self):
        """Return the rules: ``decide(*closes)`` gives the target shares, None for no change."""
        return PairsRules(self) if self.kind == "pairs" else SmaRules(self)


class Answer(NamedTuple):
    """What an engine says happened: fills as (symbol's index, signed shares), and equity.

    ``equity`` is the value at every bar, or the final one alone where the engine keeps no curve.
    """

    fills: list
    equity: list


def entries(fills):
    """Count the fills of the first symbol that leave a flat position."""
    held = count = 0
    for leg, qty in fills:
        if leg == 0:
            count += int(held == 0)
            held += qty
    return count


class PairsRules:
    """The pairs rules bar by bar, on running sums."""

    def __init__(self, work):
        self.work, self.side = work, 0
        self.closes, self.spreads = deque(), deque()
        self.sums = [0.0] * 4
        self.spread_sum = self.spread_squares = 0.0

    def decide(self, y, x):
        ratio, z = self._signal(y, x)
        if z is None:
            return None
        work = self.work
        if self.side:
            if self.side * z < -work.exit:
                return None
            self.side = 0
            return 0, 0
        if abs(z) < work.entry or ratio <= 0.0:
            return None
        n = int(work.gross / (y + ratio * x))
        m = int(ratio * n + 0.5)
        if not (n and m):
            return None
        self.side = -1 if z > 0.0 else 1
        return self.side * n, -self.side * m

    def _signal(self, y, x):
        window = self.work.lookback
        self.closes.append((y, x))
        sum_y, sum_x, sum_xy, sum_xx = self.sums
        sum_y, sum_x, sum_xy, sum_xx = sum_y + y, sum_x + x, sum_xy + x * y, sum_xx + x * x
        if len(self.closes) > window:
            b, a = self.closes.popleft()
            sum_y, sum_x, sum_xy, sum_xx = sum_y - b, sum_x - a, sum_xy - a * b, sum_xx - a * a
        self.sums = [sum_y, sum_x, sum_xy, sum_xx]
        if len(self.closes) < window:
            return None, None
        moves = sum_xx - sum_x * sum_x / window
        if moves <= 0.0:
            return None, None
        ratio = (sum_xy - sum_x * sum_y / window) / moves
        return ratio, self._z(y - ratio * x, window)

    def _z(self, spread, window):
        self.spreads.append(spread)
        self.spread_sum += spread
        self.spread_squares += spread * spread
        if len(self.spreads) > window:
            oldest = self.spreads.popleft()
            self.spread_sum -= oldest
            self.spread_squares -= oldest * oldest
        if len(self.spreads) < window:
            return None
        mean = self.spread_sum / window
        variance = (self.spread_squares - self.spread_sum * mean) / (window - 1)
        return (spread - mean) / variance**0.5 if variance > 0.0 else None


class SmaRules:
    """The SMA crossover bar by bar, on running sums."""

    def __init__(self, work):
        self.work, self.held = work, 0
        self.closes, self.fast_sum, self.slow_sum = deque(), 0.0, 0.0

    def decide(self, price):
        fast, slow = self.work.fast, self.work.slow
        self.closes.append(price)
        self.fast_sum += price
        self.slow_sum += price
        if len(self.closes) > fast:
            self.fast_sum -= self.closes[-fast - 1]
        if len(self.closes) > slow:
            self.slow_sum -= self.closes.popleft()
        if len(self.closes) < slow:
            return None
        above = self.fast_sum / fast > self.slow_sum / slow
        if above == (self.held > 0):
            return None
        self.held = int(self.work.gross / price) if above else 0
        return (self.held,)
