"""What is lost in one scenario."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.risk.measure import Situation

Floats = NDArray[np.float64]


class StressLoss(NamedTuple):
    """What is lost in one scenario.

    Attributes
    ----------
    kind : {"history", "factor", "custom"}
    name, title : str
    loss : float
        In money, positive; for history the worst between its first close and any later one.
    components : dict of str to float
        By symbol; they add up to ``loss``.
    details : dict
        Dates and more losses of a window, betas of a shock, moves of a scenario.
    """

    kind: str
    name: str
    title: str
    loss: float
    components: dict[str, float]
    details: dict[str, Any]


def components_of(situation: Situation, gained: Floats) -> dict[str, float]:
    """Return losses by symbol from gains, shape (N,)."""
    return dict(zip(situation.history.symbols, (0.0 - gained).tolist(), strict=True))
