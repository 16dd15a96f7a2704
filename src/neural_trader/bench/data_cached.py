"""Ten requests for an indicator, nine of which were asked before: from a cache, and without one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from neural_trader.bench.data_measure import Figure, Measured, median_ms

if TYPE_CHECKING:
    from neural_trader.core import Bars

PARTS: Final = {"8,313 bars": 8_313, "1,000,000 bars": 1_000_000}
REQUESTS: Final = 10
_WINDOW: Final = 60
_SHOWN: Final = 1_000


def measure_cached(folder: Path, part: str) -> Measured:
    """Ask a cache: a new one each time, so that one request in ten is computed."""
    from neural_trader.strategies.indicators import IndicatorCache, ZScore

    bars = _bars(folder, PARTS[part])
    kept = IndicatorCache(limit_mb=1_000)
    # Its columns are digested once; a cache that has seen these bars knows them.
    kept.compute(ZScore(_WINDOW), bars, "MADE")

    def ten() -> Any:  # noqa: ANN401 - a column
        kept.drop(bars)
        for _ in range(REQUESTS):
            found = kept.compute(ZScore(_WINDOW), bars, "MADE")
        return found

    answer = _answer(ten())
    figures = [
        Figure(f"{part}, ten requests, nine hits", "ms", median_ms(ten)),
        Figure(
            f"{part}, one hit",
            "ms",
            median_ms(lambda: kept.compute(ZScore(_WINDOW), bars, "MADE")),
        ),
    ]
    return Measured(figures, answer)


def measure_uncached(folder: Path, part: str) -> Measured:
    """Compute all ten."""
    from neural_trader.strategies.indicators import ZScore

    bars = _bars(folder, PARTS[part])

    def one() -> Any:  # noqa: ANN401 - a column
        return ZScore(_WINDOW).batch(bars["MADE"].close)

    def ten() -> Any:  # noqa: ANN401 - a column
        for _ in range(REQUESTS):
            found = one()
        return found

    figures = [
        Figure(f"{part}, ten requests, nine hits", "ms", median_ms(ten)),
        Figure(f"{part}, one hit", "ms", median_ms(one)),
    ]
    return Measured(figures, _answer(ten()))


def _bars(folder: Path, count: int) -> "Bars":  # noqa: ARG001 - the place of the other cases' files
    from neural_trader.data import load

    rng = np.random.default_rng(7)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, count)))
    stamps = 1_500_000_000_000_000_000 + np.arange(count) * 60_000_000_000
    return load(close, symbols="MADE", timestamps=stamps)


def _answer(column: Any) -> dict[str, list[float]]:  # noqa: ANN401 - a column
    """Return the first and last values, and the sum of all."""
    defined = np.nan_to_num(column, nan=-9.0)
    return {
        "first": defined[:_SHOWN].tolist(),
        "last": defined[-_SHOWN:].tolist(),
        "sum": [float(defined.sum())],
    }
