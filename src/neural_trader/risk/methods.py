"""The methods: from a book and past returns to value at risk and expected shortfall.

A method is two steps. ``make_sample`` turns returns into what the method looks at (moves over the
horizon and what the book gains in them, or a model); ``estimate`` reads the two figures from it.
Nothing else is read, so that an estimate for a day can know no later one.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import DataError
from neural_trader.risk.book import Book
from neural_trader.risk.config import Method, RiskConfig
from neural_trader.risk.cornish_fisher import Moments, expand
from neural_trader.risk.distributions import (
    normal_quantile,
    student_quantile,
    student_shortfall,
)
from neural_trader.risk.empirical import age_weights, tail_of
from neural_trader.risk.estimation import draw_moves, estimate_model, fit_filter
from neural_trader.risk.extremes import fit_tail
from neural_trader.risk.history import NOISE, compound
from neural_trader.risk.model import Model
from neural_trader.risk.scenarios.options import STEPS_A_YEAR
from neural_trader.risk.simulation import Plan, Simulation, simulate
from neural_trader.risk.valuation import exposures, gains, without

Floats = NDArray[np.float64]

TAIL_POINTS: Final = 40
"""Points of equal probability at which the distribution beyond VaR is kept."""
_BUMP: Final = 1e-7


class Sample(NamedTuple):
    """What a method looks at.

    Attributes
    ----------
    book : Book
    exposures : float64 array, shape (N,)
        Money that moves with each symbol, options by their delta.
    moves, gains : float64 arrays, shape (n, N)
        Scenarios of the horizon, and what each symbol's positions gain in them; of no rows where
        the method has a model instead.
    model : Model
        Of the returns of a period; of no symbols where the method has scenarios instead.
    """

    book: Book
    exposures: Floats
    moves: Floats
    gains: Floats
    model: Model

    def without(self, place: int) -> "Sample":
        """Return the sample of the book without one symbol's positions."""
        less, exposed = self.gains, self.exposures.copy()
        exposed[place] = 0.0
        if len(less):
            less = less.copy()
            less[:, place] = 0.0
        return self._replace(book=without(self.book, place), exposures=exposed, gains=less)


class Estimate(NamedTuple):
    """Value at risk and expected shortfall, and what each symbol has to do with them.

    Attributes
    ----------
    var, es : float
        Losses, positive, in money; NaN where undefined.
    component_es, component_var : float64 arrays, shape (N,)
        They add up to ``es`` and ``var``.
    marginal_es : float64 array, shape (N,)
        What ES grows by with a unit of money more in a symbol's shares.
    tail : float64 array, shape (TAIL_POINTS,)
        Losses beyond VaR at equal steps of probability; their mean is ``es``.
    var_std_error, es_std_error : float
        NaN where nothing was sampled.
    label : str
        What was really done.
    undefined : str
        Why figures are NaN, or empty.
    notes : dict of str
        What the method estimated on its way, as text.
    losses : float64 array, shape (n,)
        Of the scenarios; of length 0 where there are none.
    """

    var: float
    es: float
    component_es: Floats
    component_var: Floats
    marginal_es: Floats
    tail: Floats
    label: str
    var_std_error: float = math.nan
    es_std_error: float = math.nan
    undefined: str = ""
    notes: Mapping[str, str] = MappingProxyType({})
    losses: Floats = np.zeros(0)


