"""The moving-average crossover: long while the fast average is above the slow one."""

from typing import ClassVar

import msgspec
import numpy as np

from neural_trader._kernels import sma_cross as kernel
from neural_trader.core import ConfigError, scratch
from neural_trader.core.numbers import settle
from neural_trader.strategies.parameters import read_size, read_symbol, read_whole
from neural_trader.strategies.protocol import Floats, IntentBuffer, Legs
from neural_trader.strategies.sizing import Gross, read_gross


class _Leg(msgspec.Struct, frozen=True):
    symbol: str


class SmaCross(_Leg, frozen=True, kw_only=True, tag="sma-cross", forbid_unknown_fields=True):
    """Hold one symbol while its fast simple moving average is above its slow one.

    Parameters
    ----------
    symbol : str
        What to trade.
    fast, slow : int
        Closes in each average, the current one included; fast < slow.
    gross : float or str
        Value of a position at the decision: above 10 it is money, up to 10 a share of equity
        (0.2 or "20%").

    Raises
    ------
    ConfigError
        A parameter is outside its range, or fast >= slow.

    Notes
    -----
    Timing: a decision reads closes up to and including bar t, the first at bar slow - 1, and fills
    at bar t + 1 at the earliest. It is a state, not a crossing: where the fast average already is
    above the slow one at the first decision, that decision is to buy. Units are whole shares,
    floor(gross / close); an entry of 0 shares is skipped and counted.
    Missing: equal averages are not "above"; before bar slow - 1 there is no decision.

    References
    ----------
    Brock, Lakonishok and LeBaron (1992), "Simple Technical Trading Rules", Journal of Finance 47.

    Examples
    --------
    >>> SmaCross("KO", fast=20, slow=50).warmup_bars
    49
    """

    fast: int = 20
    slow: int = 50
    gross: float | str = 20_000.0

    kind: ClassVar[str] = "sma-cross"
    signal_parameters: ClassVar[tuple[str, ...]] = ("fast", "slow")
    signal_names: ClassVar[tuple[str, ...]] = ("fast", "slow")
    skip_reasons: ClassVar[tuple[str, str]] = ("", "leg_of_zero_shares")

    def __post_init__(self) -> None:
        """Refuse parameters outside their range."""
        settle(
            self,
            symbol=read_symbol("symbol", self.symbol),
            fast=read_whole("fast", self.fast, at_least=1),
            slow=read_whole("slow", self.slow, at_least=2),
            gross=read_size(self.gross),
        )
        if self.fast >= self.slow:
            message = f"fast is {self.fast} and slow is {self.slow}; expected fast < slow"
            raise ConfigError(message)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The one leg."""
        return (self.symbol,)

    @property
    def warmup_bars(self) -> int:
        """Index of the first bar that can have both averages."""
        return self.slow - 1

    @property
    def sizing(self) -> Gross:
        """The gross value as money or a share of equity."""
        return read_gross(self.gross)

    def signals(self, legs: Legs) -> Floats:
        """Return the fast and the slow average at every bar, shape (2, T)."""
        bars = legs.close.shape[1]
        out = scratch.empty((2, bars))
        # A window of more bars than there are is undefined at all of them, however long it is.
        windows = (min(self.fast, bars + 1), min(self.slow, bars + 1))
        kernel.signals(legs.close, legs.rows[0], windows, np.empty(windows[1]), out)
        return out

    def decide(self, legs: Legs, signals: Floats, money: float, out: IntentBuffer) -> int:
        """Write entries and exits from bar ``out.state[0]`` on; see ``CompiledStrategy``."""
        return kernel.decide(legs.close, legs.rows[0], signals, money, self.sizing.of_equity, *out)
