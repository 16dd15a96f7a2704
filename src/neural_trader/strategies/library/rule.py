"""What the strategies of the library share: they say which exposure they want, and it is sized."""

from collections.abc import Sequence

from neural_trader.core import ConfigError
from neural_trader.strategies.context import Context
from neural_trader.strategies.library.size import Size, Sizer, read_size
from neural_trader.strategies.strategy import Strategy


class Rule(Strategy):
    """A strategy that wants exposures: 1 is its whole size long, -1 short, 0 flat.

    A subclass sets up in ``begin``, takes every bar in ``observe``, and says in ``decide`` which
    exposures change. A position is ordered when its exposure changes, and then left alone: prices
    alone do not make it trade.

    Attributes
    ----------
    symbols : tuple of str
        What it trades; all symbols of the bars where empty.
    size : Size
        How large an exposure of 1 is.
    """

    def __init__(self, size: float | str | Size, symbols: Sequence[str] | str = ()) -> None:
        self.size = read_size(size)
        self.symbols = read_symbols(symbols)

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Set up for a run that trades ``symbols``; nothing of an earlier run may be left."""

    def observe(self, ctx: Context) -> None:
        """Take this bar, warm-up included; ``decide`` is called after it."""

    def decide(self, ctx: Context) -> dict[str, float]:
        """Return the exposures that change at this bar."""
        raise NotImplementedError

    def on_start(self, ctx: Context) -> None:
        """Set up."""
        self._sizer = Sizer(self.size, ctx.symbols)
        self._late: dict[str, float] = {}
        self.begin(ctx, ctx.symbols)

    def on_bar(self, ctx: Context) -> None:
        """Order what changes; wait with what cannot be sized yet."""
        self._sizer.observe(ctx)
        self.observe(ctx)
        if ctx.is_warming_up:
            return
        wanted = self.decide(ctx)
        if self._late:
            wanted = self._late | wanted
            self._late = {}
        for symbol, exposure in wanted.items():
            if not self._sizer.hold(ctx, symbol, exposure):
                self._late[symbol] = exposure


class SideRule(Rule):
    """A rule that is long, short or flat in every symbol on its own."""

    def side(self, ctx: Context, symbol: str, held: float) -> float:
        """Return the side wanted of a symbol that has a bar now: 1, -1 or 0; ``held`` is its own.

        Comparisons with an undefined indicator are false: such a rule returns ``held``.
        """
        raise NotImplementedError

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Be flat, and watch every symbol."""
        self._sides = dict.fromkeys(symbols, 0.0)
        for symbol in symbols:
            self.watch(ctx, symbol)

    def watch(self, ctx: Context, symbol: str) -> None:
        """Set up the indicators of a symbol."""
        raise NotImplementedError

    def decide(self, ctx: Context) -> dict[str, float]:
        """Return the sides that change."""
        changes = {}
        for symbol, held in self._sides.items():
            if ctx.has_bar(symbol):
                side = self.side(ctx, symbol, held)
                if side != held:
                    self._sides[symbol] = changes[symbol] = side
        return changes


def read_symbols(symbols: Sequence[str] | str) -> tuple[str, ...]:
    """Return symbols as a tuple; a text names them with commas between."""
    names = symbols.split(",") if isinstance(symbols, str) else symbols
    read = tuple(name.strip() if isinstance(name, str) else "" for name in names)
    if not all(read) and symbols:
        message = f"symbols is {symbols!r}; expected names such as 'KO,PEP'"
        raise ConfigError(message)
    return tuple(name for name in read if name)


def read_flag(name: str, value: object) -> bool:
    """Return a yes or no, or raise ConfigError."""
    if not isinstance(value, bool):
        message = f"{name} is {value!r}; expected true or false"
        raise ConfigError(message)
    return value
