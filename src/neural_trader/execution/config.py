"""``gateway.toml``: what a gateway is told before it starts."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, Literal

import msgspec

from neural_trader.core.errors import ConfigError
from neural_trader.execution.hosts import is_this_machine
from neural_trader.execution.limits import Limits
from neural_trader.execution.listing import Listing, read_step
from neural_trader.execution.messages import MONEY_MAX
from neural_trader.execution.tokens import Grant

_PORT_MAX: Final = 65_535
_TIMEOUT_MS_MAX: Final = 3_600_000
_SYMBOL_MAX: Final = 32
# Of each number of [gateway]: the least and the most that it may be, None where there is no most.
_GATEWAY_RANGES: Final[dict[str, tuple[int, int | None]]] = {
    "port": (0, _PORT_MAX),
    "segment_mb": (1, 1_024),
    "retention_mb": (0, None),
    "sessions_max": (1, None),
    "requests_per_second": (1, None),
    "metrics_port": (0, _PORT_MAX),
}


def _check_range(what: str, found: int, least: int, most: int | None) -> None:
    if found < least or (most is not None and found > most):
        wanted = f"{least:,} or more" if most is None else f"{least:,} to {most:,}"
        message = f"{what} is {found:,}; expected {wanted}"
        raise ConfigError(message)


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: unknown keys are errors."""


class GatewaySection(_Section, frozen=True):
    """``[gateway]``: where it listens, and how it keeps its journal.

    Parameters
    ----------
    host, port : str, int
        Where clients connect; beyond this machine only with ``cert`` and ``key``.
    journal : str
        The journal's folder, from the configuration's own folder.
    durability : {"process-safe", "power-safe"}
        What an acknowledged order survives: the end of the process, or of the machine's power.
    segment_mb : int
        The size of the journal's files.
    retention_mb : int
        How much of the journal is kept, in whole files; a checkpoint stands for what came before.
        0 keeps everything.
    sessions_max : int
        Connections at a time.
    requests_per_second : int
        What one connection may ask.
    cert, key : str
        PEM files for TLS.
    metrics_port : int
        Where Prometheus finds the metrics on this machine; 0 is nowhere.
    """

    host: str = "127.0.0.1"
    port: int = 7701
    journal: str = "journal"
    durability: Literal["process-safe", "power-safe"] = "power-safe"
    segment_mb: int = 64
    retention_mb: int = 0
    sessions_max: int = 256
    requests_per_second: int = 500_000
    cert: str = ""
    key: str = ""
    metrics_port: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be meant."""
        for name, (least, most) in _GATEWAY_RANGES.items():
            _check_range(f"[gateway] {name}", getattr(self, name), least, most)


class VenueSection(_Section, frozen=True):
    """``[venue]``: where orders go.

    Parameters
    ----------
    host, port : str, int
    timeout_ms : int
        How long an answer may take before an order is unknown.
    cert : str
        The PEM file of the authority that the venue's certificate is checked with; empty only for a
        venue on this machine without TLS.
    """

    host: str = "127.0.0.1"
    port: int = 7702
    timeout_ms: int = 1_000
    cert: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be meant."""
        _check_range("[venue] port", self.port, 1, _PORT_MAX)
        _check_range("[venue] timeout_ms", self.timeout_ms, 1, _TIMEOUT_MS_MAX)


class InstrumentSection(_Section, frozen=True):
    """``[[instruments]]``: what can be traded, in which steps."""

    symbol: str
    tick_size: str = "0.01"
    lot_size: str = "1"

    def __post_init__(self) -> None:
        """Refuse a symbol that no message can hold."""
        if not 1 <= len(self.symbol) <= _SYMBOL_MAX:
            message = (
                f"[[instruments]] symbol is {self.symbol!r}, of {len(self.symbol)} characters; "
                f"expected 1 to {_SYMBOL_MAX}"
            )
            raise ConfigError(message)


class AccountSection(_Section, frozen=True):
    """``[[accounts]]``: name, opening cash, and limits where they differ from ``[limits]``."""

    name: str
    cash: str = "100000"
    limits: dict[str, str | int | bool] = {}


