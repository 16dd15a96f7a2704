"""The reference: the rules of ``docs/semantics.md`` in plain Python, written to be read.

This module is the law. The compiled engine must agree with it on every fill and, to the bit, at
every bar's equity. It walks through time bar by bar, as a trader would: orders of yesterday fill,
the account is valued at the close, the strategy decides. It shares nothing with the kernels but the
window of bars it is given. It is also the "Python" column of the benchmark.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from neural_trader.backtesting.window import Range, Window, open_window
from neural_trader.core import Bars, ConfigError, Costs
from neural_trader.core.sessions import session_date
from neural_trader.strategies import CompiledStrategy, Gross, Pairs, SmaCross

Prices = Sequence[float]


class Fill(NamedTuple):
    """One executed order of one leg."""

    bar: int
    leg: int
    qty: float
    reference_price: float
    price: float
    fee: float
    cash: float


@dataclass
class ReferenceRun:
    """What the reference saw: one number of ``equity`` for every bar from ``first`` on."""

    first: int
    equity: list[float] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    signals: list[list[float]] = field(default_factory=list)
    skipped: list[int] = field(default_factory=lambda: [0, 0])
    decided_on_the_last_bar: int = 0
    entries: int = 0
    peak_leverage: float = 0.0
    peak_bar: int = 0
    is_ruined: bool = False


# ------------------------------------------------------------------------------------- windows
def blocks(bars: int, window: int) -> Iterator[tuple[int, int]]:
    """Cut bars into blocks of ``window``, counted from bar 0; yield each block's begin and stop."""
    for begin in range(0, bars, window):
        yield begin, min(begin + window, bars)


def window_sums(older: Prices, newer: Prices, window: int) -> list[float]:
    """Sum every window that ends in a block.

    Parameters
    ----------
    older : sequence of float
        The terms of the block before, ``window`` of them, or none in front of the first block.
    newer : sequence of float
        The terms of the block itself.
    window : int
        Terms in a window.

    Returns
    -------
    list of float
        One sum for each term of ``newer``; NaN where the window is not complete. The older part is
        added from its newest term to its oldest, the newer part from its oldest to its newest.
    """
    if older:
        last_terms = list(accumulate(reversed(older[1:]), initial=0.0))
    else:
        last_terms = [0.0] + [math.nan] * (window - 1)
    first_terms = list(accumulate(newer, initial=0.0))[1:]
    return [last_terms[window - 1 - j] + total for j, total in enumerate(first_terms)]


def moving_average(prices: Prices, window: int) -> list[float]:
    """Return the mean of the last ``window`` prices at every bar, NaN before there are so many."""
    averages: list[float] = []
    weight = 1.0 / window
    for begin, stop in blocks(len(prices), window):
        origin = prices[begin]
        older = [price - origin for price in prices[max(begin - window, 0) : begin]]
        newer = [price - origin for price in prices[begin:stop]]
        averages += [origin + total * weight for total in window_sums(older, newer, window)]
    return averages


def hedge_ratios(y: Prices, x: Prices, window: int) -> list[float]:
    """Return the slope of y on x (with intercept) over the last ``window`` bars, at every bar.

    NaN before there are that many, and where one of the two prices does not move.
    """
    ratios: list[float] = []
    weight = 1.0 / window
    for begin, stop in blocks(len(y), window):
        y0, x0 = y[begin], x[begin]
        before = slice(max(begin - window, 0), begin)
        older = [(p - y0, q - x0) for p, q in zip(y[before], x[before], strict=True)]
        newer = [(p - y0, q - x0) for p, q in zip(y[begin:stop], x[begin:stop], strict=True)]
        sums_y = window_sums([p for p, _ in older], [p for p, _ in newer], window)
        sums_x = window_sums([q for _, q in older], [q for _, q in newer], window)
        sums_xy = window_sums([q * p for p, q in older], [q * p for p, q in newer], window)
        sums_xx = window_sums([q * q for _, q in older], [q * q for _, q in newer], window)
        sums_yy = window_sums([p * p for p, _ in older], [p * p for p, _ in newer], window)
        for sy, sx, sxy, sxx, syy in zip(sums_y, sums_x, sums_xy, sums_xx, sums_yy, strict=True):
            moves_x = sxx - sx * sx * weight
            moves_y = syy - sy * sy * weight
            both_move = moves_x > 0.0 and moves_y > 0.0
            ratios.append((sxy - sx * sy * weight) / moves_x if both_move else math.nan)
    return ratios


