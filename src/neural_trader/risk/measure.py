"""Value at risk and expected shortfall of a portfolio, with all that has to be said beside them."""

import datetime as dt
import hashlib
import math
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from neural_trader.core import Bars
from neural_trader.core.version import VERSION
from neural_trader.risk.book import Book
from neural_trader.risk.config import SIMULATED, RiskConfig
from neural_trader.risk.definitions import describe
from neural_trader.risk.history import History, read_history
from neural_trader.risk.methods import Estimate, Sample, estimate, make_sample, marginal_of
from neural_trader.risk.portfolio_file import Portfolio, read_portfolio
from neural_trader.risk.valuation import book_value, exposures, is_flat, make_book

Floats = NDArray[np.float64]
PortfolioLike = str | os.PathLike[str] | Mapping[str, Any] | Portfolio


class Situation(NamedTuple):
    """A portfolio at its as-of date, and the returns before it."""

    portfolio: Portfolio
    history: History
    book: Book

    @property
    def period(self) -> float:
        """Years that a period takes."""
        return 1.0 / self.history.periods_per_year


class RiskResult(NamedTuple):
    """Value at risk and expected shortfall of a portfolio.

    Attributes
    ----------
    var, es : float
        Losses in money, positive; NaN where undefined.
    std_error, es_std_error : float
        Of ``var`` and ``es``; NaN for a closed form.
    components, component_var : dict of str to float
        By symbol, options with their underlying; they add up to ``es`` and ``var``.
    marginal : dict of str to float
        What ES grows by with a unit of money more in the symbol's shares.
    incremental : dict of str to float
        VaR minus VaR without the symbol's positions; these do not add up.
    exposures : dict of str to float
        Money that moves with each symbol, options by their delta.
    value : float
        Of the portfolio, cash included.
    method, label : str
        What was asked for, and what was done.
    simulations, seed : int or None
        Of a simulated figure.
    definitions, undefined : dict of str to str
        What the figures mean, and why some are NaN.
    estimates : dict of str to str
        What was estimated on the way: degrees, threshold and the like.
    notes : tuple of str
    provenance : dict
    losses : float64 array, shape (n,)
        Of the scenarios; of length 0 for a model without scenarios.
    """

    var: float
    es: float
    std_error: float
    es_std_error: float
    components: dict[str, float]
    component_var: dict[str, float]
    marginal: dict[str, float]
    incremental: dict[str, float]
    exposures: dict[str, float]
    value: float
    method: str
    label: str
    simulations: int | None
    seed: int | None
    definitions: dict[str, str]
    undefined: dict[str, str]
    estimates: dict[str, str]
    notes: tuple[str, ...]
    provenance: dict[str, Any]
    losses: Floats

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the losses as JSON can hold it; NaN is None."""
        return {name: plain(value) for name, value in self._asdict().items() if name != "losses"}


def read_situation(
    portfolio: PortfolioLike,
    bars: Bars,
    *,
    as_of: str | dt.date | None = None,
    window: int | None = None,
) -> Situation:
    """Value a portfolio at a date, and find the returns before it.

    Parameters
    ----------
    portfolio : str, Path, mapping or Portfolio
    bars : Bars
        With every symbol of the portfolio.
    as_of : str or date, optional
        The last close that counts; None is the last of the data.
    window : int, optional
        So many returns; None is all.

    Raises
    ------
    DataError
        The portfolio is wrong, a symbol has no prices, or the history is too short.
    """
    held = read_portfolio(portfolio)
    history = read_history(bars, held.symbols, as_of=as_of, window=window)
    return Situation(held, history, make_book(held, history))


def measure_risk(situation: Situation, config: RiskConfig | None = None) -> RiskResult:
    """Return value at risk and expected shortfall of a portfolio.

    Parameters
    ----------
    situation : Situation
        From :func:`read_situation`.
    config : RiskConfig, optional
        The method and its settings; historical at 0.99 over one period by default.

    Raises
    ------
    ConfigError
        A setting cannot be used.
    DataError
        The history is too short for the tail, or for the method.

    Timing
    ------
    Uses closes up to the as-of date, and none after it.

    Missing
    -------
    A day that one of the symbols lacks is left out. What is undefined is NaN, with its reason in
    ``undefined``. A portfolio whose positions net to nothing has a risk of 0.

    Examples
    --------
    >>> import neural_trader as nt
    >>> held = {"positions": [{"symbol": "KO", "qty": 200}, {"symbol": "PEP", "qty": -80}]}
    >>> situation = read_situation(held, nt.load("sp500-closes"))
    >>> round(measure_risk(situation, RiskConfig(method="normal")).var, 2)
    428.89
    """
    config = RiskConfig() if config is None else config
    history, book = situation.history, situation.book
    symbols = history.symbols
    if is_flat(book):
        found, incremental = _nothing(len(symbols), config), np.zeros(len(symbols))
    else:
        sample = make_sample(book, history.returns, config, period=situation.period)
        found = estimate(sample, config)
        found = found._replace(marginal_es=marginal_of(sample, config, found))
        incremental = _incremental(sample, config, found)

    def named(values: Floats) -> dict[str, float]:
        return dict(zip(symbols, (values + 0.0).tolist(), strict=True))

    simulated = config.method in SIMULATED
    return RiskResult(
        var=found.var + 0.0,
        es=found.es + 0.0,
        std_error=found.var_std_error,
        es_std_error=found.es_std_error,
        components=named(found.component_es),
        component_var=named(found.component_var),
        marginal=named(found.marginal_es),
        incremental=named(incremental),
        exposures=named(exposures(book)),
        value=book_value(book),
        method=config.method,
        label=found.label,
        simulations=config.simulations if simulated else None,
        seed=config.seed if simulated else None,
        definitions=describe(config, history, has_options=situation.portfolio.has_options),
        undefined=_reasons(found, incremental),
        estimates=dict(found.notes),
        notes=tuple(_notes(situation)),
        provenance=provenance_of(situation, config),
        losses=found.losses,
    )


def provenance_of(situation: Situation, config: RiskConfig | None = None) -> dict[str, Any]:
    """Return what a figure was made from."""
    history, bars = situation.history, situation.history.bars
    content = msgspec.json.encode(situation.portfolio, order="deterministic")
    given = {
        "version": VERSION,
        "data": bars.name,
        "data_hash": bars.data_hash,
        "basis": bars.basis,
        "labels": list(bars.labels),
        "portfolio_hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "as_of": str(history.as_of),
        "returns": len(history.returns),
        "periods_per_year": history.periods_per_year,
    }
    return given if config is None else given | {"config": msgspec.to_builtins(config)}


def _incremental(sample: Sample, config: RiskConfig, found: Estimate) -> Floats:
    """Return VaR minus VaR without each symbol."""
    values = np.full(len(sample.exposures), math.nan)
    for place in range(len(values)):
        rest = sample.without(place)
        if is_flat(rest.book):
            values[place] = found.var
        elif rest.book.shares[place] == sample.book.shares[place] and len(
            rest.book.options.units
        ) == len(sample.book.options.units):
            values[place] = 0.0
        else:
            values[place] = found.var - estimate(rest, config).var
    return values


def _nothing(count: int, config: RiskConfig) -> Estimate:
    zero = np.zeros(count)
    error = 0.0 if config.method in (*SIMULATED, "historical") else math.nan
    return Estimate(0.0, 0.0, zero, zero, zero, zero, "nothing is held", error, error)


def _reasons(found: Estimate, incremental: Floats) -> dict[str, str]:
    reasons: dict[str, str] = {}
    if found.undefined:
        if math.isnan(found.var):
            reasons |= dict.fromkeys(("var", "component_var", "incremental"), found.undefined)
        reasons |= dict.fromkeys(("es", "components", "marginal"), found.undefined)
    elif np.isnan(incremental).any():
        reasons["incremental"] = "without one of the symbols the figure is undefined"
    if math.isnan(found.var_std_error):
        why = "a closed form has no error of sampling"
        reasons |= dict.fromkeys(("std_error", "es_std_error"), why)
    return reasons


def _notes(situation: Situation) -> list[str]:
    """Return what a reader has to know."""
    history, book = situation.history, situation.book
    notes = []
    if is_flat(book):
        notes.append("the positions net to nothing: no risk is left")
    if history.still:
        notes.append(
            f"{', '.join(history.still)} did not move in the window, and so has no risk in it"
        )
    if "survivors" in history.bars.labels:
        notes.append("survivors: these symbols are known today because they lasted")
    last = history.bars.home(history.symbols[0]).ts_close_ns[-1]
    adjusted = history.bars.basis == "total-return"
    if situation.portfolio.has_options and adjusted and history.ts_close_ns[-1] < last:
        notes.append(
            "prices are adjusted for later dividends: at this as-of date they lie below those "
            "that options were written on"
        )
    return notes


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a result holds
    """Return a value as JSON can hold it: NaN and infinities are None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value
