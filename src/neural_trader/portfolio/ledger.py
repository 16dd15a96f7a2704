"""A ledger in exact money: fills in, positions and totals out, for any number of symbols.

It books as ``core.position`` says, which the gateway's ledger does as well. Money is counted in
whole units, such as cents, and read as ``Decimal``; nothing passes through a float.
"""

from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Final, NamedTuple

from neural_trader.core.errors import ConfigError
from neural_trader.core.position import book_fill, share_evenly

Number = Decimal | str | int | float
"""What a number may come as: text, ``Decimal`` and integers are exact; a float counts as the
shortest decimal that reads back as it, 0.1 as 0.1."""

_PLACES_MAX: Final = 30
# Quantities and prices have some 30 digits at most: their products are exact in 200.
_EXACT: Final = Context(prec=200)
_AVERAGE: Final = Context(prec=28)
_ZERO: Final = Decimal(0)


class PositionLine(NamedTuple):
    """One symbol's line in a ledger; money as ``Decimal``.

    Attributes
    ----------
    symbol : str
    qty : Decimal
        Signed quantity.
    average_price : Decimal or None
        Cost of a unit of what is held, to 28 digits; None where nothing is held.
    price : Decimal
        The last that is known: that of ``mark``, or of the last fill.
    cost, value : Decimal
        Of what is held: at average and at the last price; negative for a short position.
    realized_pnl, unrealized_pnl : Decimal
        Without fees.
    fees : Decimal
    """

    symbol: str
    qty: Decimal
    average_price: Decimal | None
    price: Decimal
    cost: Decimal
    value: Decimal
    realized_pnl: Decimal
    unrealized_pnl: Decimal
    fees: Decimal


class Totals(NamedTuple):
    """The account as a whole: ``equity = opening + realized + unrealized - fees``, exactly.

    Attributes
    ----------
    cash, equity : Decimal
    gross_exposure, net_exposure : Decimal
        Sums of |quantity x price| and of quantity x price.
    realized_pnl, unrealized_pnl, fees : Decimal
    """

    cash: Decimal
    equity: Decimal
    gross_exposure: Decimal
    net_exposure: Decimal
    realized_pnl: Decimal
    unrealized_pnl: Decimal
    fees: Decimal


class _Line:
    """A symbol's position: quantity exact, money in units."""

    __slots__ = ("cost", "fees", "price", "qty", "realized")

    def __init__(self) -> None:
        self.qty = Fraction(0)
        self.cost = self.realized = self.fees = 0
        self.price = _ZERO


