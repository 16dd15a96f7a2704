"""What an exchange says of an instrument: the grid of its prices and of its quantities."""

import math
from collections.abc import Mapping

import msgspec

from neural_trader.core.errors import ConfigError
from neural_trader.core.numbers import plain_number, settle

# A quantity or price that was computed may miss its step by a rounding: so much of one is enough.
_SLACK = 1e-9


class Instrument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tick and lot of an instrument that is fully paid for (stock, ETF, spot FX or crypto).

    Parameters
    ----------
    tick_size : float
        The grid of prices. Limits and triggers are rounded to it, away from the market: never to a
        better price than was asked for. 0 (the default) is no grid, as for adjusted prices.
    lot_size : float
        The grid of quantities: 1 (the default) is whole shares, 0.001 thousandths, 0 any quantity.

    Raises
    ------
    ConfigError
        A size is negative or not finite.
    """

    tick_size: float = 0.0
    lot_size: float = 1.0

    def __post_init__(self) -> None:
        """Refuse sizes outside their range."""
        for name in ("tick_size", "lot_size"):
            number = plain_number(getattr(self, name))
            if not 0.0 <= number < math.inf:
                message = (
                    f"{name} is {getattr(self, name)!r}; expected a size of 0 (no grid) or more"
                )
                raise ConfigError(message)
            settle(self, **{name: number})

    def on_grid(self, qty: float) -> float:
        """Return the whole number of lots nearest to a quantity."""
        lot = self.lot_size
        return qty if lot == 0.0 else grid_value(math.floor(qty / lot + 0.5), lot)

    def whole_lots(self, qty: float) -> float:
        """Return a quantity cut to whole lots towards zero."""
        lot = self.lot_size
        if lot == 0.0:
            return qty
        # What is a rounding below a lot is that lot.
        units = grid_value(math.floor(abs(qty) / lot + _SLACK), lot)
        return units if qty > 0.0 else -units

    def passive_price(self, price: float, *, down: bool) -> float:
        """Return a price on the tick grid, rounded down or up."""
        tick = self.tick_size
        if tick == 0.0:
            return price
        steps = price / tick
        return grid_value(math.floor(steps + _SLACK) if down else math.ceil(steps - _SLACK), tick)


def grid_value(steps: float, step: float) -> float:
    """Return the value of a number of steps, as a person writes it; see ``steps_per_unit``."""
    per_unit = steps_per_unit(step)
    return steps / per_unit if per_unit else steps * step


def steps_per_unit(step: float) -> float:
    """Return how many steps make a whole unit, or 0 where they do not make one evenly.

    12.34 is 1234 / 100 and not 1234 x 0.01 = 12.340000000000002: where it can, a grid divides, so
    that its values are the numbers that people write.
    """
    if not 0.0 < step <= 1.0:
        return 0.0
    steps = math.floor(1.0 / step + 0.5)
    return float(steps) if abs(steps * step - 1.0) < 1e-9 else 0.0


def read_instruments(
    given: "Instrument | Mapping[str, Instrument] | None", symbols: tuple[str, ...]
) -> tuple[Instrument, ...]:
    """Return the instrument of every symbol.

    Parameters
    ----------
    given : Instrument, mapping of symbol to Instrument, or None
        One for all; or by symbol, where those not named are whole shares without a tick.
    symbols : tuple of str

    Raises
    ------
    ConfigError
        Something else, or a symbol that is not among those traded.
    """
    plain = Instrument()
    if given is None:
        return (plain,) * len(symbols)
    if isinstance(given, Instrument):
        return (given,) * len(symbols)
    if not isinstance(given, Mapping) or not all(
        isinstance(value, Instrument) for value in given.values()
    ):
        message = (
            f"instruments is {given!r}; expected nt.Instrument(...) or a mapping of symbols to them"
        )
        raise ConfigError(message)
    for symbol in given:
        if symbol not in symbols:
            message = f"instruments names {symbol!r}; the run trades {', '.join(symbols)}"
            raise ConfigError(message)
    return tuple(given.get(symbol, plain) for symbol in symbols)
