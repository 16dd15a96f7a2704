"""Tear sheets that tests look at: of prices, of one return, of many series, of awkward ones."""

from collections.abc import Callable
from functools import cache

import numpy as np

import neural_trader as nt
from neural_trader.core.sessions import last_ns
from neural_trader.data import Returns, returns_of
from neural_trader.reports import TearSheet, Terms, tear_sheet

AWKWARD = ("</script><b>", "[bold]& 'x\"")


def made(table: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", days: int = 1) -> Returns:
    """Return made-up returns, one every some days."""
    rows, columns = table.shape
    stamps = np.array([last_ns(10_957 + days * row) for row in range(rows)], dtype=np.int64)
    return Returns(tuple(f"S{place}" for place in range(columns)), stamps, table, "made", "0" * 64)


def normal(rows: int, columns: int, size: float = 0.01) -> Returns:
    """Return normal returns of days."""
    return made(np.random.default_rng(rows).normal(size / 30, size, (rows, columns)))


def prices() -> Returns:
    """Return the returns of the bundled closes."""
    return returns_of(nt.load("sp500-closes"))


def late() -> TearSheet:
    returns = normal(900, 3)
    returns.table[:300, 1] = np.nan
    returns.table[700:, 2] = np.nan
    return tear_sheet(returns)


def awkward() -> TearSheet:
    return tear_sheet(normal(90, 2)._replace(series=AWKWARD), benchmark=AWKWARD[1])


SHEETS: dict[str, Callable[[], TearSheet]] = {
    "one series": lambda: tear_sheet(prices(), series=("KO",)),
    "one and a benchmark": lambda: tear_sheet(
        prices(), series=("KO",), benchmark="JNJ", terms=Terms(risk_free=0.02, confidence=0.99)
    ),
    "all prices": lambda: tear_sheet(prices(), benchmark="WMT"),
    "months": lambda: tear_sheet(made(normal(60, 1, 0.04).table, days=30)),
    "years": lambda: tear_sheet(made(normal(5, 1, 0.1).table, days=365)),
    "one return": lambda: tear_sheet(normal(1, 1)),
    "all cash": lambda: tear_sheet(made(np.zeros((40, 1)))),
    "constant": lambda: tear_sheet(made(np.full((40, 2), 0.001)), benchmark="S1"),
    "all lost": lambda: tear_sheet(made(np.array([[0.1], [-1.0], [0.0], [0.0]]))),
    "never there": lambda: tear_sheet(made(np.full((5, 1), np.nan))),
    "late and early": late,
    "names to escape": awkward,
    "a hundred years of many": lambda: tear_sheet(normal(30_000, 30), benchmark="S29"),
    "a thousand": lambda: tear_sheet(normal(60, 1_000)),
}


@cache
def sheet_of(name: str) -> TearSheet:
    """Return a tear sheet by its name; made once."""
    return SHEETS[name]()