def z_scores(spread: Prices, window: int) -> list[float]:
    """Return the distance of the spread from its mean over ``window`` bars, in deviations (ddof 1).

    NaN where the window is not complete, holds an undefined spread, or does not move.
    """
    scores: list[float] = []
    weight, freedom = 1.0 / window, 1.0 / (window - 1)
    for begin, stop in blocks(len(spread), window):
        origin = spread[begin]
        older = [value - origin for value in spread[max(begin - window, 0) : begin]]
        newer = [value - origin for value in spread[begin:stop]]
        sums = window_sums(older, newer, window)
        squares = window_sums([d * d for d in older], [d * d for d in newer], window)
        for d, total, square in zip(newer, sums, squares, strict=True):
            variance = (square - total * total * weight) * freedom
            moves = variance > 0.0
            scores.append((d - total * weight) / math.sqrt(variance) if moves else math.nan)
    return scores


# ---------------------------------------------------------------------------------- strategies
class PairsRules:
    """When to hold which units of a pair."""

    def __init__(self, strategy: Pairs, closes: list[Prices]) -> None:
        self.strategy = strategy
        self.y, self.x = closes
        self.ratio = hedge_ratios(self.y, self.x, strategy.lookback)
        self.spread = [
            p - ratio * q for p, ratio, q in zip(self.y, self.ratio, self.x, strict=True)
        ]
        self.z = z_scores(self.spread, strategy.lookback)
        self.signals = [self.ratio, self.spread, self.z]
        self.side = 0

    def decide(  # noqa: PLR0911 - a rule a line
        self, t: int, money: float, skipped: list[int]
    ) -> tuple[float, ...] | None:
        """Return the units wanted of y and x, or None for no change of mind."""
        entry, leave = self.strategy.entry, self.strategy.exit
        z, ratio = self.z[t], self.ratio[t]
        if math.isnan(z):
            return None
        if self.side != 0:
            if self.side * z >= -leave:
                self.side = 0
                return (0.0, 0.0)
            return None
        if -entry < z < entry:
            return None
        if not ratio > 0.0:
            skipped[0] += 1
            return None
        units_y = math.floor(money / (self.y[t] + ratio * self.x[t]))
        units_x = math.floor(ratio * units_y + 0.5)
        if units_y <= 0 or units_x <= 0:
            skipped[1] += 1
            return None
        self.side = -1 if z >= entry else 1
        return (float(self.side * units_y), float(-self.side * units_x))


class SmaCrossRules:
    """When to be long."""

    def __init__(self, strategy: SmaCross, closes: list[Prices]) -> None:
        (self.prices,) = closes
        self.fast = moving_average(self.prices, strategy.fast)
        self.slow = moving_average(self.prices, strategy.slow)
        self.signals = [self.fast, self.slow]
        self.side = 0

    def decide(self, t: int, money: float, skipped: list[int]) -> tuple[float, ...] | None:
        """Return the units wanted, or None for no change of mind."""
        above = self.fast[t] > self.slow[t]
        if self.side == 0 and above:
            units = math.floor(money / self.prices[t])
            if units <= 0:
                skipped[1] += 1
                return None
            self.side = 1
            return (float(units),)
        if self.side == 1 and not above:
            self.side = 0
            return (0.0,)
        return None


