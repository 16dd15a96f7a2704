"""Which orders a bar fills, as far as a user decides it."""

from typing import Literal

import msgspec

from neural_trader.core.errors import ConfigError
from neural_trader.core.numbers import plain_number, settle


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
