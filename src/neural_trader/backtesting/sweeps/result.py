"""What a sweep found: arrays, a number a trial; tables are made when looked at."""

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from neural_trader.backtesting.sweeps.grid import Grid, as_text, parameters_of
from neural_trader.core import ConfigError
from neural_trader.core.bars import Floats, Ints

if TYPE_CHECKING:
    import polars as pl

    from neural_trader.strategies.indicators import CacheStats

FIGURES: Final = (
    "trades",
    "fills",
    "final_equity",
    "total_return",
    "sharpe",
    "max_drawdown",
    "peak_leverage",
)
RANKS: Final = {"sharpe": 1.0, "final_equity": 1.0, "total_return": 1.0, "max_drawdown": -1.0}
"""What trials can be ranked by, and whether more is better."""


class NotRun(NamedTuple):
    """A trial whose parameters the strategy refused."""

    place: int
    reason: str


class SweepResult:
    """The trials of a sweep.

    Attributes
    ----------
    grid : dict of str to tuple
        The values of every parameter; trial ``i`` is the ``i``-th of their product, in which the
        last parameter changes fastest.
    figures : dict of str to float64 array, shape (trials,)
        trades, fills, final_equity, total_return, sharpe, max_drawdown and peak_leverage; NaN where
        a trial was not run or a figure is undefined.
    is_ruined, is_refused : bool array, shape (trials,)
        Trials that ended at zero equity; that went beyond the leverage limit. Neither is ranked.
    not_run : list of NotRun
        Trials whose parameters the strategy refused, and why.
    rank_by : str
        The figure by which ``best`` was chosen.
    out_of_sample : dict or None
        The figures of ``best`` after the split, where there was one.
    provenance : dict
        Version, configuration, data name and hash.
    notes : list of str
        What a reader has to know about the prices.
    cache : CacheStats or None
        What trials asked of the indicator cache, and what this process's holds. Each process has
        its own: with more of them fewer requests are hits, and nothing else changes.
    """

    def __init__(
        self,
        grid: Grid,
        table: Floats,
        not_run: list[NotRun],
        *,
        rank_by: str,
        provenance: dict[str, Any],
    ) -> None:
        self.grid = grid
        self.figures = dict(zip(FIGURES, table, strict=False))
        self.is_ruined, self.is_refused = table[-2] == 1.0, table[-1] == 1.0
        self.not_run = not_run
        self.rank_by = rank_by
        self.provenance = provenance
        self.notes: list[str] = []
        self.out_of_sample: dict[str, Any] | None = None
        self.cache: CacheStats | None = None

    def __len__(self) -> int:
        """Return how many trials were run."""
        return int(np.isfinite(self.figures["final_equity"]).sum())

    def parameters(self, place: int) -> dict[str, Any]:
        """Return the parameters of a trial."""
        return parameters_of(self.grid, place)

    def trial(self, place: int) -> dict[str, Any]:
        """Return the parameters and figures of a trial."""
        return {
            "parameters": self.parameters(place),
            **{name: plain(name, values[place]) for name, values in self.figures.items()},
        }

    @cached_property
    def ranking(self) -> Ints:
        """Places of the trials that can be chosen, best first; of equals, the first of the grid."""
        score = self.figures[self.rank_by] * RANKS[self.rank_by]
        allowed = np.isfinite(score) & ~self.is_ruined & ~self.is_refused
        places = np.flatnonzero(allowed)
        ranked: Ints = places[np.argsort(-score[places], kind="stable")]
        return ranked

    @property
    def best(self) -> dict[str, Any] | None:
        """Parameters and figures of the best trial: chosen out of all of them, not found."""
        return self.trial(int(self.ranking[0])) if len(self.ranking) else None

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Sums and means over all trials that were run, the best, and what was left out."""
        ran = np.isfinite(self.figures["final_equity"])

        def total(name: str) -> float:
            # The exact sum, whatever the order in which trials came in.
            return math.fsum(self.figures[name][ran])

        count = len(self)
        return {
            "trials": count,
            "trades": int(total("trades")),
            "fills": int(total("fills")),
            "mean_final_equity": total("final_equity") / count if count else None,
            "rank_by": self.rank_by,
            "best": self.best,
            "out_of_sample": self.out_of_sample,
            "not_run": len(self.not_run),
            "ruined": int(self.is_ruined.sum()),
            "refused": int(self.is_refused.sum()),
        }

    def to_polars(self) -> "pl.DataFrame":
        """Return one row a trial: its parameters, its figures, and whether it was ruined."""
        import itertools

        import polars as pl

        rows = itertools.product(*self.grid.values())
        frame = pl.DataFrame(list(rows), schema=list(self.grid), orient="row")
        return frame.with_columns(
            *(pl.Series(name, values) for name, values in self.figures.items()),
            pl.Series("is_ruined", self.is_ruined),
            pl.Series("is_refused", self.is_refused),
        )

    def __repr__(self) -> str:
        """Return the sweep on one line."""
        best = self.best
        told = f"best {as_text(best['parameters'])}" if best else "none can be ranked"
        return f"SweepResult({len(self):,} trials over {', '.join(self.grid)}; {told})"


def plain(name: str, value: float) -> int | float | None:
    """Return a figure as JSON has it: counts whole, undefined ones null."""
    if not math.isfinite(value):
        return None
    return int(value) if name in ("trades", "fills") else float(value)


def read_rank(rank_by: str) -> str:
    """Return what to rank by, or raise ConfigError."""
    if rank_by not in RANKS:
        message = f"rank_by is {rank_by!r}; expected one of {', '.join(RANKS)}"
        raise ConfigError(message)
    return rank_by
