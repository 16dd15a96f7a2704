"""What the backtest engine asks of a compiled strategy.

A strategy computes its signals over whole columns once, and then decides: it writes *intents*, a
bar, a leg and the quantity wanted, only where it changes its mind. It never fills anything: fills,
cash and equity have one home, the execution kernel.
"""

from typing import ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from neural_trader.strategies.sizing import Gross

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STATE_SIZE = 4
"""Numbers that a strategy keeps between calls of ``decide``: next bar, side, two skip counts."""


class Legs(NamedTuple):
    """The closes that a strategy decides on, shape (S, T), and the row of each of its legs."""

    close: Floats
    rows: tuple[int, ...]


class IntentBuffer(NamedTuple):
    """Where a strategy writes.

    ``state`` int64 (STATE_SIZE,), kept between calls; ``where`` int64 (2, n), decision bar and leg
    of each intent; ``targets`` float64 (n,), the signed quantity wanted.
    """

    state: Ints
    where: Ints
    targets: Floats


class CompiledStrategy(Protocol):
    """A strategy whose decisions are made by a kernel.

    Attributes
    ----------
    kind : str
        Its name on the command line.
    signal_parameters : tuple of str
        The parameters that its signals depend on: trials that agree in them share signals.
    signal_names : tuple of str
        The rows of what ``signals`` returns.
    skip_reasons : tuple of str
        Why an entry was skipped: what ``state[2]`` and ``state[3]`` count, in bars.
    symbols : tuple of str
        The legs; an intent names a leg by its place here.
    warmup_bars : int
        Index of the first bar at which a decision is possible.
    sizing : Gross
        Where it is a share of equity, the engine calls ``decide`` anew after every exit.
    """

    __struct_fields__: ClassVar[tuple[str, ...]]
    kind: ClassVar[str]
    signal_parameters: ClassVar[tuple[str, ...]]
    signal_names: ClassVar[tuple[str, ...]]
    skip_reasons: ClassVar[tuple[str, str]]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The legs."""
        ...

    @property
    def warmup_bars(self) -> int:
        """Index of the first bar at which a decision is possible."""
        ...

    @property
    def sizing(self) -> Gross:
        """What a new position may be worth."""
        ...

    def signals(self, legs: Legs) -> Floats:
        """Return the signals at every bar, shape (len(signal_names), T); NaN where undefined.

        Timing: column t reads closes up to and including bar t.
        """
        ...

    def decide(self, legs: Legs, signals: Floats, money: float, out: IntentBuffer) -> int:
        """Write decisions from bar ``out.state[0]`` on and return how many intents were written.

        It stops at the last bar, when ``out`` is full, or, where sizing is a share of equity, after
        an exit. ``money`` is what a new position may be worth. An intent decided at the close of
        bar t may be acted upon at bar t + 1.
        """
        ...
