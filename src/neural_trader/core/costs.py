"""What a fill costs: slippage against the trader, and a fee by value, by share or by tier."""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import TypeGuard

import msgspec

from neural_trader.core.errors import ConfigError
from neural_trader.core.numbers import plain_number, settle

_BPS_MAX = 10_000.0

Tiers = tuple[tuple[float, float], ...]


class Costs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cost of every fill.

    Parameters
    ----------
    fee_bps : float
        Fee in basis points of the filled value (quantity times filled price), 0 <= fee < 10,000.
    slippage_bps : float
        Basis points by which the filled price is worse than the reference price: above it when
        buying, below it when selling; 0 <= slippage < 10,000. Market and stop orders pay it, limits
        do not.
    fee_per_share : float
        Money a share, on top of ``fee_bps``.
    fee_minimum : float
        The least that an order which fills costs in fees, whatever the number of its fills.
    fee_tiers : sequence of (value, bps)
        Instead of ``fee_bps``: the fee of a fill is the bps of the highest tier whose value has
        been reached by what the account traded earlier in the same calendar month (UTC). The
        first tier's value is 0, and values rise.
    half_spread : float
        Instead of ``slippage_bps``: money a share by which the filled price is worse than the
        reference price.

    Raises
    ------
    ConfigError
        A cost is not a finite number in its range, or two stand for the same thing. A negative fee
        (a rebate) is refused.
    """

    fee_bps: float = 0.0
    slippage_bps: float = 0.0
    fee_per_share: float = 0.0
    fee_minimum: float = 0.0
    fee_tiers: Tiers = ()
    half_spread: float = 0.0

    def __post_init__(self) -> None:
        """Refuse costs outside their range."""
        settle(
            self,
            fee_bps=_read_bps("fee_bps", self.fee_bps),
            slippage_bps=_read_bps("slippage_bps", self.slippage_bps),
        )
        if self.is_by_rate:
            return
        settle(
            self,
            fee_per_share=_read_money("fee_per_share", self.fee_per_share),
            fee_minimum=_read_money("fee_minimum", self.fee_minimum),
            half_spread=_read_money("half_spread", self.half_spread),
            fee_tiers=_read_tiers(self.fee_tiers),
        )
        for one, other in (("fee_bps", "fee_tiers"), ("slippage_bps", "half_spread")):
            if getattr(self, one) and getattr(self, other):
                message = (
                    f"{one} is {getattr(self, one)!r} and {other} is {getattr(self, other)!r}; "
                    "they stand for the same cost, so give one of them"
                )
                raise ConfigError(message)

    def __str__(self) -> str:
        """Say them in words."""
        fee = f"{self.fee_bps:g} bps fee"
        if self.fee_tiers:
            tiers = ", ".join(f"{bps:g} bps from {value:,.0f}" for value, bps in self.fee_tiers)
            fee = f"a fee of {tiers},"
        if self.fee_per_share:
            fee += f" and {self.fee_per_share:g} a share"
        if self.fee_minimum:
            fee += f", at least {self.fee_minimum:g} an order,"
        slippage = f"{self.slippage_bps:g} bps slippage"
        if self.half_spread:
            slippage = f"a half spread of {self.half_spread:g}"
        return f"{fee} and {slippage} a fill"

    @property
    def is_by_rate(self) -> bool:
        """Whether every cost is a fixed rate of the value: no cost by share, order or month."""
        return (
            not self.fee_tiers
            and self.fee_per_share == 0.0
            and self.fee_minimum == 0.0
            and self.half_spread == 0.0
        )

    @property
    def is_free(self) -> bool:
        """Whether no fill costs anything."""
        return self == Costs()

    @property
    def fee_rate(self) -> float:
        """The fee as a fraction of the filled value."""
        return self.fee_bps / _BPS_MAX

    @property
    def slippage_rate(self) -> float:
        """The slippage as a fraction of the reference price."""
        return self.slippage_bps / _BPS_MAX

    @property
    def tier_rates(self) -> Tiers:
        """The tiers as (value traded in the month, fee as a fraction of the filled value)."""
        return tuple((value, bps / _BPS_MAX) for value, bps in self.fee_tiers)

    def rate_after(self, traded: float) -> float:
        """Return the fee rate of a fill after so much value traded in the month."""
        rate = self.fee_rate
        for value, tier in self.tier_rates:
            if traded >= value:
                rate = tier
        return rate


def _read_bps(name: str, value: object) -> float:
    """Return basis points in their range, or raise ConfigError."""
    number = plain_number(value)
    if not 0.0 <= number < _BPS_MAX:
        message = (
            f"{name} is {value!r}; expected basis points from 0 up to, not including, "
            f"{_BPS_MAX:.0f}"
        )
        raise ConfigError(message)
    return number


def _read_money(name: str, value: object) -> float:
    """Return an amount of money of zero or more, or raise ConfigError."""
    number = plain_number(value)
    if not 0.0 <= number < math.inf:
        message = f"{name} is {value!r}; expected money, 0 or more"
        raise ConfigError(message)
    return number


def _is_table(value: object) -> TypeGuard[Iterable[tuple[object, object]]]:
    return isinstance(value, Iterable) and not isinstance(value, str)


def _read_tiers(given: object) -> Tiers:
    """Return tiers in their plain form, or raise ConfigError."""
    expected = "expected pairs of (value traded this month, bps), the first at 0 and rising"
    tiers: list[tuple[float, float]] = []
    try:
        for value, bps in given if _is_table(given) else ((None, None),):
            tiers.append((_read_money("a tier's value", value), _read_bps("a tier's fee", bps)))
    except (TypeError, ValueError, ConfigError) as error:
        message = f"fee_tiers is {given!r}; {expected} ({error})"
        raise ConfigError(message) from None
    values = [value for value, _ in tiers]
    if tiers and (values[0] != 0.0 or any(a >= b for a, b in pairwise(values))):
        message = f"fee_tiers is {given!r}; {expected}"
        raise ConfigError(message)
    return tuple(tiers)
