"""Whether bars are plainly what bars must be: one pass over their prices and volumes.

Oracle: ``neural_trader.data.validate.is_positive`` and ``is_in_range``, which also allow for noise;
text: ``docs/data.md``.

Arrays (one dimension, of one length): ``open_``, ``high``, ``low``, ``close`` and ``volume``
float64 IN. A field that bars do not have is given as another that is there.
Directives: no bounds checks, because lengths are compared before the loop; nothing is divided. The
loop runs without the GIL, allocates nothing and raises nothing.
Cost: O(n), one pass. Comparisons with NaN are false, so that every NaN is found.
"""

import cython


def is_sound(
    open_: cython.const[cython.double][::1],
    high: cython.const[cython.double][::1],
    low: cython.const[cython.double][::1],
    close: cython.const[cython.double][::1],
    volume: cython.const[cython.double][::1],
) -> bool:
    """Return whether 0 < low <= open, close <= high < inf and 0 <= volume < inf in every bar."""
    n: cython.Py_ssize_t = close.shape[0]
    i: cython.Py_ssize_t
    sound: cython.longlong = 1
    inf: cython.double = float("inf")
    if open_.shape[0] != n or high.shape[0] != n or low.shape[0] != n or volume.shape[0] != n:
        raise ValueError("the fields of bars must be equally long")
    with cython.nogil:
        # Faults are rare: looking at the rest behind one costs nothing that matters.
        for i in range(n):
            sound &= (
                (low[i] > 0.0)
                & (high[i] < inf)
                & (low[i] <= open_[i])
                & (low[i] <= close[i])
                & (open_[i] <= high[i])
                & (close[i] <= high[i])
                & (volume[i] >= 0.0)
                & (volume[i] < inf)
            )
    return bool(sound)
