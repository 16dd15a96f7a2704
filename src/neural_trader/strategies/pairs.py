"""The pairs strategy: trade the spread of two prices against its own recent range."""

from typing import ClassVar

import msgspec
import numpy as np

from neural_trader._kernels import pairs as kernel
from neural_trader.core import ConfigError, scratch
from neural_trader.core.numbers import settle
from neural_trader.strategies.parameters import (
    read_finite,
    read_size,
    read_symbol,
    read_whole,
)
from neural_trader.strategies.protocol import Floats, IntentBuffer, Legs
from neural_trader.strategies.sizing import Gross, read_gross


class _Legs(msgspec.Struct, frozen=True):
    y: str
    x: str


class Pairs(_Legs, frozen=True, kw_only=True, tag="pairs", forbid_unknown_fields=True):
    """Short the spread of two prices when it is high, buy it when it is low.

    The hedge ratio is the slope, with intercept, of an ordinary least squares regression of ``y``
    on ``x`` over the last ``lookback`` closes; the spread is ``y - hedge_ratio * x``; the z-score
    measures the spread against its mean and sample deviation (ddof 1) over ``lookback`` bars.

    Parameters
    ----------
    y, x : str
        The two symbols.
    lookback : int
        Bars of both windows, at least 3.
    entry : float
        Enter when the z-score reaches +entry (short the spread) or -entry (long it); above 0.
    exit : float
        Leave a short spread at z <= exit, a long one at z >= -exit. Below ``entry``; 0 and
        negative values wait until the spread has crossed its mean.
    gross : float or str
        Gross value of a position at the decision: above 10 it is money, up to 10 a share of
        equity (0.2 or "20%").

    Raises
    ------
    ConfigError
        A parameter is outside its range, or exit >= entry.

    Notes
    -----
    Timing: a decision reads closes up to and including bar t, the first at bar 2 x lookback - 2,
    and fills at bar t + 1 at the earliest. Units are whole shares fixed at the decision:
    floor(gross / (y + hedge_ratio x x)) of y and floor(hedge_ratio x units + 1/2) of x. An entry
    with a hedge ratio <= 0 or a leg of 0 shares is skipped and counted.
    Missing: a window in which a price (or the spread) does not move gives no decision.
    The z-score also falls because the hedge ratio moves: a converged trade may lose money, see
    ``Result.round_trips``.

    References
    ----------
    Gatev, Goetzmann and Rouwenhorst (2006), "Pairs Trading", Review of Financial Studies 19(3);
    Vidyamurthy (2004), Pairs Trading, chapter 5 (regression hedge ratio).

    Examples
    --------
    >>> Pairs("KO", "PEP", lookback=60, entry=2.0, exit=0.5, gross=20_000).warmup_bars
    118
    """

    lookback: int = 60
    entry: float = 2.0
    exit: float = 0.5
    gross: float | str = 20_000.0

    kind: ClassVar[str] = "pairs"
    signal_parameters: ClassVar[tuple[str, ...]] = ("lookback",)
    signal_names: ClassVar[tuple[str, ...]] = ("hedge_ratio", "spread", "z_score")
    skip_reasons: ClassVar[tuple[str, str]] = ("hedge_ratio_not_positive", "leg_of_zero_shares")

    def __post_init__(self) -> None:
        """Refuse parameters outside their range."""
        settle(
            self,
            y=read_symbol("y", self.y),
            x=read_symbol("x", self.x),
            lookback=read_whole("lookback", self.lookback, at_least=3),
            entry=read_finite("entry", self.entry),
            exit=read_finite("exit", self.exit),
            gross=read_size(self.gross),
        )
        if self.y == self.x:
            message = f"both legs are {self.y}; a pair needs two different symbols"
            raise ConfigError(message)
        if self.entry <= 0.0:
            message = f"entry is {self.entry!r}; expected a z-score above 0"
            raise ConfigError(message)
        if self.exit >= self.entry:
            message = (
                f"exit is {self.exit!r} and entry is {self.entry!r}; expected exit < entry, or "
                "every position would be left at once"
            )
            raise ConfigError(message)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The legs: y, x."""
        return (self.y, self.x)

    @property
    def warmup_bars(self) -> int:
        """Index of the first bar that can have a z-score."""
        return 2 * self.lookback - 2

    @property
    def sizing(self) -> Gross:
        """The gross value as money or a share of equity."""
        return read_gross(self.gross)

    def signals(self, legs: Legs) -> Floats:
        """Return hedge ratio, spread and z-score at every bar, shape (3, T)."""
        bars = legs.close.shape[1]
        out = scratch.empty((3, bars))
        # A window of more bars than there are is undefined at all of them, however long it is.
        lookback = min(self.lookback, max(bars + 1, 3))
        room = np.empty((kernel.SCRATCH_ROWS, lookback))
        kernel.signals(legs.close, legs.rows[0], legs.rows[1], lookback, room, out)
        return out

    def decide(self, legs: Legs, signals: Floats, money: float, out: IntentBuffer) -> int:
        """Write entries and exits from bar ``out.state[0]`` on; see ``CompiledStrategy``."""
        levels = (self.entry, self.exit, money)
        return kernel.decide(legs.close, legs.rows, signals, levels, self.sizing.of_equity, *out)
