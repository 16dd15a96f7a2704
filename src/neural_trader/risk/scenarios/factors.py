"""A covariance taken apart into a factor that makes dependent returns of independent normals."""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader._kernels import factors as kernel
from neural_trader.core import DataError

Floats = NDArray[np.float64]

_EPSILON: Final = float(np.finfo(np.float64).eps)
_UNEXPLAINED_MAX: Final = 1e-9


class Factor(NamedTuple):
    """What multiplies independent normals to give returns of a covariance.

    Attributes
    ----------
    matrix : float64 array, shape (N, N)
        ``matrix @ matrix.T`` is the covariance.
    widths : int64 array, shape (N,)
        Beyond this column a row is zero.
    """

    matrix: Floats
    widths: NDArray[np.int64]


def factor_of(covariance: Floats) -> Factor:
    """Return the pivoted Cholesky factor of a covariance, singular or not.

    Parameters
    ----------
    covariance : float64 array, shape (N, N)
        Finite and symmetric; of each pair by its correlation, so that scale does not matter.

    Raises
    ------
    DataError
        It is not positive semidefinite: no returns can have it.
    """
    n = len(covariance)
    variances = covariance.diagonal()
    if n and variances.min() < 0.0:
        at = int(variances.argmin())
        message = f"variance {at} of the covariance is {variances[at]:.6g}; expected at least 0"
        raise DataError(message)
    deviations = np.sqrt(variances)
    scale = np.where(deviations > 0.0, deviations, 1.0)
    correlation = covariance / scale / scale[:, None]
    matrix, widths = np.empty((n, n)), np.empty(n, np.int64)
    scratch = np.empty(n), np.empty(n, np.uint8)
    _, worst = kernel.pivoted(correlation, 4.0 * n * _EPSILON, scratch, matrix, widths)
    if not worst <= _UNEXPLAINED_MAX:
        lowest = float(np.linalg.eigvalsh(correlation).min()) if math.isfinite(worst) else worst
        message = (
            "the covariance is not positive semidefinite: the smallest eigenvalue of its "
            f"correlations is {lowest:.6g}, expected at least 0; no returns can have it. Estimate "
            "it from returns over the same periods, or take the nearest matrix that is"
        )
        raise DataError(message)
    matrix *= scale[:, None]
    return Factor(matrix, widths)
