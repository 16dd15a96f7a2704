"""The backtest cases: what is run, on which bars, with which claim beside it."""

from typing import Any, Final, NamedTuple

import neural_trader as nt

CAPITAL: Final = 100_000.0
COSTS_BPS: Final = 5.0
DATA: Final = "sp500-closes"


class Case(NamedTuple):
    """A backtest of the bench.

    ``year`` cuts the bars to 2021 alone, warm-up inside. ``runs`` and ``baseline_runs`` are timed
    in each round. ``claim_us`` is the performance page's figure for its Rust implementation.
    """

    name: str
    kind: str
    year: bool
    runs: int
    baseline_runs: int
    claim_us: float | None = None
    claim_mb: float | None = None

    @property
    def symbols(self) -> list[str]:
        """The symbols that are loaded."""
        return ["KO", "PEP"] if self.kind == "pairs" else ["KO"]

    @property
    def params(self) -> dict[str, Any]:
        """What the run is made with, for the row."""
        own: dict[str, Any] = (
            {"lookback": 60, "entry": 2.0, "exit": 0.5}
            if self.kind == "pairs"
            else {"fast": 20, "slow": 50}
        )
        return {"symbols": self.symbols, "bars": 252 if self.year else 8313} | own

    def bars(self) -> nt.Bars:
        """Load the bars."""
        if self.year:
            return nt.load(DATA, symbols=self.symbols, start="2021-01-01", end="2021-12-31")
        return nt.load(DATA, symbols=self.symbols)

    def strategy(self, run: int) -> nt.Pairs | nt.SmaCross:
        """Return the strategy of a run: run 0 is the case, later ones have fresh parameters.

        The parameters differ in a digit that changes no decision but would defeat any memory of an
        earlier run.
        """
        nudge = run * 1e-12
        if self.kind == "pairs":
            return nt.Pairs("KO", "PEP", lookback=60, entry=2.0 + nudge, exit=0.5, gross=20_000.0)
        return nt.SmaCross("KO", fast=20, slow=50, gross=20_000.0 + nudge * 1e3)


CASES: Final = (
    Case(
        "pairs_1y", "pairs", year=True, runs=2_000, baseline_runs=60, claim_us=5.1e6, claim_mb=118.0
    ),
    Case("pairs_all", "pairs", year=False, runs=500, baseline_runs=3),
    Case("sma_1y", "sma", year=True, runs=2_000, baseline_runs=100),
    Case("sma_all", "sma", year=False, runs=500, baseline_runs=4),
)
"""In the order in which they are measured and printed."""

CLI_ARGUMENTS: Final = (
    "backtest", "--strategy", "pairs", "--symbols", "KO,PEP", "--data", DATA,
    "--start", "2021-01-01", "--end", "2021-12-31", "--warmup", "inside",
    "--capital", "100000", "--lookback", "60", "--entry", "2.0", "--exit", "0.5",
    "--gross", "20000", "--fee-bps", "5", "--slippage-bps", "5", "--json",
)  # fmt: skip
"""The whole command-line run that ``cli_backtest`` measures."""

CLI_ANSWER: Final = "pairs_1y"
"""The case whose answer that run must print."""


def find_case(name: str) -> Case:
    """Return the case of that name; the runner gives only names that exist."""
    return next(case for case in CASES if case.name == name)
