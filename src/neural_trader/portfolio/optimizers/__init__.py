"""Optimizers: how much to hold of each; ``docs/optimizers.md`` has the rules.

A second face of the room, so that whoever measures returns need not load it.
"""

from neural_trader.portfolio.optimizers.allocation import METHODS, Allocation, optimize
from neural_trader.portfolio.optimizers.black_litterman import (
    Posterior,
    View,
    Views,
    compute_posterior,
)
from neural_trader.portfolio.optimizers.constraints import Constraints, Group
from neural_trader.portfolio.optimizers.files import read_groups, read_views
from neural_trader.portfolio.optimizers.hierarchy import compute_hrp
from neural_trader.portfolio.optimizers.moments import (
    COVARIANCES,
    Moments,
    estimate_covariance,
    estimate_moments,
)

__all__ = [
    "COVARIANCES",
    "METHODS",
    "Allocation",
    "Constraints",
    "Group",
    "Moments",
    "Posterior",
    "View",
    "Views",
    "compute_hrp",
    "compute_posterior",
    "estimate_covariance",
    "estimate_moments",
    "optimize",
    "read_groups",
    "read_views",
]
