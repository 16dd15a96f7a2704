"""The signals of a pair over a year, in pandas: rolling hedge ratio, spread, z-score."""

from typing import Any

import pandas as pd

from neural_trader.bench.baseline.timing import present


def prepare(  # noqa: PLR0917 - one parameter an argument
    y: str = "KO",
    x: str = "PEP",
    start: str = "2021-01-01",
    end: str = "2021-12-31",
    lookback: int = 60,
) -> dict[str, Any]:
    """Return the closes of two stocks, 252 days of them unless other dates are given."""
    import neural_trader as nt

    bars = nt.load("sp500-closes", symbols=[y, x], start=start, end=end)
    index = pd.to_datetime(bars[y].ts_close_ns)
    columns = [pd.Series(bars[symbol].close.copy(), index=index) for symbol in (y, x)]
    return {"y": columns[0], "x": columns[1], "lookback": lookback}


def run(y: "pd.Series[float]", x: "pd.Series[float]", lookback: int) -> dict[str, Any]:
    """Return hedge ratio and z-score of every day on which they are defined."""
    rolling_y, rolling_x = y.rolling(lookback), x.rolling(lookback)
    hedge_ratio = rolling_y.cov(x) / rolling_x.var()
    # A price that stands still has no hedge ratio, where the formula divides rounding noise.
    moves = (rolling_y.max() > rolling_y.min()) & (rolling_x.max() > rolling_x.min())
    hedge_ratio = hedge_ratio.where(moves)
    spread = y - hedge_ratio * x
    rolling = spread.rolling(lookback)
    z = (spread - rolling.mean()) / rolling.std()
    return {"hedge_ratio": hedge_ratio.dropna().tolist(), "z": z.dropna().tolist()}


if __name__ == "__main__":
    present("signals", prepare, run)
