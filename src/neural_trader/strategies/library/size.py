"""How large a position is: in shares, money, a share of equity, or by its volatility."""

import math
from collections import deque
from itertools import pairwise
from typing import Final, NamedTuple

from neural_trader.core import ConfigError
from neural_trader.core.sessions import DAY_NS
from neural_trader.strategies.context import Context
from neural_trader.strategies.sizing import read_gross

_YEAR_NS: Final = 365.25 * DAY_NS
_EXPECTED: Final = (
    "expected money such as 20000, a share of equity such as 0.2 or '20%', '100 shares', or "
    "'10% volatility'"
)


class Size(NamedTuple):
    """A size: its unit, its amount, and for ``volatility`` the returns it is measured over.

    ``unit`` is ``shares``, ``money``, ``equity`` or ``volatility``. For volatility the amount is
    what a position may move in a year, as a share of equity, and the position is worth at most
    ``most`` of equity.
    """

    unit: str
    amount: float
    window: int = 60
    most: float = 1.0

    def __str__(self) -> str:
        """Say it in words."""
        return {
            "shares": f"{self.amount:g} shares",
            "money": f"{self.amount:,.2f} in money",
            "equity": f"{self.amount * 100:g} % of equity",
            "volatility": f"{self.amount * 100:g} % volatility, at most {self.most:g} x equity",
        }[self.unit]


def read_size(value: float | str | Size) -> Size:
    """Read a size.

    Parameters
    ----------
    value : float, str or Size
        As ``gross`` of ``nt.Pairs``: above 10 it is money, up to 10 or as ``"20%"`` a share of
        equity. ``"100 shares"``: a quantity. ``"10% volatility"``: a share of equity whose moves
        would have been that large in a year, by the deviation of the last 60 returns.

    Raises
    ------
    ConfigError
        Anything else, or nothing above zero.
    """
    if isinstance(value, Size):
        return value
    words = value.split() if isinstance(value, str) else []
    if len(words) == 2 and words[1] in ("share", "shares", "volatility"):
        percent = words[0].endswith("%")
        try:
            amount = float(words[0].removesuffix("%")) / (100.0 if percent else 1.0)
        except ValueError:
            amount = math.nan
        is_shares = words[1] != "volatility"
        if not 0.0 < amount < math.inf or (percent and is_shares):
            message = f"size is {value!r}; {_EXPECTED}"
            raise ConfigError(message)
        return Size("shares" if is_shares else "volatility", amount)
    try:
        gross = read_gross(value)
    except ConfigError:
        message = f"size is {value!r}; {_EXPECTED}"
        raise ConfigError(message) from None
    return Size("equity" if gross.of_equity else "money", gross.amount)


class Sizer:
    """Orders positions of a size; fed with every bar where the size follows volatility."""

    def __init__(self, size: Size, symbols: tuple[str, ...]) -> None:
        self._size = size
        moving = size.unit == "volatility"
        self._closes: dict[str, deque[tuple[int, float]]] = {
            symbol: deque(maxlen=size.window + 1) for symbol in symbols if moving
        }

    def observe(self, ctx: Context) -> None:
        """Take this bar's closes."""
        for symbol, closes in self._closes.items():
            if ctx.has_bar(symbol):
                closes.append((ctx.ts_close_ns, ctx.close(symbol)))

    def hold(self, ctx: Context, symbol: str, exposure: float) -> bool:
        """Hold ``exposure`` times the size of a symbol; False if its volatility is not known yet.

        0 is flat, 1 all of it, -1 short of all of it.
        """
        unit, amount, *_ = self._size
        if exposure == 0.0 or unit == "shares":
            ctx.target_qty(symbol, exposure * amount)
        elif unit == "money":
            ctx.target_notional(symbol, exposure * amount)
        elif unit == "equity":
            ctx.target_weight(symbol, exposure * amount)
        else:
            weight = self._weight(symbol)
            if math.isnan(weight):
                return False
            ctx.target_weight(symbol, exposure * weight)
        return True

    def _weight(self, symbol: str) -> float:
        """Return the share of equity that would have moved by the amount in a year."""
        closes = self._closes[symbol]
        count = len(closes) - 1
        if count < self._size.window:
            return math.nan
        prices = [price for _, price in closes]
        returns = [b / a - 1.0 for a, b in pairwise(prices)]
        mean = math.fsum(returns) / count
        variance = math.fsum((r - mean) ** 2 for r in returns) / (count - 1)
        years = (closes[-1][0] - closes[0][0]) / _YEAR_NS
        deviation = math.sqrt(variance * count / years)
        # Prices that do not move would ask for any amount: the cap decides.
        wanted = self._size.amount / deviation if deviation > 0.0 else math.inf
        return min(wanted, self._size.most)
