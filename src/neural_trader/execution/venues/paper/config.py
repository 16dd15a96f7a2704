"""How a paper venue is set up."""

from typing import Final

import msgspec

from neural_trader.core.errors import ConfigError

_LATENCY_NS_MAX: Final = 60_000_000_000


class PaperConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a paper venue does beside its market.

    Parameters
    ----------
    name : str
        How it calls itself in its welcome.
    latency_ns : int
        Nanoseconds from the arrival of an order, a change or a question to its being worked and
        answered; at most a minute. 0 answers at once.
    reject_rate : float
        The share of sound orders that are rejected nevertheless, drawn from ``seed``: 0 to 1.
    seed : int
        Of the draws of ``reject_rate``.
    fills_kept : int
        How many fills, the latest, a gateway that comes back can be told.
    orders_kept : int
        How many orders that have ended are remembered.

    Raises
    ------
    ConfigError
        A value outside its range.
    """

    name: str = "paper"
    latency_ns: int = 0
    reject_rate: float = 0.0
    seed: int = 1
    fills_kept: int = 65_536
    orders_kept: int = 100_000

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if not 0 <= self.latency_ns <= _LATENCY_NS_MAX:
            message = f"latency_ns is {self.latency_ns!r}; expected nanoseconds, 0 to a minute"
            raise ConfigError(message)
        if not 0.0 <= self.reject_rate <= 1.0:
            message = f"reject_rate is {self.reject_rate!r}; expected a share from 0 to 1"
            raise ConfigError(message)
        for name in ("fills_kept", "orders_kept"):
            if getattr(self, name) < 1:
                message = f"{name} is {getattr(self, name)!r}; expected a number of 1 or more"
                raise ConfigError(message)


class SyntheticShape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The made-up market of every symbol.

    Parameters
    ----------
    start : int
        The first bid in ticks.
    spread : int
        Ticks from bid to ask.
    levels : int
        Prices a side at which there is something, a tick apart.
    level_lots : int
        Lots at each of them.

    Raises
    ------
    ConfigError
        A number below 1, or a start that leaves no room for the levels below it.
    """

    start: int = 5_400
    spread: int = 1
    levels: int = 5
    level_lots: int = 1_000

    def __post_init__(self) -> None:
        """Refuse what makes no market."""
        for name in ("spread", "levels", "level_lots"):
            if getattr(self, name) < 1:
                message = f"{name} is {getattr(self, name)!r}; expected a number of 1 or more"
                raise ConfigError(message)
        if not self.levels < self.start < 1 << 32:
            message = (
                f"start is {self.start!r} ticks; expected more than the {self.levels} levels that "
                "lie below it, and less than 2**32"
            )
            raise ConfigError(message)


class ServerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a paper venue listens, and how fast its market goes.

    Parameters
    ----------
    host : str
        An address of this machine. One that other machines can reach needs TLS.
    port : int
        0 picks a free one.
    speed : float
        Steps of the market a second. 0: as fast as it goes for a replay, standing still for the
        synthetic market.

    Raises
    ------
    ConfigError
        A value outside its range.
    """

    host: str = "127.0.0.1"
    port: int = 7702
    speed: float = 1.0

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if not 0.0 <= self.speed <= 1e6:
            message = f"speed is {self.speed!r}; expected steps a second, 0 to a million"
            raise ConfigError(message)
        if not 0 <= self.port <= 65535:
            message = f"port is {self.port!r}; expected 0 to 65535"
            raise ConfigError(message)
