"""Prices that do not move, and bars in which nothing was traded."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.bars import SymbolBars
from neural_trader.core.sessions import DAY_NS
from neural_trader.data.quality.findings import Finding
from neural_trader.data.quality.sessions import usual_step

STALE_BARS: Final = 5
"""Equal closes in a row that are told of daily bars, and ``STALE_WITHIN_DAY`` of shorter ones."""
STALE_WITHIN_DAY: Final = 30
_STALE_WARNING: Final = 2
_IDLE_SHARE: Final = 0.05


def find_still(bars: SymbolBars) -> Iterator[Finding]:
    """Yield the stale runs of one symbol, and its bars without volume."""
    yield from _stale(bars)
    if bars.volume is None:
        return
    idle = np.flatnonzero(bars.volume == 0.0)
    if not len(idle):
        return
    share = len(idle) / len(bars.volume)
    many = share > _IDLE_SHARE
    yield Finding(
        bars.symbol,
        "zero_volume",
        "warning" if many else "note",
        int(bars.ts_close_ns[idle[0]]),
        int(bars.ts_close_ns[idle[-1]]),
        len(idle),
        share,
        "a volume above 0",
        f"{len(idle):,} of {len(bars.volume):,} bars have no volume ({share:.1%})",
        "Nobody could trade there; a volume cap (--volume-share) leaves orders waiting",
    )


def runs_of(same: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where runs of True begin, and how long they are."""
    edges = np.diff(np.concatenate([[False], same, [False]]).astype(np.int8))
    begins = np.flatnonzero(edges == 1)
    return begins, np.flatnonzero(edges == -1) - begins


def _stale(bars: SymbolBars) -> Iterator[Finding]:
    least = STALE_BARS if usual_step(bars.ts_close_ns) >= DAY_NS else STALE_WITHIN_DAY
    begins, lengths = runs_of(bars.close[1:] == bars.close[:-1])
    long = lengths + 1 >= least
    for begin, length in zip(begins[long].tolist(), (lengths[long] + 1).tolist(), strict=True):
        run = slice(begin, begin + length)
        idle = bars.volume is not None and not bars.volume[run].any()
        yield Finding(
            bars.symbol,
            "stale",
            "warning" if length >= _STALE_WARNING * least or idle else "note",
            int(bars.ts_close_ns[begin]),
            int(bars.ts_close_ns[begin + length - 1]),
            length,
            float(bars.close[begin]),
            f"a close that moves within {least} bars",
            f"{length} closes in a row are {float(bars.close[begin]):g}"
            + (", without volume" if idle else ""),
            "A last price that is carried on, a halt, or prices rounded to few digits: returns of "
            "0 make volatility too small",
        )
