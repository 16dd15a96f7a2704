"""Monte Carlo: what a book may lose, from scenarios of its symbols' returns.

``docs/simulation.md`` says what is drawn, how, and how sure the figures are.
"""

import math
import operator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader._kernels import scenarios as kernel
from neural_trader.core import ConfigError
from neural_trader.core.errors import InvariantViolation
from neural_trader.risk.book import Book
from neural_trader.risk.model import Model
from neural_trader.risk.scenarios.checking import (
    as_arrays,
    check_book,
    check_model,
    check_request,
    check_scrambles,
)
from neural_trader.risk.scenarios.device import choose_device, run_losses_on
from neural_trader.risk.scenarios.drawing import Pseudo, Source
from neural_trader.risk.scenarios.factors import factor_of
from neural_trader.risk.scenarios.options import exposures_of, holdings_of
from neural_trader.risk.scenarios.quasi import axes_of, sobol_of
from neural_trader.risk.scenarios.running import (
    Run,
    average_gains,
    limit_of,
    run_losses,
    value_far,
)
from neural_trader.risk.scenarios.tails import measure_tail, share_out, spread_of

Floats = NDArray[np.float64]

DRAWS: Final = ("pseudo", "sobol")
DEVICES: Final = ("auto", "cpu", "cuda")
_GAP_MAX: Final = 1e-9


class Plan(NamedTuple):
    """How a simulation is done; what it is of stands elsewhere.

    Attributes
    ----------
    horizon : int
        Steps of the model's period, compounded.
    draws : str
        "pseudo" random numbers, or "sobol" points, scrambled.
    scrambles : int
        Of Sobol points, at least 16: their spread is the standard error.
    threads : int
        They change no bit of the result.
    device : str
        "cpu"; "cuda", an error where there is none; "auto", which takes what there is.
    keep_losses : bool
        Whether the result holds the loss of every scenario.
    """

    horizon: int = 1
    draws: str = "pseudo"
    scrambles: int = 16
    threads: int = 1
    device: str = "cpu"
    keep_losses: bool = False


class Simulation(NamedTuple):
    """What a book may lose over a horizon, with the standard errors of the simulation.

    Attributes
    ----------
    var, es : float
        In money, positive where it is a loss: order statistic ceil(n confidence) of the losses;
        mean of the worst n (1 - confidence), the boundary loss by its fraction.
    var_std_error, es_std_error : float
        How far another seed may be expected to be off.
    component_es : float64 array, shape (N,)
        Share of each symbol, options with their underlying: mean of its losses where the book's
        are the worst. They sum to ``es``.
    component_var : float64 array, shape (N,)
        The same around ``var``: smoothed over the scenarios near it, since a single one says
        nothing about its parts, and brought to the sum of ``var``.
    losses : float64 array, shape (simulations,), or None
        In order of scenario, where they were to be kept.
    method : str
        What was done.
    simulations, seed : int
    scrambles : int
        Of Sobol points; 0 where there are none.
    device : str
        What drew the scenarios: "cpu" or "cuda".
    """

    var: float
    es: float
    var_std_error: float
    es_std_error: float
    component_es: Floats
    component_var: Floats
    losses: Floats | None
    method: str
    simulations: int
    seed: int
    scrambles: int
    device: str


