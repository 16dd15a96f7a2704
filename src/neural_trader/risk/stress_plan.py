"""Stress: what today's positions would lose in crises, in shocks and in scenarios of one's own.

Moves are instantaneous: no time goes by for options, and their implied volatility stays unless a
scenario moves it. Options are revalued in full. A price does not fall below 0.
"""

import math
from typing import Any, Final, NamedTuple

import msgspec

from neural_trader.core import ConfigError
from neural_trader.risk.config import RiskConfig
from neural_trader.risk.crises import stress_history
from neural_trader.risk.estimation import estimate_model
from neural_trader.risk.measure import Situation, provenance_of
from neural_trader.risk.reverse_stress import WorstCase, reverse_stress
from neural_trader.risk.scenario_file import OwnScenario
from neural_trader.risk.shocks import stress_custom, stress_factor
from neural_trader.risk.stress_loss import StressLoss

_DEFINITIONS: Final = {
    "loss": "of today's positions at the as-of prices, in money; negative is a gain",
    "moves": "instantaneous: no time goes by; a price does not fall below 0",
    "options": "Black-Scholes, revalued in full; implied volatility as it is, unless a scenario "
    "moves it",
    "history": "worst loss from the first close of the window to a later one, positions held; "
    "windows from the highest to the lowest close of the S&P 500",
    "factor": "each symbol moves by beta x shock; betas by least squares with a constant",
    "reverse": "the most likely moves, under a normal distribution of mean 0 with the covariance "
    "of the window, that lose the sum",
}


class StressPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which scenarios are played.

    Parameters
    ----------
    crises : tuple of str
        ``1990``, ``2000-02``, ``2008``, ``2020``; none names all that the data cover.
    shocks : tuple of float
        Simple returns of the market, -1 or more.
    market : str, optional
        The symbol that is the market; None is the equally weighted mean of all symbols of the data.
    scenarios : tuple of OwnScenario
        From ``read_scenarios``.
    reverse : float, optional
        A loss in money, above 0, to find the most likely way to.
    horizon : int
        Periods over which the loss of ``reverse`` comes.

    Raises
    ------
    ConfigError
        A shock lies below -1, or the horizon below 1.
    """

    crises: tuple[str, ...] = ()
    shocks: tuple[float, ...] = (-0.3, -0.2, -0.1, 0.1)
    market: str | None = None
    scenarios: tuple[OwnScenario, ...] = ()
    reverse: float | None = None
    horizon: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for shock in self.shocks:
            if not (math.isfinite(shock) and shock >= -1.0):
                message = f"shock is {shock}; expected a return as a fraction, -1 or more"
                raise ConfigError(message)
        if self.horizon < 1:
            message = f"horizon is {self.horizon}; expected 1 or more"
            raise ConfigError(message)


class StressResult(NamedTuple):
    """What today's positions would lose.

    Attributes
    ----------
    losses : tuple of StressLoss
        Of crises, shocks and own scenarios, in this order.
    refused : dict of str to str
        Crises that the data do not cover, with the reason.
    reverse : WorstCase or None
    symbols : tuple of str
        Of the arrays in ``reverse``.
    definitions : dict of str to str
    provenance : dict
    """

    losses: tuple[StressLoss, ...]
    refused: dict[str, str]
    reverse: WorstCase | None
    symbols: tuple[str, ...]
    definitions: dict[str, str]
    provenance: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON can hold it, the losses by kind."""
        plain: dict[str, Any] = {
            kind: [
                {"name": one.name, "title": one.title, "loss": one.loss}
                | {"components": one.components}
                | one.details
                for one in self.losses
                if one.kind == kind
            ]
            for kind in ("history", "factor", "custom")
        }
        worst = self.reverse
        plain["reverse"] = worst and {
            "loss": worst.loss,
            "moves": dict(zip(self.symbols, worst.moves.tolist(), strict=True)),
            "components": dict(zip(self.symbols, (0.0 - worst.gains).tolist(), strict=True)),
            "distance": worst.distance,
            "probability": worst.probability,
            "label": worst.label,
        }
        return plain | {
            "refused": self.refused,
            "definitions": self.definitions,
            "provenance": self.provenance,
        }


def stress(situation: Situation, plan: StressPlan | None = None) -> StressResult:
    """Return what today's positions would lose in a plan's scenarios.

    Parameters
    ----------
    situation : Situation
        From ``read_situation``; its window is that of betas and covariance.
    plan : StressPlan, optional
        By default every crisis that the data cover, and four shocks of the market.

    Raises
    ------
    ConfigError
        There is no crisis of a name, or the loss to reverse is not above 0.
    DataError
        The data do not cover a crisis that is named, do not have the market, or no scenario loses
        the sum.

    Timing
    ------
    No close after the as-of date is used.
    """
    plan = StressPlan() if plan is None else plan
    losses, refused = stress_history(situation, plan.crises)
    if plan.shocks:
        losses += stress_factor(situation, plan.shocks, market=plan.market)
    losses += stress_custom(situation, plan.scenarios)
    worst = None
    if plan.reverse is not None:
        model = estimate_model(situation.history.returns, RiskConfig(method="normal"))
        covariance = model.covariance * float(plan.horizon)
        model = model._replace(covariance=covariance)
        worst = reverse_stress(situation.book, model, plan.reverse)
    words = dict(_DEFINITIONS)
    if worst is None:
        del words["reverse"]
    else:
        words["reverse"] += f", over {plan.horizon} period{'s' if plan.horizon > 1 else ''}"
    return StressResult(
        losses=tuple(losses),
        refused=refused,
        reverse=worst,
        symbols=situation.history.symbols,
        definitions=words,
        provenance=provenance_of(situation),
    )
