"""Shocks of the market, and scenarios of one's own, on today's positions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import DataError
from neural_trader.core.bars import unknown_symbol
from neural_trader.risk.history import NOISE, read_history
from neural_trader.risk.measure import Situation
from neural_trader.risk.scenario_file import OwnScenario
from neural_trader.risk.stress_loss import StressLoss, components_of
from neural_trader.risk.valuation import gains

Floats = NDArray[np.float64]


def stress_factor(
    situation: Situation, shocks: Sequence[float], *, market: str | None = None
) -> list[StressLoss]:
    """Return what today's positions would lose where the market moves and they follow.

    Parameters
    ----------
    situation : Situation
    shocks : sequence of float
        Simple returns of the market.
    market : str, optional
        A symbol of the data; None is the equally weighted mean of all their returns.

    Raises
    ------
    DataError
        The market symbol is not in the data, or does not move.

    Notes
    -----
    Betas by least squares with a constant, over the window; a symbol moves by beta x shock.
    """
    betas, title = _betas(situation, market)
    found = []
    for shock in shocks:
        gained = gains(situation.book, (betas * shock)[None, :])[0]
        found.append(
            StressLoss(
                kind="factor",
                name=f"market {shock * 100:+g} %",
                title=title,
                loss=0.0 - float(gained.sum()),
                components=components_of(situation, gained),
                details={
                    "shock": shock,
                    "betas": dict(zip(situation.history.symbols, betas.tolist(), strict=True)),
                },
            )
        )
    return found


def _betas(situation: Situation, market: str | None) -> tuple[Floats, str]:
    history = situation.history
    bars = history.bars
    if market is not None and market not in bars:
        raise DataError(unknown_symbol(market, bars.symbols, where=bars.name))
    others = bars.symbols if market is None else (market,)
    symbols = tuple(dict.fromkeys((*history.symbols, *others)))
    both = read_history(bars, symbols, as_of=history.as_of)
    returns = both.returns[-len(history.returns) :]
    factor = returns[:, [symbols.index(name) for name in others]].mean(axis=1)
    if np.ptp(factor) <= NOISE:
        message = f"the market ({market or 'equal weights'}) does not move in the window"
        raise DataError(message)
    centered = factor - factor.mean()
    own = returns[:, : len(history.symbols)]
    betas: Floats = centered @ (own - own.mean(axis=0)) / float(centered @ centered)
    name = market or f"the equally weighted mean of {len(others)} symbols"
    return betas, f"betas to {name}"


def stress_custom(situation: Situation, scenarios: Sequence[OwnScenario]) -> list[StressLoss]:
    """Return what today's positions would lose in scenarios of one's own."""
    symbols, options = situation.history.symbols, situation.book.options
    found = []
    for scenario in scenarios:
        moves = np.array([scenario.symbols.get(name, scenario.all) for name in symbols])
        shifts = np.array([scenario.vols.get(name, scenario.vol) for name in symbols])
        gained = gains(situation.book, moves[None, :], shift=shifts[options.underlying])[0]
        details: dict[str, Any] = {"moves": dict(zip(symbols, moves.tolist(), strict=True))}
        if len(options.units):
            details["vols"] = dict(zip(symbols, shifts.tolist(), strict=True))
        found.append(
            StressLoss(
                kind="custom",
                name=scenario.name,
                title="own scenario",
                loss=0.0 - float(gained.sum()),
                components=components_of(situation, gained),
                details=details,
            )
        )
    return found
