"""The 27 common metrics of 51 series of daily returns, in pandas: whole frames, no loop of series.

The conventions are those of docs/metrics.md: simple returns, 252 periods a year, a risk-free rate
of 0, moments of the population in skew and kurtosis, drawdowns as positive fractions.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from neural_trader.bench.baseline.timing import present

YEAR = 252


def prepare(series: int = 51, days: int = 252) -> dict[str, Any]:
    """Return daily returns, shape (days, series), and their mean as the benchmark."""
    from neural_trader.bench.portfolio_cases import make_returns

    table = make_returns(series, days)
    returns = pd.DataFrame(table, columns=[f"S{k}" for k in range(series)])
    return {"returns": returns, "benchmark": pd.Series(table.mean(axis=1))}


def run(returns: pd.DataFrame, benchmark: "pd.Series[float]") -> dict[str, Any]:
    """Return every metric as a list, one value a series."""
    figures = distribution(returns) | growth(returns) | tails(returns)
    figures |= against(returns, benchmark)
    return {name: values.tolist() for name, values in figures.items()}


def distribution(returns: pd.DataFrame) -> dict[str, Any]:
    """Return what does not depend on the order of days."""
    n, root = len(returns), math.sqrt(YEAR)
    mean, deviation = returns.mean(), returns.std()
    apart = returns - mean
    variance = (apart**2).mean()
    losses, gains = -returns.clip(upper=0.0).sum(), returns.clip(lower=0.0).sum()
    downside = np.sqrt((returns.clip(upper=0.0) ** 2).mean())
    rises, falls = (returns > 0.0).sum(), (returns < 0.0).sum()
    return {
        "volatility": deviation * root,
        "sharpe": mean / deviation * root,
        "sortino": mean / downside * root,
        "downside_deviation": downside * root,
        "skew": (apart**3).mean() / variance**1.5,
        "excess_kurtosis": (apart**4).mean() / variance**2 - 3.0,
        "omega": gains / losses,
        "profit_factor": gains / losses,
        "payoff": (gains / rises) / (losses / falls),
        "hit_rate": rises / n,
        "best": returns.max(),
        "worst": returns.min(),
    }


def growth(returns: pd.DataFrame) -> dict[str, Any]:
    """Return what depends on the path of wealth."""
    wealth = (1.0 + returns).cumprod()
    fall = 1.0 - wealth / wealth.cummax().clip(lower=1.0)
    rate = wealth.iloc[-1] ** (YEAR / len(returns)) - 1.0
    deepest, ulcer = fall.max(), np.sqrt((fall**2).mean())
    return {
        "total_return": wealth.iloc[-1] - 1.0,
        "cagr": rate,
        "max_drawdown": deepest,
        "calmar": rate / deepest,
        "pain": fall.mean(),
        "ulcer": ulcer,
        "martin": rate / ulcer,
    }


def tails(returns: pd.DataFrame) -> dict[str, Any]:
    """Return value at risk and expected shortfall at 95 %, and the ratio of the tails."""
    n = len(returns)
    place = n - math.ceil(n * 0.95 - 1e-9)
    worst = pd.DataFrame(np.sort(returns.to_numpy(), axis=0)[: place + 1], columns=returns.columns)
    whole = n * (1.0 - 0.95)
    shortfall = -(worst.iloc[:place].sum() + worst.iloc[place] * (whole - place)) / whole
    low, high = returns.quantile(0.05), returns.quantile(0.95)
    return {"var": -worst.iloc[place], "es": shortfall, "tail_ratio": high.abs() / low.abs()}


def against(returns: pd.DataFrame, benchmark: "pd.Series[float]") -> dict[str, Any]:
    """Return what compares the series with their benchmark."""
    apart, reference = returns - returns.mean(), benchmark - benchmark.mean()
    both, square = apart.mul(reference, axis=0).sum(), (reference**2).sum()
    beta = both / square
    active = returns.sub(benchmark, axis=0)
    error = active.std()
    return {
        "beta": beta,
        "alpha": (returns.mean() - beta * benchmark.mean()) * YEAR,
        "r2": both**2 / (square * (apart**2).sum()),
        "tracking_error": error * math.sqrt(YEAR),
        "information_ratio": active.mean() / error * math.sqrt(YEAR),
    }


if __name__ == "__main__":
    present("portfolio", prepare, run)
