"""Pairs trading with every choice that the field makes, for many pairs on one account."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from neural_trader.core import ConfigError
from neural_trader.core.numbers import plain_number
from neural_trader.strategies.context import Context
from neural_trader.strategies.indicators import OLS, SMA, Correlation, Std, ZScore
from neural_trader.strategies.library.rule import Rule
from neural_trader.strategies.library.size import Size
from neural_trader.strategies.parameters import read_finite, read_whole

Hedge = Literal["rolling", "entry"]
Spread = Literal["moving", "window", "held"]


class Leg(NamedTuple):
    """The symbols of a pair: y is what the hedge ratio times x hedges."""

    y: str
    x: str


class PairsBook(Rule):
    """Trade the spreads of many pairs, which share one account.

    With one pair and the defaults it is ``nt.Pairs``, fill by fill.

    Parameters
    ----------
    pairs : sequence of (y, x), or text such as "KO/PEP,HD/LOW"
        A symbol may be a leg of several pairs; their units are added up.
    lookback : int
        Bars of every window, at least 3.
    entry, exit : float
        Enter at a z-score of +entry (short the spread) or -entry (long it); leave a short spread at
        z <= exit, a long one at z >= -exit. exit < entry.
    hedge : {"rolling", "entry"} or float
        The hedge ratio of the z-score: estimated anew at every bar; kept from the entry on while
        the pair is held; or this number always.
    spread : {"moving", "window", "held"}
        What the z-score measures: each bar's spread with the hedge ratio in force at that bar; the
        whole window's with the hedge ratio in force now; or, while the pair is held, the whole
        window's with the ratio of the units held (otherwise as ``window``).
    stop : float, optional
        Leave when the z-score has moved this far against the position; above ``entry``.
    longest : int, optional
        Leave at the close of this many bars after the decision to enter.
    cooldown : int
        Bars after a decision to leave in which the pair is not entered again.
    most : int, optional
        Pairs held at the same time; of those that would enter at one bar, the farthest from their
        mean go first.
    size : float, str or Size
        Gross value of each pair, in money or as a share of equity. 20,000 by default.

    Raises
    ------
    ConfigError
        A parameter outside its range.

    Notes
    -----
    Timing: a decision reads closes up to bar t and fills at bar t + 1. The first is at bar
    2 x lookback - 2 where the spread is ``moving``, else at bar lookback - 1. A pair decides only
    where both legs have a bar, and with a stop it is not entered beyond it. Units are whole lots
    fixed at the decision, as those of ``nt.Pairs``.
    Missing: an undefined z-score or a hedge ratio <= 0 gives no entry, and the first no exit but
    for ``longest``.

    References
    ----------
    Gatev, Goetzmann and Rouwenhorst (2006), "Pairs Trading", Review of Financial Studies 19(3);
    Vidyamurthy (2004), Pairs Trading, chapters 5 to 8.
    """

    def __init__(  # noqa: PLR0913 - the choices of the field
        self,
        pairs: Sequence[tuple[str, str]] | str,
        *,
        lookback: int = 60,
        entry: float = 2.0,
        exit: float = 0.5,  # noqa: A002 - what traders call it
        hedge: Hedge | float = "rolling",
        spread: Spread = "moving",
        stop: float | None = None,
        longest: int | None = None,
        cooldown: int = 0,
        most: int | None = None,
        size: float | str | Size = 20_000.0,
    ) -> None:
        self.pairs = _read_pairs(pairs)
        super().__init__(size, tuple(dict.fromkeys(leg for pair in self.pairs for leg in pair)))
        self.lookback = read_whole("lookback", lookback, at_least=3)
        self.entry, self.exit = read_finite("entry", entry), read_finite("exit", exit)
        self.hedge = _read_hedge(hedge)
        self.spread = spread
        self.stop = None if stop is None else read_finite("stop", stop)
        self.longest = None if longest is None else read_whole("longest", longest, at_least=1)
        self.cooldown = read_whole("cooldown", cooldown, at_least=0)
        self.most = None if most is None else read_whole("most", most, at_least=1)
        if spread not in ("moving", "window", "held"):
            message = f"spread is {spread!r}; expected moving, window or held"
            raise ConfigError(message)
        if not self.exit < self.entry or self.entry <= 0.0:
            message = f"exit is {exit!r} and entry is {entry!r}; expected exit < entry, entry > 0"
            raise ConfigError(message)
        if self.stop is not None and self.stop <= self.entry:
            message = f"stop is {stop!r} and entry is {entry!r}; expected entry < stop"
            raise ConfigError(message)
        if self.size.unit not in ("money", "equity"):
            message = f"size is {size!r}; a pair is sized by its gross value: money or a share"
            raise ConfigError(message)

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Set up every pair."""
        del symbols
        self._held = [_Pair(self, pair) for pair in self.pairs]
        for pair in self._held:
            for indicator, legs in pair.tracked():
                ctx.track(indicator, *legs)

    def observe(self, ctx: Context) -> None:
        """Let every pair take this bar."""
        for pair in self._held:
            if ctx.has_bar(pair.legs.y) and ctx.has_bar(pair.legs.x):
                pair.observe(ctx)

    def decide(self, ctx: Context) -> dict[str, float]:
        """Return the exposures of the symbols of pairs that change: their share of the gross."""
        changed = self._decide(ctx)
        symbols = dict.fromkeys(leg for pair in changed for leg in pair.legs)
        return {
            symbol: math.fsum(pair.exposure(symbol) for pair in self._held) for symbol in symbols
        }

    def on_bar(self, ctx: Context) -> None:
        """Order whole units: a pair's second leg follows from the units of its first."""
        self.observe(ctx)
        if ctx.is_warming_up:
            return
        changed = self._decide(ctx)
        for symbol in dict.fromkeys(leg for pair in changed for leg in pair.legs):
            ctx.target_qty(symbol, math.fsum(pair.units.get(symbol, 0.0) for pair in self._held))

    def _decide(self, ctx: Context) -> "list[_Pair]":
        """Let pairs leave, then enter, and return those that did."""
        here = [p for p in self._held if ctx.has_bar(p.legs.y) and ctx.has_bar(p.legs.x)]
        left = [pair for pair in here if pair.side != 0 and pair.leaves()]
        for pair in left:
            pair.leave()
        room = len(self._held) if self.most is None else self.most
        room -= sum(pair.side != 0 for pair in self._held)
        wanting = [pair for pair in here if pair.side == 0 and pair not in left and pair.enters()]
        wanting.sort(key=lambda pair: -abs(pair.z))
        unit, amount = self.size.unit, self.size.amount
        # One equity for all that enter at this bar, whatever the order.
        money = amount * ctx.equity if wanting and unit == "equity" else amount
        entered = []
        for pair in wanting:
            if room > 0 and pair.enter(ctx, money):
                entered.append(pair)
                room -= 1
        return left + entered


