"""Monte Carlo value at risk of 50 positions by scipy: draws, losses, the tail and who is in it."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from neural_trader.bench.baseline.timing import present

Floats = NDArray[np.float64]


def prepare(simulations: int = 10_000, confidence: float = 0.99, seed: int = 7) -> dict[str, Any]:
    """Return 50 positions and the mean and covariance of their daily returns."""
    from neural_trader.bench.risk_work import make_book, make_model

    book, model = make_book(), make_model()
    return {
        "values": book.prices * book.shares,
        "mean": model.mean,
        "covariance": model.covariance,
        "simulations": simulations,
        "confidence": confidence,
        "rng": np.random.default_rng(seed),
    }


def run(  # noqa: PLR0917 - the inputs of the formula, by name
    values: Floats,
    mean: Floats,
    covariance: Floats,
    simulations: int,
    confidence: float,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return value at risk, expected shortfall, and the shortfall of each position."""
    returns = multivariate_normal.rvs(mean, covariance, size=simulations, random_state=rng)
    losses = -(returns @ values)
    place = math.ceil(simulations * confidence - 1e-9) - 1
    order = np.argpartition(losses, place)
    tail = order[place + 1 :]
    components = -values * returns[tail].mean(axis=0)
    return {
        "var": float(losses[order[place]]),
        "es": float(losses[tail].mean()),
        "components": components.tolist(),
    }


if __name__ == "__main__":
    present("risk", prepare, run)
