"""What a portfolio's data hold in memory as pandas frames: returns, covariance, positions, fills.

Ten years of daily returns of every position, measured as what a process grows by beyond one that
has held two positions: the libraries are not counted.
"""

import time
from pathlib import Path
from typing import Any

import pandas as pd

from neural_trader.bench.baseline.timing import present
from neural_trader.bench.child import peak_rss_mb

STATUS = Path("/proc/self/status")


def prepare(positions: int = 50, days: int = 2_520) -> dict[str, Any]:
    """Return how much is to be held."""
    return {"positions": positions, "days": days}


def hold(positions: int, days: int) -> dict[str, pd.DataFrame]:
    """Return the frames of a portfolio."""
    from neural_trader.bench.portfolio_cases import make_returns

    names = [f"S{k}" for k in range(positions)]
    dates = pd.bdate_range("2012-01-02", periods=days)
    returns = pd.DataFrame(make_returns(positions, days), index=dates, columns=names)
    quantities = range(100, 100 + positions)
    fills = pd.DataFrame({"symbol": names, "quantity": quantities, "price": 50.0, "fee": 1.0})
    held = pd.DataFrame({"quantity": quantities, "average": 50.0, "mark": 51.0}, index=names)
    return {"returns": returns, "covariance": returns.cov(), "fills": fills, "positions": held}


def memory_mb() -> float:
    """Return the memory in use by this process."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS"))
    return float(line.split()[1]) * 1024 / 1e6


def run(positions: int, days: int) -> dict[str, Any]:
    """Return what is held, and the variances that the frames give."""
    hold(2, days)
    before, began, cpu = memory_mb(), time.perf_counter(), time.process_time()
    frames = hold(positions, days)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    counted = sum(float(frame.memory_usage(deep=True).sum()) for frame in frames.values()) / 1e6
    figures = {
        "time_ms": took * 1e3,
        "cpu_ms": cpu * 1e3,
        "peak_rss_mb": peak_rss_mb(),
        "held_mb": max(memory_mb() - before, counted),
    }
    covariance = frames["covariance"]
    variances = [float(covariance.iloc[k, k]) for k in range(positions)]
    return {"figures": figures, "variance": variances}


if __name__ == "__main__":
    present("memory", prepare, run, runs=1)
