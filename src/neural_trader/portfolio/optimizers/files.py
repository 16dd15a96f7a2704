"""Views and groups from TOML files; ``docs/optimizers.md`` shows one of each."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from neural_trader.core.errors import ConfigError
from neural_trader.portfolio.optimizers.black_litterman import View, Views
from neural_trader.portfolio.optimizers.constraints import Group

_Side = str | list[str] | dict[str, float]
_Form = TypeVar("_Form", bound=msgspec.Struct)


class _ViewSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ``[[views]]``."""

    expected: float = msgspec.field(name="return")
    symbol: str | None = None
    long: _Side | None = None
    short: _Side | None = None
    confidence: float = 0.5


class _ViewsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of views."""

    market_weights: dict[str, float]
    views: list[_ViewSection] = []
    risk_aversion: float = 2.5
    tau: float = 0.05


class _GroupSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ``[groups.NAME]``."""

    symbols: list[str]
    min: float = float("-inf")
    max: float = float("inf")


class _GroupsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of groups."""

    groups: dict[str, _GroupSection]


def read_views(path: str | Path) -> Views:
    """Read the market's weights, and views of it, from a TOML file.

    Parameters
    ----------
    path : str or Path
        With a table ``[market_weights]``, and for every view a ``[[views]]`` with ``return`` and
        either ``symbol``, or ``long`` and ``short``: a symbol, several in equal parts, or a table
        of parts. ``confidence``, ``risk_aversion`` and ``tau`` may be left out.

    Raises
    ------
    ConfigError
        The file is missing, is no TOML, or holds what it must not.
    """
    found = _read(path, _ViewsFile, "market_weights")
    views = tuple(
        View(_portfolio(view, f"{path}: view {number}"), view.expected, view.confidence)
        for number, view in enumerate(found.views, 1)
    )
    return Views(found.market_weights, views, found.risk_aversion, found.tau)


def read_groups(path: str | Path) -> tuple[Group, ...]:
    """Read groups from a TOML file: ``[groups.NAME]`` with ``symbols``, ``min`` and ``max``.

    Raises
    ------
    ConfigError
        The file is missing, is no TOML, or holds what it must not.
    """
    found = _read(path, _GroupsFile, "groups")
    return tuple(
        Group(name, tuple(group.symbols), group.min, group.max)
        for name, group in found.groups.items()
    )


def _read(path: str | Path, form: type[_Form], needed: str) -> _Form:
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}; expected a TOML file with {needed}"
        raise ConfigError(message) from None
    try:
        made: Any = msgspec.toml.decode(text, type=form)
    except msgspec.ValidationError as error:
        message = f"{path}: {error}; docs/optimizers.md shows what stands in it"
        raise ConfigError(message) from None
    except (msgspec.DecodeError, ValueError) as error:
        message = f"{path} is no TOML: {error}"
        raise ConfigError(message) from None
    return made  # type: ignore[no-any-return]


def _portfolio(view: _ViewSection, where: str) -> dict[str, float]:
    """Return the weights of a view's portfolio."""
    is_relative = view.long is not None and view.short is not None
    if (view.symbol is None) == (not is_relative) or (
        view.symbol is not None and (view.long is not None or view.short is not None)
    ):
        message = (
            f"{where} needs either symbol, whose return is viewed, or long and short, for by how "
            "much one returns more than the other"
        )
        raise ConfigError(message)
    if view.symbol is not None:
        return {view.symbol: 1.0}
    weights = _parts(view.long, f"{where}, long")
    for symbol, part in _parts(view.short, f"{where}, short").items():
        if symbol in weights:
            message = f"{where} has {symbol} on both sides"
            raise ConfigError(message)
        weights[symbol] = -part
    return weights


def _parts(side: _Side | None, where: str) -> dict[str, float]:
    """Return the parts of one side, adding up to 1."""
    if isinstance(side, str):
        return {side: 1.0}
    given = dict.fromkeys(side, 1.0) if isinstance(side, list) else dict(side or {})
    total = sum(given.values())
    if not given or not all(0.0 < part < float("inf") for part in given.values()):
        message = f"{where} is {side!r}; expected a symbol, several, or a table of parts above 0"
        raise ConfigError(message)
    return {symbol: part / total for symbol, part in given.items()}
