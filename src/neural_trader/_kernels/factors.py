"""Factor kernel: the pivoted Cholesky factor of a correlation matrix, of full rank or not.

Oracle: the product of the factor with itself, and LAPACK in the tests. Reference: Higham (2002),
Accuracy and Stability of Numerical Algorithms, section 10.3.

Arrays (C-contiguous): ``matrix`` float64 IN (N, N), symmetric, with a diagonal of ones or zeros;
``left`` float64 scratch (N,); ``taken`` uint8 scratch (N,); ``factor`` float64 OUT (N, N);
``widths`` int64 OUT (N,), how many columns of each row are not zero. Directives: as in ``pairs``.
The loop runs without the GIL. Cost: O(N^2 rank). Order of summation: columns from first to last.
"""

import cython
from cython.cimports.libc.math import fabs, sqrt


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _residual(
    matrix: cython.const[cython.double][:, ::1],
    factor: cython.double[:, ::1],
    i: cython.Py_ssize_t,
    p: cython.Py_ssize_t,
    rank: cython.Py_ssize_t,
) -> cython.double:
    k: cython.Py_ssize_t
    s: cython.double = 0.0
    for k in range(rank):
        s += factor[i, k] * factor[p, k]
    return matrix[i, p] - s


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _pivoted(
    matrix: cython.const[cython.double][:, ::1],
    small: cython.double,
    left: cython.double[::1],
    taken: cython.uchar[::1],
    factor: cython.double[:, ::1],
    widths: cython.longlong[::1],
) -> cython.Py_ssize_t:
    n: cython.Py_ssize_t = matrix.shape[0]
    rank: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    p: cython.Py_ssize_t
    root: cython.double
    value: cython.double
    for i in range(n):
        left[i] = matrix[i, i]
        taken[i] = 0
        widths[i] = 0
        for k in range(n):
            factor[i, k] = 0.0
    while rank < n:
        p = -1
        for i in range(n):
            if not taken[i] and (p < 0 or left[i] > left[p]):
                p = i
        if not left[p] > small:
            break
        root = sqrt(left[p])
        for i in range(n):
            if not taken[i]:
                value = root if i == p else _residual(matrix, factor, i, p, rank) / root
                factor[i, rank] = value
                left[i] -= value * value
                widths[i] = rank + 1
        taken[p] = 1
        rank += 1
    return rank


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _worst(
    matrix: cython.const[cython.double][:, ::1],
    taken: cython.uchar[::1],
    factor: cython.double[:, ::1],
    rank: cython.Py_ssize_t,
) -> cython.double:
    """Return the greatest of what the factor leaves unexplained."""
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    value: cython.double
    worst: cython.double = 0.0
    for i in range(matrix.shape[0]):
        for j in range(i + 1):
            if not taken[i] and not taken[j]:
                value = fabs(_residual(matrix, factor, i, j, rank))
                worst = value if value > worst else worst
    return worst


def pivoted(
    matrix: cython.const[cython.double][:, ::1],
    small: cython.double,
    scratch: tuple,
    factor: cython.double[:, ::1],
    widths: cython.longlong[::1],
) -> tuple:
    """Write the pivoted Cholesky factor; see the stub."""
    n: cython.Py_ssize_t = matrix.shape[0]
    left: cython.double[::1] = scratch[0]
    taken: cython.uchar[::1] = scratch[1]
    rank: cython.Py_ssize_t
    worst: cython.double
    if matrix.shape[1] != n or factor.shape[0] != n or factor.shape[1] != n:
        raise ValueError(f"matrix and factor must be {n} x {n}")
    if left.shape[0] != n or taken.shape[0] != n or widths.shape[0] != n:
        raise ValueError(f"scratch and widths must hold {n} values")
    with cython.nogil:
        rank = _pivoted(matrix, small, left, taken, factor, widths)
        worst = _worst(matrix, taken, factor, rank)
    return rank, worst
