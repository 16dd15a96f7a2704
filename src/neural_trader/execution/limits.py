"""What an order must not exceed, checked before anybody outside hears of it.

Limits count what is filled and the worst that the open orders of each side can add. An order that
only reduces a position is not held back by what it helps to mend: position, exposures, loss of the
day and kill switch.
"""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from neural_trader.core.errors import ConfigError
from neural_trader.execution.listing import Listing
from neural_trader.execution.messages import MONEY_MAX

if TYPE_CHECKING:
    from neural_trader.execution.accounts import Account, Request
    from neural_trader.execution.ledger import Holding
    from neural_trader.execution.messages import Submit
    from neural_trader.execution.orders import LiveOrder

MARKET, LIMIT, STOP, STOP_LIMIT = 0, 1, 2, 3
GTC, DAY, IOC, FOK = 0, 1, 2, 3
PER_SECOND_MAX: Final = 65_536
"""The highest limit of a rate that holds; each order that passes in a second is remembered."""
EXPOSURE_MAX: Final = 1 << 60
FIGURE_MAX: Final = (1 << 63) - 1
_AMOUNT_MAX: Final = Decimal(1 << 62)
_SECOND_NS: Final = 1_000_000_000
_DUPLICATES_MAX: Final = 65_536


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits of an account; 0 turns one off, and nothing else does.

    An amount is cut down to whole lots or minor units: where not one fits, nothing passes.

    Parameters
    ----------
    order_qty_max : decimal text or int
        Units of one order.
    order_notional_max : decimal text or int
        Money of one order, at its limit or at the mark, whichever costs more.
    position_qty_max : decimal text or int
        Units of one instrument, long or short, with the open orders of that side filled.
    gross_max, net_max : decimal text or int
        Money at the marks: all positions added up without their signs, and with them, each with the
        open orders of the worse side filled.
    open_orders_max : int
    orders_per_second : int
        Orders, and changes of orders, that may pass in any second, wherever it begins; more than
        65,536 count as so many.
    collar_bps : int
        How far a limit or trigger may lie from the mark, on either side.
    daily_loss_max : decimal text or int
        Money lost since the day began (UTC), realized or not, fees included; less than a minor unit
        counts as one, the least that can be lost.
    duplicate_window_ms : int
        For how long the same order (instrument, quantity, kind, prices) counts as sent twice.
    is_self_crossing_allowed : bool
        Whether an order may meet an open one of the same account.
    mark_age_ms_max : int
        How old a quote may be to be a mark; older ones deny as if there were none.

    Raises
    ------
    ConfigError
        A limit that is no number of 0 or more.
    """

    order_qty_max: str | int = 100_000
    order_notional_max: str | int = 1_000_000
    position_qty_max: str | int = 1_000_000
    gross_max: str | int = 10_000_000
    net_max: str | int = 10_000_000
    open_orders_max: int = 1_000
    orders_per_second: int = 1_000
    collar_bps: int = 1_000
    daily_loss_max: str | int = 0
    duplicate_window_ms: int = 0
    is_self_crossing_allowed: bool = False
    mark_age_ms_max: int = 60_000

    def __post_init__(self) -> None:
        """Refuse what is no number of 0 or more."""
        for name in self.__struct_fields__:
            read_amount(name, getattr(self, name))

    def as_text(self) -> dict[str, str]:
        """Return them by name, as the journal keeps them."""
        return {name: str(getattr(self, name)) for name in self.__struct_fields__}

    @classmethod
    def from_text(cls, text: dict[str, str]) -> "Limits":
        """Return what ``as_text`` gave; a limit that a newer version wrote is an error."""
        whole = {"open_orders_max", "orders_per_second", "collar_bps"}
        whole |= {"duplicate_window_ms", "mark_age_ms_max"}
        given: dict[str, str | int | bool] = {
            name: int(value)
            if name in whole
            else value == "True"
            if name == "is_self_crossing_allowed"
            else value
            for name, value in text.items()
        }
        return msgspec.convert(given, cls)


class Denial(NamedTuple):
    """Why an order did not pass: a reason code, the figure found and the figure allowed."""

    reason: str
    found: int = 0
    allowed: int = 0

    @property
    def figures(self) -> tuple[int, int]:
        """Found and allowed as they can be told: absurd terms come to figures beyond 64 bits."""
        return _clamped(self.found), _clamped(self.allowed)


def _clamped(figure: int) -> int:
    return max(-FIGURE_MAX - 1, min(figure, FIGURE_MAX))


class Bounds:
    """The limits of one account in the units of its book.

    What is smaller than a unit is 0: nothing passes. None is off, for which a limit must be written
    as 0. Counts, basis points and times have no such remainder: there 0 is off.
    """

    __slots__ = (
        "allows_self_crossing",
        "collar_bps",
        "daily_loss",
        "duplicate_ns",
        "gross",
        "limits",
        "lots",
        "mark_age_ns",
        "net",
        "notional",
        "open_orders",
        "per_second",
    )

    def __init__(self, limits: Limits, listings: dict[str, Listing], scale: int) -> None:
        self.limits = limits
        unit = next((item.minor_unit for item in listings.values()), Decimal("0.01"))

        def money(name: str) -> int | None:
            return _whole(read_amount(name, getattr(limits, name)), unit)

        # What is off is still bounded: no sum of money may grow beyond 64 bits.
        self.notional = _at_most(money("order_notional_max"), MONEY_MAX)
        self.gross = _at_most(money("gross_max"), EXPOSURE_MAX) * scale
        self.net = _at_most(money("net_max"), EXPOSURE_MAX) * scale
        loss = money("daily_loss_max")
        # A loss of 0 is none: the least that can be lost is a unit.
        self.daily_loss = None if loss is None else max(loss, 1)
        self.open_orders = limits.open_orders_max
        self.per_second = min(limits.orders_per_second, PER_SECOND_MAX)
        self.collar_bps = limits.collar_bps
        self.duplicate_ns = limits.duplicate_window_ms * 1_000_000
        self.allows_self_crossing = limits.is_self_crossing_allowed
        self.mark_age_ns = limits.mark_age_ms_max * 1_000_000
        self.lots = {
            symbol: (
                _whole(read_amount("order_qty_max", limits.order_qty_max), item.lot_size),
                _whole(read_amount("position_qty_max", limits.position_qty_max), item.lot_size),
            )
            for symbol, item in listings.items()
        }


def _whole(amount: Decimal, size: Decimal) -> int | None:
    """Return how many whole units an amount holds; None for 0, which is no limit."""
    if not amount:
        return None
    # Exact: a quotient of decimals is rounded, and might come to one unit more.
    return int(Fraction(min(amount, _AMOUNT_MAX)) / Fraction(size))


def _at_most(limit: int | None, bound: int) -> int:
    return bound if limit is None else min(limit, bound)


def read_amount(name: str, amount: object) -> Decimal:
    """Return a limit as a decimal.

    Raises
    ------
    ConfigError
        It is no number of 0 or more.
    """
    try:
        number = Decimal(amount) if isinstance(amount, str | int) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        message = (
            f"{name} is {amount!r}; expected a whole number or decimal text of 0 or more, where 0 "
            "is no limit"
        )
        raise ConfigError(message)
    return number


# ------------------------------------------------------------------------------------ the checks
def check_terms(order: "Submit") -> Denial | None:
    """Deny an order whose terms do not make one."""
    kind = order.kind
    if order.qty == 0:
        return Denial("bad_quantity")
    if (kind in (LIMIT, STOP_LIMIT)) != (order.limit > 0):
        return Denial("bad_limit", order.limit)
    if (kind in (STOP, STOP_LIMIT)) != (order.trigger > 0):
        return Denial("bad_trigger", order.trigger)
    return None


def is_reducing(holding: "Holding", qty: int) -> bool:
    """Whether an order can only bring a position nearer to 0, whatever else is filled first."""
    if qty < 0:
        return holding.sells - qty <= holding.qty
    return holding.buys + qty <= -holding.qty


def check_order(account: "Account", holding: "Holding", order: "Submit", ts: int) -> Denial | None:
    """Hold an order with sound terms to an account's limits at its instrument's mark.

    The mark is known and fresh. Returns None where the order may pass; nothing is changed.
    """
    bounds = account.bounds
    qty = order.qty
    lots = qty if qty > 0 else -qty
    order_lots, position_lots = bounds.lots[order.symbol]
    if order_lots is not None and lots > order_lots:
        return Denial("order_qty", lots, order_lots)
    if bounds.per_second and account.rate.is_full(ts):
        return Denial("order_rate", bounds.per_second + 1, bounds.per_second)
    mark = holding.mark
    denial = _check_prices(bounds, order, mark, lots * holding.weight, account.book.scale)
    if denial is not None:
        return denial
    if bounds.duplicate_ns:
        last = account.recent.get(terms_of(order))
        if last is not None and ts - last < bounds.duplicate_ns:
            return Denial("duplicate", (ts - last) // 1_000_000, bounds.duplicate_ns // 1_000_000)
    # Opposite orders are open: the only time at which one of them can be met.
    if not bounds.allows_self_crossing and (holding.sells if qty > 0 else holding.buys):
        crossed = _crossed(account, order)
        if crossed:
            return Denial("self_crossing", order.limit, crossed)
    if is_reducing(holding, qty):
        return None
    if order.reduce_only:
        return Denial("not_reducing", qty, -holding.qty)
    return _check_exposure(account, holding, qty, position_lots)


def _check_prices(
    bounds: Bounds, order: "Submit", mark: int, worth: int, scale: int
) -> Denial | None:
    """Hold limit, trigger and notional to their bounds; ``worth`` is one tick's, all lots."""
    dearest = mark
    for price in (order.limit, order.trigger):
        if price:
            if bounds.collar_bps:
                away = (price - mark if price > mark else mark - price) * 10_000
                if away > bounds.collar_bps * mark:
                    return Denial("price_collar", away // mark, bounds.collar_bps)
            dearest = max(dearest, price)
    if order.kind == LIMIT and order.qty > 0:
        dearest = order.limit
    if dearest * worth > bounds.notional * scale:
        return Denial("order_notional", -(-dearest * worth // scale), bounds.notional)
    return None


def _check_exposure(
    account: "Account", holding: "Holding", qty: int, position_lots: int | None
) -> Denial | None:
    """Hold position, exposures and loss of the day to their bounds, with the order filled."""
    bounds, book = account.bounds, account.book
    if account.is_killed:
        return Denial("kill_switch")
    high = holding.qty + holding.buys
    low = holding.qty - holding.sells
    if qty > 0:
        high += qty
    else:
        low += qty
    worst = high if high > -low else -low
    if position_lots is not None and (high if qty > 0 else -low) > position_lots:
        return Denial("position", worst, position_lots)
    worth = holding.mark * holding.weight
    gross = book.gross - holding.gross + worst * worth
    if gross > bounds.gross:
        return Denial("gross_exposure", gross // book.scale, bounds.gross // book.scale)
    long = book.long - holding.long + high * worth
    short = book.short - holding.short + low * worth
    net = long if qty > 0 else -short
    if net > bounds.net:
        return Denial("net_exposure", net // book.scale, bounds.net // book.scale)
    if bounds.daily_loss is not None:
        loss = account.day_equity - book.equity
        if loss >= bounds.daily_loss:
            return Denial("daily_loss", loss, bounds.daily_loss)
    return None


def terms_of(order: "Submit") -> tuple[str, int, int, int, int]:
    """Return what makes two orders the same."""
    return order.symbol, order.qty, order.kind, order.limit, order.trigger


def _crossed(account: "Account", order: "Submit") -> int:
    """Return the price of an own open order that this one could meet, 1 at market, or 0.

    A stop counts as what it will be, a plain one as a market order: which of the two comes first,
    and where the market stands when it wakes, is not known now.
    """
    buying = order.qty > 0
    for other in account.open.values():
        if other.symbol == order.symbol and (other.qty > 0) != buying and _meet(order, other):
            return other.limit or other.trigger or 1
    for wish in account.requests.values():
        # Which of its terms an order has is not known while a change waits: it may have either.
        if wish.qty and (wish.qty > 0) != buying:
            changed = account.open.get(wish.order)
            if changed is not None and changed.symbol == order.symbol and _meet(order, wish):
                return wish.limit or wish.trigger or 1
    return 0


def _meet(one: "Submit", other: "LiveOrder | Request") -> bool:
    """Whether an order could meet one of the other side."""
    if not one.limit or not other.limit:
        return True
    return one.limit >= other.limit if one.qty > 0 else one.limit <= other.limit


class OrderRate:
    """When the last orders passed, as many as may pass in a second.

    Exact: one more passes only once the oldest of them is a second old, so that no second, wherever
    it begins, holds more. A clock that was set back between two starts may not stop trading: what
    passed more than a second ahead of now does not count.
    """

    __slots__ = ("passed",)

    def __init__(self, per_second: int, passed: Iterable[int] = ()) -> None:
        self.passed = deque(passed, maxlen=per_second)

    def is_full(self, ts: int) -> bool:
        """Return whether the second before ``ts`` holds all that may pass in one."""
        passed = self.passed
        return len(passed) == passed.maxlen and -_SECOND_NS < ts - passed[0] < _SECOND_NS

    def add(self, ts: int) -> None:
        """Take note of what passed now; the oldest is forgotten."""
        self.passed.append(ts)


class Rate:
    """How many passed within the last second, in two numbers.

    The count of the running second, and of the one before by the part of it that still lies within
    the last second: exact for orders that come evenly, never below what the running second holds.
    """

    __slots__ = ("before", "current", "second")

    def __init__(self) -> None:
        self.second = 0
        self.current = 0
        self.before = 0

    def count(self, ts: int) -> int:
        """Return how many passed in the second before ``ts``, rounded down."""
        second, into = divmod(ts, _SECOND_NS)
        if second == self.second:
            return self.current + self.before * (_SECOND_NS - into) // _SECOND_NS
        if second == self.second + 1:
            return self.current * (_SECOND_NS - into) // _SECOND_NS
        return 0

    def add(self, ts: int, count: int = 1) -> None:
        """Count what passed now."""
        second = ts // _SECOND_NS
        if second != self.second:
            self.before = self.current if second == self.second + 1 else 0
            self.current = 0
            self.second = second
        self.current += count


def forget_old(recent: dict[tuple[str, int, int, int, int], int]) -> None:
    """Keep the memory of recent orders within its bound."""
    if len(recent) > _DUPLICATES_MAX:
        for key in list(recent)[: _DUPLICATES_MAX // 2]:
            del recent[key]
