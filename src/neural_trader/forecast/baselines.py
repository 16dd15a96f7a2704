"""What a network has to beat: forecasts that need no network.

Every one of them is a constant matrix on the window and a constant for each series, so that it is
served as fast as it is explained.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Baseline(NamedTuple):
    """A forecast that is linear in its window.

    Attributes
    ----------
    name : {"naive", "drift", "ar", "ewma"}
    weight : float64 array, shape (L, H)
        On the transformed window less its last value.
    bias : float64 array, shape (S, H)
        Added to it, a row a series.
    """

    name: str
    weight: Floats
    bias: Floats

    def forecast(self, windows: Floats, series: int | NDArray[np.intp]) -> Floats:
        """Forecast transformed values.

        Parameters
        ----------
        windows : float64 array, shape (..., L)
            Transformed values.
        series : int or int array, shape (...)
            The row of each window's series.

        Returns
        -------
        float64 array, shape (..., H)
        """
        last = windows[..., -1:]
        made: Floats = last + (windows - last) @ self.weight + self.bias[series]
        return made
