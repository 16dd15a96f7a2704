"""What a strategy that is Python code is given: the market up to now, its account, and orders.

One front for every engine: the backtest, its reference, and later paper and live trading fill in
the primitives at the end of :class:`Context`. Whatever a strategy may ask, and whatever is refused,
is written here once.
"""

import datetime as dt
import math
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, Protocol

from neural_trader.core import ConfigError, Instrument, unknown_symbol
from neural_trader.core.bars import SymbolBars
from neural_trader.core.numbers import plain_number
from neural_trader.core.orders import TIMES_IN_FORCE, Kind, Status, TimeInForce
from neural_trader.core.sessions import session_date

Denial = Literal["", "warming_up", "stopped", "no_price"]
DENIALS: Final[dict[Denial, str]] = {
    "warming_up": "the bar lies before the start of the run",
    "stopped": "the last bar is over",
    "no_price": "a size in money, and the symbol has had no bar so far",
}
"""Why an order is denied: a value that its strategy can read, not an error."""


class Order(Protocol):
    """An order as its strategy sees it; its properties follow what happens to it."""

    @property
    def id(self) -> int:
        """Unique within the run and rising; -1 where it was denied."""
        ...

    @property
    def symbol(self) -> str:
        """What is traded."""
        ...

    @property
    def kind(self) -> Kind:
        """Market, limit, stop or stop_limit."""
        ...

    @property
    def qty(self) -> float:
        """Signed, positive for a purchase: all of it."""
        ...

    @property
    def filled_qty(self) -> float:
        """Signed: what has been filled so far."""
        ...

    @property
    def limit(self) -> float | None:
        """The limit on the tick grid, None where there is none."""
        ...

    @property
    def stop(self) -> float | None:
        """The trigger on the tick grid, None where there is none."""
        ...

    @property
    def tif(self) -> TimeInForce:
        """GTC, DAY, IOC or FOK."""
        ...

    @property
    def status(self) -> Status:
        """Accepted, partially_filled, filled, canceled, expired or denied."""
        ...

    @property
    def reason(self) -> Denial:
        """Why it was denied, else empty; see ``DENIALS``."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        ...


class Indicator(Protocol):
    """A streaming indicator that the engine can feed, such as those of ``nt.indicators``."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The fields that ``update`` takes, in order: of one symbol, or one of each symbol."""
        ...

    @property
    def update(self) -> Callable[..., object]:
        """Take one bar's values."""
        ...


class Terms(NamedTuple):
    """The terms of an order, checked: a price is None or finite and above zero."""

    leg: int
    qty: float
    limit: float | None = None
    stop: float | None = None
    tif: TimeInForce = "GTC"


