"""What a fill costs: slippage against the trader and a fee on the filled value."""

import msgspec

from neural_trader.core.errors import ConfigError
from neural_trader.core.numbers import plain_number, settle

_BPS_MAX = 10_000.0


class Costs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cost of every fill.

    Parameters
    ----------
    fee_bps : float
        Fee in basis points of the filled value (quantity times filled price), 0 <= fee < 10,000.
    slippage_bps : float
        Basis points by which the filled price is worse than the reference price: above it when
        buying, below it when selling; 0 <= slippage < 10,000.

    Raises
    ------
    ConfigError
        A cost is not a finite number in its range. A negative fee (a rebate) is refused: no
        market order earns one.
    """

    fee_bps: float = 0.0
    slippage_bps: float = 0.0

    def __post_init__(self) -> None:
        """Refuse costs outside their range."""
        settle(
            self,
            fee_bps=_read_bps("fee_bps", self.fee_bps),
            slippage_bps=_read_bps("slippage_bps", self.slippage_bps),
        )

    @property
    def fee_rate(self) -> float:
        """The fee as a fraction of the filled value."""
        return self.fee_bps / _BPS_MAX

    @property
    def slippage_rate(self) -> float:
        """The slippage as a fraction of the reference price."""
        return self.slippage_bps / _BPS_MAX


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