class _Pair:
    """One pair of a book: its indicators, its z-score now, and what it holds."""

    def __init__(self, rules: PairsBook, legs: Leg) -> None:
        self.rules = rules
        self.legs = legs
        n = rules.lookback
        self.line = OLS(n)
        self.score = ZScore(n)
        self.means = SMA(n), SMA(n)
        self.deviations = Std(n), Std(n)
        self.correlation = Correlation(n)
        self.side = 0
        self.units: dict[str, float] = {}
        self.shares: dict[str, float] = {}
        self.fixed = math.nan
        self.z = self.ratio = math.nan
        self.bars_held = 0
        self.bars_out = rules.cooldown

    def tracked(self) -> list[tuple[OLS | SMA | Std | Correlation, tuple[str, ...]]]:
        """Return the indicators that the engine feeds, with their symbols."""
        y, x = self.legs
        if self.rules.spread == "moving":
            return [(self.line, (y, x))]
        return [
            (self.line, (y, x)),
            (self.correlation, (y, x)),
            (self.means[0], (y,)),
            (self.means[1], (x,)),
            (self.deviations[0], (y,)),
            (self.deviations[1], (x,)),
        ]

    def observe(self, ctx: Context) -> None:
        """Take this bar: the ratio in force, and the z-score of the spread by it."""
        rules = self.rules
        y, x = ctx.close(self.legs.y), ctx.close(self.legs.x)
        number = rules.hedge
        self.ratio = self.line.value if isinstance(number, str) else number
        if self.side != 0:
            self.bars_held += 1
            if rules.hedge == "entry":
                self.ratio = self.fixed
        else:
            self.bars_out += 1
        if rules.spread == "moving":
            self.z = self.score.update(y - self.ratio * x)
            return
        ratio = self.ratio
        if rules.spread == "held" and self.side != 0:
            ratio = abs(self.units[self.legs.x] / self.units[self.legs.y])
        self.z = self._window_z(y, x, ratio)

    def _window_z(self, y: float, x: float, ratio: float) -> float:
        """Return the z-score of y - ratio x in a window that has one ratio."""
        mean_y, mean_x = (mean.value for mean in self.means)
        dev_y, dev_x = (deviation.value for deviation in self.deviations)
        covariance = self.correlation.value * dev_y * dev_x
        variance = dev_y * dev_y - 2.0 * ratio * covariance + ratio * ratio * dev_x * dev_x
        if not variance > 0.0:
            return math.nan
        return ((y - mean_y) - ratio * (x - mean_x)) / math.sqrt(variance)

    def leaves(self) -> bool:
        """Whether the pair is to be left: it is back, stopped, or has been held long enough."""
        rules, against = self.rules, -self.side * self.z
        back = against <= rules.exit
        stopped = rules.stop is not None and against >= rules.stop
        return back or stopped or (rules.longest is not None and self.bars_held >= rules.longest)

    def leave(self) -> None:
        """Hold nothing."""
        self.side = 0
        self.units, self.shares = {}, {}
        self.bars_out = 0

    def enters(self) -> bool:
        """Whether the pair is far from its mean, may be entered, and can be hedged."""
        far = abs(self.z) >= self.rules.entry
        stopped = self.rules.stop is not None and abs(self.z) >= self.rules.stop
        return far and not stopped and self.ratio > 0.0 and self.bars_out > self.rules.cooldown

    def enter(self, ctx: Context, money: float) -> bool:
        """Hold what the money buys; False where a leg would have nothing."""
        y, x = self.legs
        close_y, close_x = ctx.close(y), ctx.close(x)
        lots = [ctx.instruments[ctx.symbols.index(leg)] for leg in self.legs]
        gross = close_y + self.ratio * close_x
        units_y = lots[0].whole_lots(money / gross)
        units_x = lots[1].on_grid(self.ratio * units_y)
        if units_y <= 0.0 or units_x <= 0.0:
            return False
        self.side = -1 if self.z > 0.0 else 1
        self.units = {y: self.side * units_y, x: -self.side * units_x}
        parts = close_y / gross, self.ratio * close_x / gross
        self.shares = {y: self.side * parts[0], x: -self.side * parts[1]}
        self.fixed = self.ratio
        self.bars_held = 0
        return True

    def exposure(self, symbol: str) -> float:
        """Return the share of the pair's gross value that stands in a symbol, signed."""
        return self.shares.get(symbol, 0.0)


def _read_pairs(pairs: Sequence[tuple[str, str]] | str) -> tuple[Leg, ...]:
    given = [part.split("/") for part in pairs.split(",")] if isinstance(pairs, str) else pairs
    read: list[Leg] = []
    for legs in given:
        names = [leg.strip() for leg in legs if isinstance(leg, str)]
        if isinstance(legs, str) or len(names) != 2 or not all(names) or names[0] == names[1]:
            message = f"pairs has {legs!r}; expected two different symbols, such as KO/PEP"
            raise ConfigError(message)
        read.append(Leg(*names))
    if not read or len(set(read)) < len(read):
        message = f"pairs is {pairs!r}; expected a pair or more, none of them twice"
        raise ConfigError(message)
    return tuple(read)


def _read_hedge(hedge: object) -> Hedge | float:
    if hedge == "rolling":
        return "rolling"
    if hedge == "entry":
        return "entry"
    ratio = math.nan if isinstance(hedge, str) else plain_number(hedge)
    if not 0.0 < ratio < math.inf:
        message = f"hedge is {hedge!r}; expected rolling, entry, or a number above 0"
        raise ConfigError(message)
    return ratio