def make_sample(
    book: Book,
    returns: Floats,
    config: RiskConfig,
    *,
    period: float,
    gained: Floats | None = None,
) -> Sample:
    """Turn past returns into what a method looks at.

    Parameters
    ----------
    book : Book
    returns : float64 array, shape (T, N)
        Simple, of the book's symbols.
    config : RiskConfig
    period : float
        Years that a period takes, which options lose.
    gained : float64 array, shape (T, N), optional
        What the book gains with these returns in one period, where that is known already.

    Raises
    ------
    DataError
        A return is not finite, or there are too few.
    """
    check_returns(returns, book.symbols)
    count = len(book.symbols)
    nothing = np.zeros((0, count))
    sample = Sample(
        book, exposures(book), nothing, nothing, Model(np.zeros(0), np.zeros((0, 0)), math.inf)
    )
    if config.method == "monte-carlo" and len(book.options.units):
        _check_period(period)
    if config.method in ("normal", "student-t", "monte-carlo"):
        return sample._replace(model=estimate_model(returns, config))
    if config.method == "fhs":
        moves = draw_moves(fit_filter(returns, config), config)
        passed = period * config.horizon
    elif config.method == "cornish-fisher":
        moves, passed = returns, period
    else:
        moves, passed = compound(returns, config.horizon), period * config.horizon
    known = gained is not None and moves is returns
    made = gained if known and gained is not None else gains(book, moves, passed=passed)
    return sample._replace(moves=moves, gains=made)


def _check_period(period: float) -> None:
    """Refuse steps by which simulated options would lose another time than they take."""
    if abs(period * STEPS_A_YEAR - 1.0) > 1e-9:
        message = (
            f"the data have {1.0 / period:.0f} periods a year; monte-carlo values options over "
            f"trading days, {STEPS_A_YEAR} a year. Take fhs or historical, or daily data"
        )
        raise DataError(message)


def check_returns(returns: Floats, symbols: tuple[str, ...]) -> None:
    """Refuse returns that are not finite, or fewer than two.

    Raises
    ------
    DataError
    """
    if len(returns) < 2:
        message = f"{len(returns)} returns are too short a history; expected 2 or more"
        raise DataError(message)
    wrong = np.argwhere(~np.isfinite(returns))
    if len(wrong):
        row, column = wrong[0].tolist()
        message = (
            f"the return of {symbols[column]} in row {row} is {returns[row, column]}; expected "
            "finite returns. Fill the gap, or leave the day out"
        )
        raise DataError(message)


def estimate(sample: Sample, config: RiskConfig) -> Estimate:
    """Return value at risk and expected shortfall of a sample."""
    return _ESTIMATORS[config.method](sample, config)


def _closed(sample: Sample, config: RiskConfig) -> Estimate:
    """Return the closed form of an elliptical model on exposures, options by their delta."""
    held, (mean, covariance, degrees) = sample.exposures, sample.model
    variance = float(held @ covariance @ held)
    root, beyond = math.sqrt(config.horizon), 1.0 - config.confidence
    unit = 1.0 if math.isinf(degrees) else math.sqrt((degrees - 2.0) / degrees)
    # Positions that hedge each other leave a rounding error, which has no square root.
    scale = float((np.abs(held) * np.sqrt(np.diag(covariance))).sum())
    deviation = math.sqrt(variance) if variance > (1e-9 * scale) ** 2 else 0.0
    slope = covariance @ held / deviation if deviation > 0.0 else np.zeros(len(held))
    drift = mean * config.horizon

    def at(multiple: float) -> tuple[float, Floats]:
        marginal = root * unit * multiple * slope - drift
        total = root * unit * multiple * deviation - float(drift @ held)
        return total, marginal

    var, marginal_var = at(student_quantile(config.confidence, degrees))
    es, marginal_es = at(student_shortfall(config.confidence, degrees))
    steps = config.confidence + beyond * (np.arange(TAIL_POINTS) + 0.5) / TAIL_POINTS
    tail = np.array([at(student_quantile(level, degrees))[0] for level in steps.tolist()])
    is_normal = config.method == "normal"
    name = "normal" if is_normal else "Student-t"
    form = f"{name}, closed form"
    form += ", options by their delta" if len(sample.book.options.units) else ""
    return Estimate(
        var=var,
        es=es,
        component_es=marginal_es * held,
        component_var=marginal_var * held,
        marginal_es=marginal_es,
        tail=_stretched(tail, var, es),
        label=form,
        notes={} if is_normal else {"degrees": f"{degrees:.6g}"},
    )


