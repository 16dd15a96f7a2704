"""How prices move together: mean, covariance and tails of the returns of a period."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Model(NamedTuple):
    """A distribution of simple returns of one period.

    Attributes
    ----------
    mean : float64 array, shape (N,)
    covariance : float64 array, shape (N, N)
        Of the returns themselves, whatever their tails: a Student-t model is scaled to it.
    degrees : float
        Of freedom of a multivariate Student-t, above 2; infinity is the normal distribution.
    """

    mean: Floats
    covariance: Floats
    degrees: float
