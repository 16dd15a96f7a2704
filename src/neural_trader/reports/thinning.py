"""Which bars a chart shows: all of a short run, the extremes of every stretch of a long one."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

POINTS_MAX: Final = 8_400

Floats = NDArray[np.float64]


def compute_shown_bars(
    lines: Sequence[Floats], *, points_max: int = POINTS_MAX
) -> NDArray[np.intp]:
    """Return the bars that a chart of several lines needs to keep their shape.

    Parameters
    ----------
    lines : sequence of float64 array, shape (T,)
        What is drawn over the same bars; at least one line, at least one bar.
    points_max : int
        Bars to show at most, at least 3 + 2 x lines.

    Returns
    -------
    intp array, shape (N,)
        Increasing bar indices, first and last among them: every bar if T <= ``points_max``. Else
        the run is cut into stretches of equal length, and of each stretch its first bar and the
        bars of the lowest and of the highest value of every line stay.

    Missing
    -------
    NaN is no extreme; a stretch in which a line has no value keeps no bar for it.
    """
    n = len(lines[0])
    if n <= points_max:
        return np.arange(n)
    stretches = (points_max - 1) // (1 + 2 * len(lines))
    edges = np.linspace(0, n, stretches + 1).astype(np.intp)
    kept = [np.array([n - 1]), edges[:-1]]
    for line in lines:
        missing = np.isnan(line)
        for extreme, filler in ((np.argmin, np.inf), (np.argmax, -np.inf)):
            filled = np.where(missing, filler, line)
            found = [
                begin + int(extreme(filled[begin:stop]))
                for begin, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
            ]
            kept.append(np.array(found, dtype=np.intp))
    return np.unique(np.concatenate(kept))