def _empirical(sample: Sample, config: RiskConfig) -> Estimate:
    """Return the figures of scenarios: past moves, or simulated ones."""
    losses = 0.0 - sample.gains.sum(axis=1)
    weights = None
    if config.method == "historical" and config.age_weight is not None:
        weights = age_weights(len(losses), config.age_weight)
    past = config.method == "historical"
    found = tail_of(
        losses,
        config.confidence,
        weights=weights,
        independent=1.0 / config.horizon if past else 1.0,
    )
    levels = np.cumsum(found.es_weights[found.order])
    steps = (np.arange(TAIL_POINTS) + 0.5) / TAIL_POINTS
    places = np.minimum(np.searchsorted(levels, steps), len(losses) - 1)
    label = "historical" if past else f"filtered historical ({config.filter.upper()}), simulated"
    if weights is not None:
        label += f", weighted by age ({config.age_weight:g} a period)"
    if past and config.horizon > 1:
        label += f", overlapping losses over {config.horizon} periods"
    return Estimate(
        var=found.var,
        es=found.es,
        component_es=0.0 - found.es_weights @ sample.gains,
        component_var=0.0 - found.var_weights @ sample.gains,
        marginal_es=0.0 - found.es_weights @ sample.moves,
        tail=_stretched(losses[found.order][places], found.var, found.es),
        label=label,
        var_std_error=found.var_std_error,
        es_std_error=found.es_std_error,
        losses=losses,
    )


def _cornish_fisher(sample: Sample, config: RiskConfig) -> Estimate:
    losses = 0.0 - sample.gains.sum(axis=1)
    moments = Moments.of(losses, config)
    label = "Cornish-Fisher, closed form of the moments of past losses"
    notes = {"skew": f"{moments.skew:.6g}", "excess_kurtosis": f"{moments.kurtosis:.6g}"}
    if moments.undefined:
        return _undefined(sample, label, moments.undefined)._replace(notes=notes, losses=losses)
    var, var_weights = moments.figure(expand(normal_quantile(config.confidence)))
    es, es_weights = moments.figure(expand(config.confidence, beyond=True))
    beyond = 1.0 - config.confidence
    steps = config.confidence + beyond * (np.arange(TAIL_POINTS) + 0.5) / TAIL_POINTS
    tail = [moments.figure(expand(normal_quantile(level)))[0] for level in steps.tolist()]
    return Estimate(
        var=var,
        es=es,
        component_es=0.0 - es_weights @ sample.gains,
        component_var=0.0 - var_weights @ sample.gains,
        marginal_es=0.0 - es_weights @ sample.moves,
        tail=_stretched(np.array(tail), var, es),
        label=label,
        notes=notes,
        losses=losses,
    )


def _evt(sample: Sample, config: RiskConfig) -> Estimate:
    losses = 0.0 - sample.gains.sum(axis=1)
    label = "extreme value theory (generalized Pareto), closed form of a fit to past losses"
    if config.horizon > 1:
        label += f", overlapping over {config.horizon} periods"
    if np.ptp(losses) <= NOISE * max(float(np.abs(losses).max()), 1.0):
        return _undefined(sample, label, "the losses do not vary")._replace(losses=losses)
    fitted = fit_tail(losses, config.tail)
    var, es = fitted.quantile(config.confidence), fitted.shortfall(config.confidence)
    beyond = losses > fitted.threshold
    # Shares of the losses beyond the threshold; what is beyond VaR is too little to share by.
    shares = beyond / float(losses[beyond].sum())
    step = 1.0 - config.confidence
    levels = config.confidence + step * (np.arange(TAIL_POINTS) + 0.5) / TAIL_POINTS
    tail = np.array([fitted.quantile(level) for level in levels.tolist()])
    component = 0.0 - shares @ sample.gains
    return Estimate(
        var=var,
        es=es,
        component_es=component * es,
        component_var=component * var,
        marginal_es=(0.0 - shares @ sample.moves) * es,
        tail=_stretched(tail, var, es),
        label=label,
        undefined="" if math.isfinite(es) else "the shape is 1 or more: the mean is infinite",
        notes={
            "threshold": f"{fitted.threshold:.6g}",
            "shape": f"{fitted.shape:.6g}",
            "scale": f"{fitted.scale:.6g}",
            "exceedances": f"{fitted.exceedances} of {fitted.total}",
        },
        losses=losses,
    )


