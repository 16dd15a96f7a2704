"""A weighted ensemble: several rules with one account."""

import math
from collections.abc import Sequence

from neural_trader.core import ConfigError
from neural_trader.core.numbers import plain_number
from neural_trader.strategies.context import Context
from neural_trader.strategies.library.rule import Rule
from neural_trader.strategies.library.size import Size


class Ensemble(Rule):
    """Hold the weighted sum of what several rules want.

    Parameters
    ----------
    members : sequence of Rule
        Strategies of the library, each an object of its own. What they want is taken as exposures
        from -1 to 1; their own sizes are not.
    weights : sequence of float, optional
        One a member; equal ones that sum to 1 by default. A negative weight bets against a member.
    size : float, str or Size
        What an exposure of 1 is worth in each symbol; see ``read_size``. 10% of equity by default.

    Raises
    ------
    ConfigError
        No member, a member that is none or stands there twice, or weights that are not one a
        member.

    Notes
    -----
    Timing: that of its members; a symbol is ordered at the bar at which any member changes its
    mind about it. Opposite wishes cancel out before they cost anything. Each member sees only the
    symbols that it names, or all.

    References
    ----------
    Clemen (1989), "Combining forecasts", International Journal of Forecasting 5.
    """

    def __init__(
        self,
        members: Sequence[Rule],
        weights: Sequence[float] | None = None,
        *,
        size: float | str | Size = "10%",
    ) -> None:
        self.members = tuple(members)
        bad = [member for member in self.members if not isinstance(member, Rule)]
        if bad or not self.members:
            message = (
                f"members are {members!r}; expected strategies of nt.library, one or more "
                "(nt.library.SmaCross in place of nt.SmaCross)"
            )
            raise ConfigError(message)
        if len({id(member) for member in self.members}) < len(self.members):
            message = "a member stands in the ensemble twice; make it twice, or double its weight"
            raise ConfigError(message)
        given = [1.0 / len(self.members)] * len(self.members) if weights is None else weights
        self.weights = tuple(plain_number(weight) for weight in given)
        if len(self.weights) != len(self.members) or not all(map(math.isfinite, self.weights)):
            message = f"weights are {weights!r}; expected {len(self.members)} finite numbers"
            raise ConfigError(message)
        named = [symbol for member in self.members for symbol in member.symbols]
        everything = any(not member.symbols for member in self.members)
        super().__init__(size, () if everything else tuple(dict.fromkeys(named)))

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Set up every member."""
        self._wanted: list[dict[str, float]] = [{} for _ in self.members]
        for member in self.members:
            member.begin(ctx, member.symbols or symbols)

    def observe(self, ctx: Context) -> None:
        """Let every member take this bar."""
        for member in self.members:
            member.observe(ctx)

    def decide(self, ctx: Context) -> dict[str, float]:
        """Return the sums of the symbols about which a member has changed its mind."""
        changed: dict[str, None] = {}
        for place, member in enumerate(self.members):
            news = member.decide(ctx)
            self._wanted[place].update(news)
            changed |= dict.fromkeys(news)
        return {
            symbol: math.fsum(
                weight * wanted.get(symbol, 0.0)
                for weight, wanted in zip(self.weights, self._wanted, strict=True)
            )
            for symbol in changed
        }
