"""A year of 20 symbols from a file to features: ours, and what a user of pandas would write."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from neural_trader.bench.data_measure import Figure, Measured, median_ms, peaks_over

if TYPE_CHECKING:
    import pandas as pd

WINDOWS: Final = (20, 60)


def measure_ours(folder: Path, part: str) -> Measured:
    """Read and check a file without the cache, and compute returns and rolling features."""
    import polars as pl  # noqa: F401 - what the work needs is imported before it is measured

    import neural_trader as nt
    from neural_trader.data import load

    of = nt.indicators

    path = folder / f"year.{part}"

    def work() -> dict[str, Any]:
        bars = load(path, cache=False)
        (block,) = bars.blocks
        close = block.fields["close"]
        returns = close[:, 1:] / close[:, :-1] - 1.0
        market = returns.mean(axis=0)
        out: dict[str, Any] = {"returns": returns}
        for n in WINDOWS:
            kinds = (of.SMA(n), of.Std(n), of.ZScore(n))
            rows = [[kind.batch(x) for kind in kinds] for x in returns]
            out |= {f"mean {n}": [row[0] for row in rows], f"deviation {n}": [r[1] for r in rows]}
            out[f"z-score {n}"] = [row[2] for row in rows]
            with_market = of.Correlation(n)
            out[f"correlation {n}"] = [with_market.batch(x, market) for x in returns]
        return out

    return _measured(part, work)


def measure_pandas(folder: Path, part: str) -> Measured:
    """Do the same in pandas."""
    import pandas as pd

    path = folder / f"year.{part}"
    if part == "parquet":
        import pyarrow.parquet  # noqa: F401 - what pandas reads it with

    def work() -> dict[str, Any]:
        frame = pd.read_csv(path, parse_dates=["date"]) if part == "csv" else pd.read_parquet(path)
        close = _checked(frame)
        returns = close.pct_change().iloc[1:]
        market = returns.mean(axis=1)
        out = {"returns": returns}
        for n in WINDOWS:
            rolling = returns.rolling(n)
            mean, deviation = rolling.mean(), rolling.std()
            out |= {f"mean {n}": mean, f"deviation {n}": deviation}
            out[f"z-score {n}"] = (returns - mean) / deviation
            out[f"correlation {n}"] = rolling.corr(market)
        return {name: table.to_numpy().T for name, table in out.items()}

    return _measured(part, work)


def _checked(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return the closes by date and symbol, held to the same rules as ours."""
    if frame.duplicated(["symbol", "date"]).any():
        message = "a symbol has two bars of a day"
        raise ValueError(message)
    symbols = frame["symbol"].unique()
    close = frame.pivot(index="date", columns="symbol", values="close")[symbols]
    values = close.to_numpy()
    if not (np.isfinite(values).all() and (values > 0).all()):
        message = "a close is missing or not above 0"
        raise ValueError(message)
    for _, own in frame.groupby("symbol", sort=False)["date"]:
        if not own.is_monotonic_increasing:
            message = "dates are unsorted"
            raise ValueError(message)
    return close


def _measured(part: str, work: Any) -> Measured:  # noqa: ANN401 - returns features by name
    # The first run: all that the work needs beyond its imports is still to come.
    (peak, private), reason = peaks_over(work)
    answer = {
        name: np.nan_to_num(np.concatenate([np.asarray(x) for x in rows]), nan=-9.0).tolist()
        for name, rows in work().items()
    }
    figures = [
        Figure(f"{part}, time", "ms", median_ms(work)),
        Figure(f"{part}, memory over imports", "MB", peak, reason),
        Figure(f"{part}, without pages of libraries", "MB", private, reason),
    ]
    return Measured(figures, answer)