def _monte_carlo(sample: Sample, config: RiskConfig) -> Estimate:
    found = _simulated(sample.book, sample.model, config)
    losses = np.zeros(0) if found.losses is None else found.losses
    held, degrees = sample.exposures, sample.model.degrees
    # Where options lie on a symbol its part is not its exposure times a slope: see marginal_of.
    plain = held != 0.0
    plain[sample.book.options.underlying] = False
    beyond = np.sort(losses[losses >= found.var])
    steps = (np.arange(TAIL_POINTS) + 0.5) / TAIL_POINTS
    tail = beyond[(steps * len(beyond)).astype(np.intp)]
    return Estimate(
        var=found.var,
        es=found.es,
        component_es=found.component_es,
        component_var=found.component_var,
        marginal_es=np.divide(
            found.component_es, held, out=np.full(len(held), math.nan), where=plain
        ),
        tail=_stretched(tail, found.var, found.es),
        label=found.method,
        var_std_error=found.var_std_error,
        es_std_error=found.es_std_error,
        notes={"device": found.device}
        | ({} if math.isinf(degrees) else {"degrees": f"{degrees:.6g}"}),
        losses=losses,
    )


def _simulated(book: Book, model: Model, config: RiskConfig) -> Simulation:
    plan = Plan(
        horizon=config.horizon,
        draws=config.draws,
        scrambles=config.scrambles,
        threads=config.threads,
        device=config.device,
        keep_losses=True,
    )
    return simulate(
        book,
        model,
        confidence=config.confidence,
        simulations=config.simulations,
        seed=config.seed,
        plan=plan,
    )


def marginal_of(sample: Sample, config: RiskConfig, found: Estimate) -> Floats:
    """Return the marginal ES of every symbol, those that a simulation leaves open by a bump.

    Returns
    -------
    float64 array, shape (N,)

    Notes
    -----
    The same scenarios with a little more of the symbol: ES is linear in it until two scenarios at
    the edge of the tail change places.
    """
    marginal = found.marginal_es.copy()
    if config.method != "monte-carlo":
        return marginal
    bump = _BUMP * max(float(np.abs(sample.exposures).sum()), float(sample.book.prices.max()))
    for place in np.flatnonzero(np.isnan(marginal)).tolist():
        shares = sample.book.shares.copy()
        shares[place] += bump / sample.book.prices[place]
        moved = _simulated(sample.book._replace(shares=shares), sample.model, config)
        marginal[place] = (moved.es - found.es) / bump
    return marginal


def _stretched(tail: Floats, var: float, es: float) -> Floats:
    """Return losses beyond VaR whose mean is ES: a few points of a heavy tail fall short of it."""
    above = float((tail - var).mean())
    return var + (tail - var) * ((es - var) / above) if above > 0.0 else tail


def _undefined(sample: Sample, label: str, why: str) -> Estimate:
    nothing = np.full(len(sample.exposures), math.nan)
    points = np.full(TAIL_POINTS, math.nan)
    return Estimate(
        math.nan, math.nan, nothing, nothing, nothing, points, label=label, undefined=why
    )


_ESTIMATORS: Final[dict[Method, Callable[[Sample, RiskConfig], Estimate]]] = {
    "historical": _empirical,
    "normal": _closed,
    "student-t": _closed,
    "cornish-fisher": _cornish_fisher,
    "evt": _evt,
    "fhs": _empirical,
    "monte-carlo": _monte_carlo,
}