class GatewayConfig(_Section, frozen=True):
    """The whole of ``gateway.toml``.

    Parameters
    ----------
    gateway, venue : GatewaySection, VenueSection
    minor_unit : str
        The smallest unit of the money that everything is counted in.
    limits : Limits
        For all accounts.
    accounts, instruments, tokens : lists of sections

    Raises
    ------
    ConfigError
        Names that stand twice or point nowhere, numbers that cannot be meant, and addresses that
        need TLS.
    """

    gateway: GatewaySection = GatewaySection()
    venue: VenueSection = VenueSection()
    minor_unit: str = "0.01"
    limits: Limits = Limits()
    accounts: tuple[AccountSection, ...] = ()
    instruments: tuple[InstrumentSection, ...] = ()
    tokens: tuple[Grant, ...] = ()

    def __post_init__(self) -> None:
        """Hold the parts to each other."""
        names = [account.name for account in self.accounts]
        symbols = [instrument.symbol for instrument in self.instruments]
        for what, found in (("account", names), ("instrument", symbols)):
            if not found:
                message = f"there is no {what}; write at least one [[{what}s]] section"
                raise ConfigError(message)
            twice = sorted({name for name in found if found.count(name) > 1})
            if twice:
                message = f"{what} {twice[0]!r} stands twice; give each its own name"
                raise ConfigError(message)
        for grant in self.tokens:
            if grant.account not in names:
                message = (
                    f"a token is for account {grant.account!r}; the accounts are {', '.join(names)}"
                )
                raise ConfigError(message)
        read_step("minor_unit", self.minor_unit)
        self.check_hosts(self.gateway.host, self.venue.host)
        self.account_limits()
        self.opening_cash()
        self.listings()

    def check_hosts(self, host: str, venue_host: str) -> None:
        """Refuse to listen or to send orders beyond this machine without TLS.

        Parameters
        ----------
        host, venue_host : str
            Those that are used: an option or a take-over may bring others than stand here.

        Raises
        ------
        ConfigError
            An address is not a loopback one, and has no certificate.
        """
        if not (self.gateway.cert and self.gateway.key) and not is_this_machine(host):
            message = (
                f"the host is {host!r}, which others can reach; give cert and key, so that tokens "
                "and orders are encrypted, or listen at 127.0.0.1"
            )
            raise ConfigError(message)
        if not self.venue.cert and not is_this_machine(venue_host):
            message = (
                f"the venue's host is {venue_host!r}, which is not this machine; give cert in "
                "[venue], so that orders are encrypted and the venue is known, or use a venue at "
                "127.0.0.1"
            )
            raise ConfigError(message)

    def listings(self) -> tuple[Listing, ...]:
        """Return the instruments in their units."""
        return tuple(
            Listing(item.symbol, item.tick_size, item.lot_size, self.minor_unit)
            for item in self.instruments
        )

    def account_limits(self) -> dict[str, Limits]:
        """Return the limits of every account."""
        found = {}
        for account in self.accounts:
            wanted = msgspec.structs.asdict(self.limits) | account.limits
            found[account.name] = _convert(wanted, Limits, f"[[accounts]] {account.name}, limits")
        return found

    def opening_cash(self) -> dict[str, int]:
        """Return the opening cash of every account in minor units."""
        unit = read_step("minor_unit", self.minor_unit)
        return {account.name: _cash(account, unit) for account in self.accounts}


def _cash(account: AccountSection, unit: Decimal) -> int:
    """Return an account's opening cash in minor units, of which it must be a whole number."""
    try:
        cash = Decimal(account.cash)
    except InvalidOperation:
        cash = Decimal("NaN")
    most = MONEY_MAX * unit
    if not cash.is_finite() or not 0 <= cash <= most or cash % unit:
        message = (
            f"[[accounts]] {account.name}: cash is {account.cash!r}; expected decimal text of 0 to "
            f"{most}, a whole number of steps of minor_unit {unit}"
        )
        raise ConfigError(message)
    return int(cash / unit)


def read_config(path: str | Path) -> GatewayConfig:
    """Read ``gateway.toml``.

    Raises
    ------
    ConfigError
        The file is missing, is no TOML, or holds what it must not; the message names the place.
    """
    path = Path(path)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        message = (
            f"there is no {path}; write one to start from with `neural-trader new gateway {path}`"
        )
        raise ConfigError(message) from None
    try:
        return msgspec.toml.decode(text, type=GatewayConfig)
    except (ConfigError, msgspec.ValidationError) as error:
        message = f"{path}: {error}"
        raise ConfigError(message) from None
    except (msgspec.DecodeError, ValueError) as error:
        message = f"{path} is no TOML: {error}"
        raise ConfigError(message) from None


def _convert(wanted: dict[str, str | int | bool], kind: type[Limits], where: str) -> Limits:
    try:
        return msgspec.convert(wanted, kind)
    except (ConfigError, msgspec.ValidationError) as error:
        message = f"{where}: {error}"
        raise ConfigError(message) from None