# -------------------------------------------------------------------------------------- account
class Account:
    """Cash and quantities; every fill changes them exactly once."""

    def __init__(self, capital: float, legs: int, costs: Costs) -> None:
        self.cash = capital
        self.qty = [0.0] * legs
        self.costs = costs
        self.month = ""
        self.traded = 0.0

    def fill(
        self, bar: int, leg: int, target: float, reference: float, *, month: str
    ) -> Fill | None:
        """Trade a leg to its target at a reference price, or do nothing if it is there."""
        qty = target - self.qty[leg]
        if qty == 0.0:
            return None
        rate, half = self.costs.slippage_rate, self.costs.half_spread
        if qty > 0.0:
            price = reference * (1.0 + rate) + half
        else:
            price = max(reference * (1.0 - rate) - half, 0.0)
        fee = self.fee(abs(qty), price, month)
        self.cash = self.cash - qty * price - fee
        self.qty[leg] = target
        return Fill(bar, leg, qty, reference, price, fee, self.cash)

    def fee(self, units: float, price: float, month: str) -> float:
        """Return the fee of an order, and count what the month has traded."""
        if month != self.month:
            self.month, self.traded = month, 0.0
        rate = self.costs.fee_rate
        for value, tier in self.costs.tier_rates:
            if self.traded >= value:
                rate = tier
        self.traded += units * price
        return max(
            rate * (units * price) + self.costs.fee_per_share * units, self.costs.fee_minimum
        )

    def value(self, closes: Sequence[float]) -> tuple[float, float]:
        """Return equity and gross exposure at these closes."""
        equity, gross = self.cash, 0.0
        for qty, close in zip(self.qty, closes, strict=True):
            equity += qty * close
            gross += abs(qty * close)
        return equity, gross


# ----------------------------------------------------------------------------------------- run
def run_reference(
    strategy: CompiledStrategy,
    bars: Bars,
    *,
    capital: float = 100_000.0,
    costs: Costs = Costs(),  # noqa: B008 - frozen, so one instance serves every call
    asked: Range = Range(None, None, "before", None),  # noqa: B008 - a tuple
) -> ReferenceRun:
    """Run a strategy over bars; arguments as in ``backtest``, whose leverage limit is left out."""
    window = open_window(bars, strategy.symbols, asked)
    closes = [window.close[row].tolist() for row in window.rows]
    fills_at = [window.fill_price[row].tolist() for row in window.rows]
    rules = _rules(strategy, closes)
    run = ReferenceRun(window.first, signals=rules.signals)
    account = Account(float(capital), len(closes), costs)
    _walk(rules, window, account, run, prices=(closes, fills_at), sizing=strategy.sizing)
    return run


def _rules(strategy: CompiledStrategy, closes: list[Prices]) -> PairsRules | SmaCrossRules:
    if isinstance(strategy, Pairs):
        return PairsRules(strategy, closes)
    if isinstance(strategy, SmaCross):
        return SmaCrossRules(strategy, closes)
    message = f"the reference has no rules for {strategy!r}"
    raise ConfigError(message)


def _walk(
    rules: PairsRules | SmaCrossRules,
    window: Window,
    account: Account,
    run: ReferenceRun,
    *,
    prices: tuple[list[Prices], list[Prices]],
    sizing: Gross,
) -> None:
    """Go through the bars: fill, value, decide."""
    closes, fills_at = prices
    tiers = account.costs.fee_tiers
    wanted: tuple[float, ...] | None = None
    for t in range(window.first, len(window.ts_close_ns)):
        if wanted is not None:
            run.entries += any(wanted)
            month = session_date(window.ts_close_ns[t]).strftime("%Y-%m") if tiers else ""
            for leg, target in enumerate(wanted):
                fill = account.fill(t, leg, target, fills_at[leg][t], month=month)
                if fill is not None:
                    run.fills.append(fill)
        equity, gross = account.value([close[t] for close in closes])
        run.equity.append(equity)
        run.is_ruined = equity <= 0.0
        if not run.is_ruined and gross > run.peak_leverage * equity:
            run.peak_leverage, run.peak_bar = gross / equity, t
        money = sizing.amount * equity if sizing.of_equity else sizing.amount
        wanted = rules.decide(t, money, run.skipped)
        if run.is_ruined:
            break
    run.decided_on_the_last_bar = 0 if wanted is None else len(wanted)