class Context:
    """The market up to now, the account, and the ways to trade.

    Attributes
    ----------
    symbols : tuple of str
        What the run trades.
    ts_close_ns : int
        Now: the close of the present bar, nanoseconds UTC. Within ``on_fill`` it still is the bar
        before, since the bar of the fill has not closed.
    cash, equity : float
        Money on hand; cash and positions at the last closes.
    is_warming_up : bool
        Whether this bar lies before the start: indicators are fed, orders are denied.

    Notes
    -----
    Timing: everything here was known at the close of the present bar; an order made now works from
    its symbol's next bar on. The future is not hidden behind this object: it is not in it.
    """

    symbols: tuple[str, ...]
    instruments: tuple[Instrument, ...]
    _legs: dict[str, int]
    _targets: dict[int, Order]

    # ----------------------------------------------------------------------------------- market
    @property
    def ts_close_ns(self) -> int:
        """The close of the present bar."""
        raise NotImplementedError

    @property
    def is_warming_up(self) -> bool:
        """Whether the present bar lies before the start."""
        raise NotImplementedError

    @property
    def date(self) -> dt.date:
        """The session date of the present bar."""
        return session_date(self.ts_close_ns)

    def close(self, symbol: str) -> float:
        """Return the last close of a symbol; NaN before its first bar."""
        raise NotImplementedError

    def has_bar(self, symbol: str) -> bool:
        """Return whether a symbol has a bar in this time slice: its last close may be older."""
        raise NotImplementedError

    def bars(self, symbol: str) -> SymbolBars:
        """Return the bars of a symbol up to now: read-only views, each of shape (bars so far,)."""
        raise NotImplementedError

    def track(self, indicator: Indicator, *symbols: str) -> None:
        """Have an indicator fed with every bar from now on, before ``on_bar`` is called.

        Parameters
        ----------
        indicator : a streaming indicator
            Fed in every time slice in which all its symbols have a bar, warm-up included.
        *symbols : str
            One symbol, whose fields it reads; or, for an indicator of several inputs, one for each.

        Raises
        ------
        ConfigError
            Not called from ``on_start``, an unknown symbol, or the wrong number of symbols.
        """
        raise NotImplementedError

    # ---------------------------------------------------------------------------------- account
    @property
    def cash(self) -> float:
        """Money on hand."""
        raise NotImplementedError

    @property
    def equity(self) -> float:
        """Cash and positions at the last closes."""
        raise NotImplementedError

    def position(self, symbol: str) -> float:
        """Return the signed quantity held."""
        raise NotImplementedError

    @property
    def positions(self) -> dict[str, float]:
        """The signed quantity of every symbol that is held."""
        held = {symbol: self.position(symbol) for symbol in self.symbols}
        return {symbol: qty for symbol, qty in held.items() if qty != 0.0}

    @property
    def open_orders(self) -> tuple[Order, ...]:
        """The orders that may still fill, in the order in which they were made."""
        raise NotImplementedError

    # ----------------------------------------------------------------------------------- orders
    def order(
        self,
        symbol: str,
        qty: float,
        *,
        limit: float | None = None,
        stop: float | None = None,
        tif: TimeInForce = "GTC",
    ) -> Order:
        """Order a quantity.

        Parameters
        ----------
        symbol : str
        qty : float
            Positive buys, negative sells; whole lots.
        limit, stop : float, optional
            Neither: a market order. ``limit``: the worst price. ``stop``: the price that wakes the
            order up. Both: a stop-limit order.
        tif : {"GTC", "DAY", "IOC", "FOK"}
            Until canceled; until its first session ends; what the next fill point gives; that, or
            nothing.

        Returns
        -------
        Order
            Accepted, or denied with its reason: a denial is a value, not an error.

        Raises
        ------
        ConfigError
            An unknown symbol, a quantity of zero or not in whole lots, a price that is none, an
            unknown time in force.
        """
        leg = self._leg(symbol)
        number = plain_number(qty)
        lots = self.instruments[leg]
        if not math.isfinite(number) or number == 0.0:
            message = f"qty is {qty!r}; expected a quantity other than 0, negative to sell"
            raise ConfigError(message)
        settled = lots.on_grid(number)
        if settled == 0.0 or abs(settled - number) > 1e-9 * abs(number):
            message = (
                f"qty is {qty!r}; {symbol} trades in lots of {lots.lot_size:g}: round it, or give "
                "instruments=nt.Instrument(lot_size=...)"
            )
            raise ConfigError(message)
        if tif not in TIMES_IN_FORCE:
            message = f"tif is {tif!r}; expected one of {', '.join(TIMES_IN_FORCE)}"
            raise ConfigError(message)
        prices = (_read_price("limit", limit), _read_price("stop", stop))
        return self._submit(Terms(leg, settled, *prices, tif))

    def cancel(self, order: Order) -> bool:
        """Cancel an order; False if it is no longer open, as a cancel may come too late."""
        return order.is_open and self._cancel(order.id)

    def replace(
        self,
        order: Order,
        *,
        qty: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
    ) -> bool:
        """Change the terms of an open order; the new ones work from its symbol's next bar on.

        Parameters
        ----------
        order : Order
        qty : float, optional
            The new quantity, what has been filled included: same sign, more than that.
        limit, stop : float, optional
            New prices; only those that the order has.

        Returns
        -------
        bool
            False if the order is no longer open, as a change may come too late.

        Raises
        ------
        ConfigError
            Terms that the order cannot have.
        """
        if not order.is_open:
            return False
        new_qty = order.qty
        if qty is not None:
            leg = self._leg(order.symbol)
            new_qty = self.instruments[leg].on_grid(plain_number(qty))
            is_more = abs(new_qty) > abs(order.filled_qty) and new_qty * order.qty > 0.0
            if not is_more or abs(new_qty - plain_number(qty)) > 1e-9 * abs(new_qty):
                message = (
                    f"qty is {qty!r}; expected whole lots of the sign of {order.qty:g} and more "
                    f"than the {order.filled_qty:g} that are filled"
                )
                raise ConfigError(message)
        for name, price in (("limit", limit), ("stop", stop)):
            if price is not None and getattr(order, name) is None:
                message = f"{name} is {price!r}, but order {order.id} is a {order.kind} order"
                raise ConfigError(message)
        self._replace(order.id, new_qty, _read_price("limit", limit), _read_price("stop", stop))
        return True

    # ---------------------------------------------------------------------------------- targets
    def target_qty(self, symbol: str, qty: float) -> Order | None:
        """Hold a quantity: order what is missing, at the market.

        Cuts the quantity to whole lots towards zero. What an earlier target of the symbol still has
        open is canceled first; other open orders are left alone and not counted. Returns None if
        nothing is missing.

        Raises
        ------
        ConfigError
            An unknown symbol, or a quantity that is not finite.
        """
        leg = self._leg(symbol)
        number = plain_number(qty)
        if not math.isfinite(number):
            message = f"qty is {qty!r}; expected a finite quantity"
            raise ConfigError(message)
        return self._target(leg, number)

    def target_notional(self, symbol: str, notional: float) -> Order | None:
        """Hold what an amount of money buys at the last close, negative to be short of it.

        As :meth:`target_qty`; a symbol without a bar so far denies it.
        """
        return self._target_value(symbol, "notional", notional, 1.0)

    def target_weight(self, symbol: str, weight: float) -> Order | None:
        """Hold a share of equity at the last close: 0.5 is half of it, -0.5 is short of half.

        As :meth:`target_qty`; a symbol without a bar so far denies it.
        """
        return self._target_value(symbol, "weight", weight, self.equity)

    def _target_value(self, symbol: str, name: str, size: float, unit: float) -> Order | None:
        leg = self._leg(symbol)
        number = plain_number(size)
        if not math.isfinite(number):
            message = f"{name} is {size!r}; expected a finite number"
            raise ConfigError(message)
        price = self.close(symbol)
        if math.isnan(price):
            return self._deny(Terms(leg, 0.0), "no_price")
        return self._target(leg, number * unit / price)

    def _target(self, leg: int, qty: float) -> Order | None:
        lots = self.instruments[leg]
        earlier = self._targets.pop(leg, None)
        if earlier is not None and earlier.is_open:
            self._cancel(earlier.id)
        missing = lots.on_grid(lots.whole_lots(qty) - self.position(self.symbols[leg]))
        if missing == 0.0:
            return None
        order = self._submit(Terms(leg, missing))
        if order.is_open:
            self._targets[leg] = order
        return order

    def _leg(self, symbol: str) -> int:
        leg = self._legs.get(symbol)
        if leg is None:
            raise ConfigError(unknown_symbol(symbol, self.symbols, where="this run"))
        return leg

    # ------------------------------------------------------------------- what an engine fills in
    def _submit(self, terms: Terms) -> Order:
        raise NotImplementedError

    def _deny(self, terms: Terms, reason: Denial) -> Order:
        raise NotImplementedError

    def _cancel(self, order_id: int) -> bool:
        raise NotImplementedError

    def _replace(self, order_id: int, qty: float, limit: float | None, stop: float | None) -> None:
        raise NotImplementedError


def _read_price(name: str, price: float | None) -> float | None:
    """Return a price, or raise ConfigError."""
    if price is None:
        return None
    number = plain_number(price)
    if not 0.0 < number < math.inf:
        message = f"{name} is {price!r}; expected a price above 0"
        raise ConfigError(message)
    return number
