"""What the other engines' programs share: prices, and the rules of the market-order strategies."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))
import work

ACCOUNT = {"gross": 20_000.0, "lookback": 60, "entry": 2.0, "exit": 0.5, "fast": 20, "slow": 50}


def read(path):
    """Return prices by field, each (S, T), and days since 1970."""
    with np.load(path) as file:
        fields = {name: file[name] for name in ("open", "high", "low", "close")}
        return fields, file["days"]


class PairsRules(work.PairsRules):
    """The pair with the published parameters."""

    def __init__(self):
        super().__init__(SimpleNamespace(**ACCOUNT))


class SmaRules(work.SmaRules):
    """The crossover with the published parameters."""

    def __init__(self):
        super().__init__(SimpleNamespace(**ACCOUNT))