class Ledger:
    """Cash and positions in exact money.

    Parameters
    ----------
    cash : Decimal, str, int or float
        Opening cash.
    unit : Decimal, str or int
        The smallest unit of money: what cash, values and fees are whole multiples of. Values of
        fills are rounded to it, halves to the even unit; so is what must be divided.

    Raises
    ------
    ConfigError
        A number is not one, out of its range, or cash is no multiple of the unit.

    Examples
    --------
    >>> ledger = Ledger("10000")
    >>> ledger.fill("KO", 100, "54.20", fee="1.00")
    >>> ledger.fill("KO", -150, "55.00", fee="1.00")
    >>> ledger.position("KO").realized_pnl, ledger.position("KO").qty
    (Decimal('80.00'), Decimal('-50'))
    >>> ledger.mark("KO", 54)
    >>> ledger.totals.equity
    Decimal('10128.00')
    """

    def __init__(self, cash: Number, *, unit: Number = "0.01") -> None:
        self.unit = _read("unit", unit)
        if self.unit <= 0:
            message = f"unit is {unit!r}; expected a decimal above 0, such as '0.01'"
            raise ConfigError(message)
        minor = Fraction(_read("cash", cash)) / Fraction(self.unit)
        if minor.denominator != 1:
            message = f"cash is {cash!r}; expected a whole multiple of the unit, {self.unit}"
            raise ConfigError(message)
        self._opening = self._cash = int(minor)
        self._lines: dict[str, _Line] = {}

    def fill(self, symbol: str, qty: Number, price: Number, fee: Number = 0) -> None:
        """Book a fill.

        Parameters
        ----------
        symbol : str
        qty : Decimal, str, int or float
            Signed quantity, not 0: positive for a purchase.
        price : Decimal, str, int or float
            Not below 0; slippage included.
        fee : Decimal, str, int or float
            Negative for a rebate.

        Raises
        ------
        ConfigError
            A number is not one, or out of its range. Nothing was booked then.
        """
        units, at = _read("qty", qty), _read("price", price)
        if units == 0:
            message = f"qty is {qty!r}; expected a signed quantity other than 0"
            raise ConfigError(message)
        if at < 0:
            message = f"price is {price!r}; expected a price not below 0"
            raise ConfigError(message)
        paid = self._in_units(_read("fee", fee))
        signed = Fraction(units)
        value = self._in_units(Fraction(at) * abs(signed))
        line = self._line(symbol)
        self._cash -= (value if units > 0 else -value) + paid
        line.fees += paid
        line.qty, line.cost, realized = book_fill(line.qty, line.cost, signed, value, share_evenly)
        line.realized += realized
        line.price = at

    def mark(self, symbol: str, price: Number) -> None:
        """Value a symbol at a price from now on; without a mark it is that of its last fill.

        Raises
        ------
        ConfigError
            The price is no number, or below 0.
        """
        at = _read("price", price)
        if at < 0:
            message = f"price is {price!r}; expected a price not below 0"
            raise ConfigError(message)
        self._line(symbol).price = at

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that was filled or marked, in the order in which they came up."""
        return tuple(self._lines)

    @property
    def positions(self) -> tuple[PositionLine, ...]:
        """The line of every symbol, those that are flat again too."""
        return tuple(self.position(symbol) for symbol in self._lines)

    def position(self, symbol: str) -> PositionLine:
        """Return the line of a symbol.

        Raises
        ------
        ConfigError
            It was never filled or marked.
        """
        if symbol not in self._lines:
            known = ", ".join(self._lines) or "none"
            message = f"there is no position in {symbol!r}; the ledger holds {known}"
            raise ConfigError(message)
        line = self._lines[symbol]
        qty, cost = _decimal(line.qty), self._money(line.cost)
        value = _EXACT.multiply(qty, line.price)
        return PositionLine(
            symbol,
            qty,
            _AVERAGE.divide(cost, qty) if qty else None,
            line.price,
            cost,
            value,
            self._money(line.realized),
            _EXACT.subtract(value, cost),
            self._money(line.fees),
        )

    @property
    def totals(self) -> Totals:
        """The account as a whole, at the last prices."""
        net = gross = _ZERO
        realized = fees = cost = 0
        for line in self._lines.values():
            value = _EXACT.multiply(_decimal(line.qty), line.price)
            net, gross = _EXACT.add(net, value), _EXACT.add(gross, abs(value))
            realized, fees, cost = realized + line.realized, fees + line.fees, cost + line.cost
        cash = self._money(self._cash)
        return Totals(
            cash,
            _EXACT.add(cash, net),
            gross,
            net,
            self._money(realized),
            _EXACT.subtract(net, self._money(cost)),
            self._money(fees),
        )

    def _line(self, symbol: str) -> _Line:
        if not isinstance(symbol, str) or not symbol:
            message = f"symbol is {symbol!r}; expected the name of an instrument, such as 'KO'"
            raise ConfigError(message)
        return self._lines.setdefault(symbol, _Line())

    def _in_units(self, money: Decimal | Fraction) -> int:
        """Return money in whole units, halves to the even one."""
        return round(Fraction(money) / Fraction(self.unit))

    def _money(self, units: int) -> Decimal:
        return _EXACT.multiply(Decimal(units), self.unit)


def _read(what: str, given: Number) -> Decimal:
    """Return a number as the decimal that it is written as."""
    try:
        # A float, NumPy's too, is the shortest decimal that reads back as it.
        number = Decimal(repr(float(given)) if isinstance(given, float) else given)
    except (InvalidOperation, TypeError, ValueError):
        number = Decimal("NaN")
    if isinstance(given, bool) or not number.is_finite():
        message = f"{what} is {given!r}; expected a finite number, such as '54.20'"
        raise ConfigError(message)
    if number.adjusted() > _PLACES_MAX or int(number.as_tuple().exponent) < -_PLACES_MAX:
        message = f"{what} is {given!r}; expected at most {_PLACES_MAX} digits beside the point"
        raise ConfigError(message)
    return number


def _decimal(exact: Fraction) -> Decimal:
    """Return a sum of decimals, which ends after as many digits as they had."""
    return _EXACT.divide(Decimal(exact.numerator), Decimal(exact.denominator))