def simulate(
    book: Book,
    model: Model,
    *,
    confidence: float,
    simulations: int,
    seed: int,
    plan: Plan = Plan(),  # noqa: B008 - a tuple of constants
) -> Simulation:
    """Simulate what a book may lose.

    Every symbol is drawn in every step of every scenario. The same arguments give the same bits on
    any number of threads.

    Parameters
    ----------
    book : Book
        Positions at today's prices; they are held to the horizon.
    model : Model
        Of one step's returns of the book's symbols, in their order.
    confidence : float
        Between 0 and 1.
    simulations : int
        Scenarios; the tail must hold one at least. With Sobol points a multiple of the scrambles,
        best a power of two of them each.
    seed : int
        0 to 2^64 - 1.
    plan : Plan
        How it is done.

    Returns
    -------
    Simulation

    Raises
    ------
    ConfigError
        An option cannot be used, the tail would be empty, or there is no such device.
    DataError
        Book or model hold what is no number, do not fit, or no returns can have that covariance.

    Missing
    -------
    NaN and infinity are refused. A singular covariance is drawn from; symbols that do not move,
    and books that hold nothing, lose nothing.

    Notes
    -----
    A price falls to zero at most, where it stays. Options are valued anew in every scenario.
    Cost O(simulations N) for one step of linear positions, else O(simulations (steps N^2 + M)).
    """
    book, model = as_arrays(book, model)
    check_book(book)
    check_model(model, book.symbols)
    simulations, seed = _whole("simulations", simulations), _whole("seed", seed)
    check_request(confidence, simulations, seed)
    _check_plan(plan)
    quasi = plan.draws == "sobol"
    device = choose_device(plan.device, draws=plan.draws)
    scrambles = check_scrambles(confidence, simulations, plan.scrambles) if quasi else 0
    run = _set_up(book, model, plan, simulations=simulations, stream=kernel.stream_of(seed))
    if device == "cuda":
        losses = value_far(run, run_losses_on(run, simulations, device))
    else:
        losses = run_losses(run, simulations)
    tail = measure_tail(losses, confidence)
    if quasi:
        tail = spread_of(tail, losses.reshape(scrambles, -1), confidence)
    parts = -average_gains(run, tail.ids, tail.weights)
    if abs(float(parts[0].sum()) - tail.es) > _GAP_MAX * max(float(np.abs(parts[0]).sum()), 1e-300):
        message = f"components of {parts[0].sum()} do not make up the shortfall of {tail.es}"
        raise InvariantViolation(message)
    return Simulation(
        var=tail.var,
        es=tail.es,
        var_std_error=tail.var_std_error,
        es_std_error=tail.es_std_error,
        component_es=share_out(tail.es, parts[0]),
        component_var=share_out(tail.var, parts[1]),
        losses=losses if plan.keep_losses else None,
        method=_method(plan, model, len(book.options.underlying)),
        simulations=simulations,
        seed=seed,
        scrambles=scrambles,
        device=device,
    )


def _set_up(book: Book, model: Model, plan: Plan, *, simulations: int, stream: int) -> Run:
    """Return the run of a simulation whose arguments were checked."""
    factor = factor_of(model.covariance)
    source: Source = Pseudo(stream, model.degrees)
    if plan.draws == "sobol":
        factor = axes_of(model.covariance, exposures_of(book))
        source = sobol_of(
            stream,
            points=simulations // plan.scrambles,
            scrambles=plan.scrambles,
            shape=(plan.horizon, len(book.symbols)),
            degrees=model.degrees,
        )
    return Run(
        source=source,
        steps=plan.horizon,
        mean=model.mean,
        factor=factor,
        holdings=holdings_of(book, plan.horizon),
        limit=limit_of(model.mean, model.covariance),
        threads=plan.threads,
    )


def _whole(name: str, value: int) -> int:
    try:
        return operator.index(value)
    except TypeError:
        message = f"{name} is {value!r}; expected a whole number"
        raise ConfigError(message) from None


def _check_plan(plan: Plan) -> None:
    for name, value, known in (("draws", plan.draws, DRAWS), ("device", plan.device, DEVICES)):
        if value not in known:
            message = f"{name} is {value!r}; expected one of {', '.join(known)}"
            raise ConfigError(message)
    counts = {"horizon": plan.horizon, "scrambles": plan.scrambles, "threads": plan.threads}
    for name, count in counts.items():
        if _whole(name, count) < 1:
            message = f"{name} is {count}; expected 1 or more"
            raise ConfigError(message)


def _method(plan: Plan, model: Model, options: int) -> str:
    """Return in words what was done."""
    draws = "pseudo-random"
    if plan.draws == "sobol":
        draws = f"Sobol points, {plan.scrambles} scrambles"
    shape = "normal"
    if math.isfinite(model.degrees):
        shape = f"Student-t with {model.degrees:g} degrees of freedom"
    words = [draws, shape]
    if plan.horizon > 1:
        words.append(f"{plan.horizon} steps compounded")
    if options:
        words.append(f"full revaluation of {options} option{'s' * (options != 1)}")
    return f"monte-carlo ({', '.join(words)})"
