import numpy as np
from numpy.typing import NDArray

def is_sound(
    open_: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    close: NDArray[np.float64],
    volume: NDArray[np.float64],
) -> bool:
    """Return whether 0 < low <= open, close <= high < inf and 0 <= volume < inf in every bar (n,).

    No noise is allowed for. What is not plainly sound may still be, or is at fault.
    """
