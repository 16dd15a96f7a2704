"""Which orders a bar fills and at which price: the rules that backtests and paper trading share.

The text is ``docs/semantics.md``, "Orders". The functions take plain floats and know neither orders
nor accounts: ``backtesting.reference_book`` and the paper venue apply them to theirs, each in the
order that the text gives. A fill's prices are (reference, filled): the price before slippage and
the one that is paid. A stop of an order is a ``trigger`` here; ``limit`` is None where there is
none.
"""

from typing import Final, Literal, NamedTuple

import msgspec

from neural_trader.core.costs import Costs
from neural_trader.core.errors import ConfigError
from neural_trader.core.numbers import plain_number, settle

# A limit price that was computed may miss its tick by a rounding: so much of a tick is enough.
_TICK_SLACK: Final = 1.0 - 1e-6

Prices = tuple[float, float]


class Matching(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a limit counts as filled, and how much of a bar's volume orders may take.

    Parameters
    ----------
    limit_fills : {"through", "touch"}
        ``through`` (the default): a limit fills only in a bar that trades beyond it, by a tick
        where the instrument has one. ``touch``: reaching it is enough, as if the order stood first
        in the queue.
    volume_share : float, optional
        The largest part of a bar's volume that all orders of a symbol may take together, above 0
        and at most 1; the rest of an order waits. None: orders fill whole. Needs volume.

    Raises
    ------
    ConfigError
        A value outside its range.
    """

    limit_fills: Literal["through", "touch"] = "through"
    volume_share: float | None = None

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if self.limit_fills not in ("through", "touch"):
            message = f"limit_fills is {self.limit_fills!r}; expected 'through' or 'touch'"
            raise ConfigError(message)
        if self.volume_share is not None:
            share = plain_number(self.volume_share)
            if not 0.0 < share <= 1.0:
                message = (
                    f"volume_share is {self.volume_share!r}; expected a share of a bar's volume "
                    "above 0 and at most 1, or None"
                )
                raise ConfigError(message)
            settle(self, volume_share=share)


class FillRules(NamedTuple):
    """What decides over the fills of one instrument, beside the order and the bar."""

    costs: Costs
    matching: Matching
    tick_size: float


def slipped(price: float, costs: Costs, *, buying: bool) -> float:
    """Return a price moved against the trader, never below 0."""
    rate, half = costs.slippage_rate, costs.half_spread
    if buying:
        return price * (1.0 + rate) + half
    return max(price * (1.0 - rate) - half, 0.0)


def is_through(price: float, limit: float, rules: FillRules, *, buying: bool) -> bool:
    """Return whether a trade at this price means that the limit was filled."""
    beyond = limit - price if buying else price - limit
    if rules.matching.limit_fills == "touch":
        return beyond >= 0.0
    return beyond > 0.0 and beyond >= rules.tick_size * _TICK_SLACK


def is_triggered(trigger: float, price: float, *, buying: bool) -> bool:
    """Return whether a stop wakes up at this price: at the trigger, or beyond it."""
    return price >= trigger if buying else price <= trigger


def fill_at_open(
    open_: float, limit: float | None, rules: FillRules, *, buying: bool
) -> Prices | None:
    """Return the prices at which the first price of a bar fills a market order or a limit."""
    if limit is None:
        return open_, slipped(open_, rules.costs, buying=buying)
    if is_through(open_, limit, rules, buying=buying):
        return open_, open_
    return None


def fill_of_stop(
    trigger: float, limit: float | None, close: float, rules: FillRules, *, buying: bool
) -> Prices | None:
    """Return the prices of a stop whose trigger lies within the bar, or None: it has to wait.

    ``close`` is the bar's. Only a stop-limit may have to wait.
    """
    price = slipped(trigger, rules.costs, buying=buying)
    if limit is None:
        return trigger, price
    if trigger <= limit if buying else trigger >= limit:
        return trigger, min(price, limit) if buying else max(price, limit)
    # The price had passed the limit when the order woke up. That it came back within the bar is
    # certain only if the bar closed beyond the limit.
    if is_through(close, limit, rules, buying=buying):
        return limit, limit
    return None


def fill_of_limit(
    low: float, high: float, limit: float, rules: FillRules, *, buying: bool
) -> Prices | None:
    """Return the prices of a limit that the bar trades through, or None."""
    if is_through(low if buying else high, limit, rules, buying=buying):
        return limit, limit
    return None
