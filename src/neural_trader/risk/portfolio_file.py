"""The portfolio file: what is held, as JSON, checked field by field."""

import datetime as dt
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from neural_trader.core import ConfigError, DataError

# Bounds that no position reaches, so that no product overflows.
_Money = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
_Quantity = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
_Strike = Annotated[float, msgspec.Meta(gt=0.0, le=1e9)]
_Multiplier = Annotated[float, msgspec.Meta(gt=0.0, le=1e9)]
_Fraction = Annotated[float, msgspec.Meta(ge=-1.0, le=1.0)]
_SCHEMA_URI: Final = "https://json-schema.org/draft/2020-12/schema"


class OptionTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A European option on one share of a position's symbol.

    Parameters
    ----------
    type : {"call", "put"}
    style : {"european", "american"}
        American options are refused: Black-Scholes does not know what exercising early is worth.
    strike : float
        Above 0, in the money of the prices.
    expiry : date
        As YYYY-MM-DD, after the as-of date; 365 days make a year.
    multiplier : float
        Shares a contract, above 0.
    rate : float
        Of interest a year, as a fraction, compounded continuously.
    dividend_yield : float
        A year, as a fraction, compounded continuously.
    iv : float, optional
        Implied volatility a year, as a fraction, above 0.
    vol_source : {"historical"}, optional
        Where the volatility comes from where there is no ``iv``: the returns of the window.
    """

    type: Literal["call", "put"]
    style: Literal["european", "american"]
    strike: _Strike
    expiry: dt.date
    multiplier: _Multiplier
    rate: _Fraction
    dividend_yield: _Fraction = 0.0
    iv: Annotated[float, msgspec.Meta(gt=0.0, le=10.0)] | None = None
    vol_source: Literal["historical"] | None = None


class PositionEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number of shares, or of contracts where there is an option; negative where sold."""

    symbol: Annotated[str, msgspec.Meta(min_length=1)]
    qty: _Quantity
    option: OptionTerms | None = None


class Portfolio(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is held: cash, shares and European options.

    Parameters
    ----------
    cash : float
        Part of the value; no risk comes from it.
    positions : list of PositionEntry
        At least one. Entries of the same symbol and option add up.
    vol_source : {"historical"}, optional
        For every option that has neither ``iv`` nor a ``vol_source`` of its own.
    """

    positions: Annotated[tuple[PositionEntry, ...], msgspec.Meta(min_length=1)]
    cash: _Money = 0.0
    vol_source: Literal["historical"] | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol once, in order of appearance."""
        return tuple(dict.fromkeys(entry.symbol for entry in self.positions))

    @property
    def has_options(self) -> bool:
        """Whether an option is among the positions."""
        return any(entry.option is not None for entry in self.positions)


def read_portfolio(source: str | os.PathLike[str] | Mapping[str, Any] | Portfolio) -> Portfolio:
    """Read a portfolio from a JSON file, or from a mapping of the same shape.

    Parameters
    ----------
    source : str, Path, mapping or Portfolio
        ``{"cash": 50000, "positions": [{"symbol": "KO", "qty": 200}]}``; :func:`portfolio_schema`
        has every field.

    Raises
    ------
    DataError
        There is no such file, or it is not a portfolio: the message has the path of what is wrong,
        such as ``$.positions[2].option.iv``.
    """
    if isinstance(source, Portfolio):
        _check_options(source, "portfolio")
        return source
    name = "portfolio" if isinstance(source, Mapping) else str(source)
    try:
        if isinstance(source, Mapping):
            # By way of JSON, so that both are held to the same rules.
            content = json.dumps(dict(source), default=str, allow_nan=False).encode()
        elif isinstance(source, (str, os.PathLike)):
            content = Path(source).expanduser().read_bytes()
        else:
            message = f"portfolio is a {type(source).__name__}; expected a file or a mapping"
            raise ConfigError(message)
        portfolio = msgspec.json.decode(content, type=Portfolio)
    except OSError as error:
        message = f"cannot read the portfolio {name}: {error.strerror}; give a JSON file"
        raise DataError(message) from None
    except (msgspec.DecodeError, ValueError) as error:
        message = f"{name}: {error}. docs/risk.md shows the file; `neural-trader risk schema` too"
        raise DataError(message) from None
    _check_options(portfolio, name)
    return portfolio


def portfolio_schema() -> dict[str, Any]:
    """Return the JSON Schema of a portfolio file."""
    schema: dict[str, Any] = {"$schema": _SCHEMA_URI, "title": "Portfolio of neural-trader"}
    return schema | msgspec.json.schema(Portfolio)


def _check_options(portfolio: Portfolio, name: str) -> None:
    """Refuse options that cannot be valued."""
    for place, entry in enumerate(portfolio.positions):
        option, path = entry.option, f"{name}: $.positions[{place}].option"
        if option is None:
            continue
        if option.style == "american":
            message = (
                f"{path}.style is 'american'; only European options can be valued here. Leave the "
                "position out, or see whether a European one stands for it"
            )
            raise DataError(message)
        if option.iv is None and (option.vol_source or portfolio.vol_source) is None:
            message = (
                f"{path}.iv is missing; expected the implied volatility a year, such as 0.22, or "
                '"vol_source": "historical" to take that of the returns'
            )
            raise DataError(message)
        if option.iv is not None and option.vol_source is not None:
            message = f'{path} has "iv" and "vol_source"; expected one of them. Leave one out'
            raise DataError(message)
