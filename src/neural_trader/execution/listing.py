"""The units of an instrument on the order path, and the one place that turns them into money.

Everything is an integer: prices in ticks, quantities in lots, money in minor units (cents). Sizes
are written as decimal text in the configuration, and never pass through a float.
"""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from neural_trader.core.errors import ConfigError

_PLACES_MAX: Final = 18


class Listing:
    """An instrument: its tick, its lot, and what one tick of one lot is worth.

    Parameters
    ----------
    symbol : str
    tick_size, lot_size, minor_unit : str
        Decimal text above 0: the grid of prices, the grid of quantities, and the smallest unit of
        money, such as "0.01", "1" and "0.01".

    Raises
    ------
    ConfigError
        A size is not a decimal above 0.
    """

    __slots__ = (
        "_denominator",
        "_numerator",
        "lot_size",
        "minor_unit",
        "symbol",
        "tick_size",
    )

    def __init__(
        self, symbol: str, tick_size: str = "0.01", lot_size: str = "1", minor_unit: str = "0.01"
    ) -> None:
        self.symbol = symbol
        self.tick_size = read_step(f"tick_size of {symbol}", tick_size)
        self.lot_size = read_step(f"lot_size of {symbol}", lot_size)
        self.minor_unit = read_step(f"minor_unit of {symbol}", minor_unit)
        worth = Fraction(self.tick_size) * Fraction(self.lot_size) / Fraction(self.minor_unit)
        self._numerator, self._denominator = worth.numerator, worth.denominator

    @property
    def sizes(self) -> tuple[str, str, str, str]:
        """Symbol, tick, lot and minor unit as text, as a ``Welcome`` has them."""
        return self.symbol, str(self.tick_size), str(self.lot_size), str(self.minor_unit)

    def value(self, ticks: int, lots: int) -> int:
        """Return what so many lots cost at a price, in minor units, halves to the even one.

        The sign is that of ``ticks * lots``.
        """
        if self._denominator == 1:
            return ticks * lots * self._numerator
        worth = ticks * lots * self._numerator
        whole, rest = divmod(worth, self._denominator)
        twice = 2 * rest
        if twice > self._denominator or (twice == self._denominator and whole & 1):
            whole += 1
        return whole

    @property
    def denominator(self) -> int:
        """Into how many parts a minor unit must be cut for a tick of a lot to be a whole number."""
        return self._denominator

    def weight(self, scale: int) -> int:
        """Return what a tick of a lot is worth in minor units times ``scale``.

        ``scale`` is a multiple of ``denominator``.
        """
        return self._numerator * scale // self._denominator

    def worst_value(self, ticks: int, lots: int) -> int:
        """Return what so many lots cost at most: rounded away from zero, for limits."""
        worth = ticks * abs(lots) * self._numerator
        return -(-worth // self._denominator)

    def ticks_of(self, value: int, lots: int) -> int:
        """Return the price in whole ticks at which so many lots cost ``value``, halves to even."""
        exact = Fraction(abs(value) * self._denominator, abs(lots) * self._numerator)
        return round(exact)

    # ------------------------------------------------------------------ text to units, and back
    def read_price(self, text: "str | int | Decimal") -> int:
        """Return a price in ticks.

        Raises
        ------
        ConfigError
            Not a decimal above 0, or not a whole number of ticks.
        """
        return _steps(self.symbol, "price", text, self.tick_size)

    def read_qty(self, text: "str | int | Decimal") -> int:
        """Return a signed quantity in lots.

        Raises
        ------
        ConfigError
            Not a decimal, 0, or not a whole number of lots.
        """
        return _steps(self.symbol, "quantity", text, self.lot_size, signed=True)

    def price(self, ticks: int) -> Decimal:
        """Return a price in money."""
        return ticks * self.tick_size

    def qty(self, lots: int) -> Decimal:
        """Return a quantity in units."""
        return lots * self.lot_size

    def money(self, minor: int) -> Decimal:
        """Return minor units as money."""
        return minor * self.minor_unit

    def nearest_ticks(self, price: float) -> int:
        """Return a research price in ticks: the one door by which floats come in."""
        exact = Decimal(repr(price)) / self.tick_size
        return int(exact.to_integral_value(ROUND_HALF_EVEN))

    def nearest_minor(self, money: float) -> int:
        """Return an amount of research money in minor units."""
        return int((Decimal(repr(money)) / self.minor_unit).to_integral_value(ROUND_HALF_EVEN))


def read_step(what: str, text: str) -> Decimal:
    """Return the step of a grid: of prices, of quantities or of money.

    Raises
    ------
    ConfigError
        It is no decimal above 0, or one with more than 18 places on either side of the point.
    """
    try:
        size = Decimal(text)
    except (InvalidOperation, TypeError, ValueError):
        size = Decimal(0)
    if not size.is_finite() or size <= 0 or not _is_writable(size):
        message = f"{what} is {text!r}; expected decimal text above 0, such as '0.01'"
        raise ConfigError(message)
    return size


def _is_writable(size: Decimal) -> bool:
    """Whether its digits can be counted with: of 1e-999999 nothing else would come to an end."""
    return size.adjusted() <= _PLACES_MAX and int(size.as_tuple().exponent) >= -_PLACES_MAX


def _steps(symbol: str, what: str, text: object, size: Decimal, *, signed: bool = False) -> int:
    if isinstance(text, float):
        message = (
            f"the {what} of {symbol} is the float {text!r}; give decimal text such as "
            f"'{text!r}', because money is counted exactly"
        )
        raise ConfigError(message)
    try:
        number = Decimal(text)  # type: ignore[arg-type]
    except (InvalidOperation, TypeError, ValueError):
        number = Decimal("NaN")
    if not number.is_finite() or number == 0 or (number < 0 and not signed):
        allowed = "a decimal other than 0" if signed else "a decimal above 0"
        message = f"the {what} of {symbol} is {text!r}; expected {allowed}, such as '54.20'"
        raise ConfigError(message)
    steps = number / size
    if steps != steps.to_integral_value():
        message = (
            f"the {what} of {symbol} is {number}, which is no whole number of steps of {size}; "
            f"the nearest are {_nearest(steps) * size} and {(_nearest(steps) + 1) * size}"
        )
        raise ConfigError(message)
    return int(steps)


def _nearest(steps: Decimal) -> int:
    return int(steps // 1) if steps >= 0 else -int(-steps // 1) - 1
