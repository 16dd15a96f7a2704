"""Allocation kernel: the least of a quadratic form within bounds, and equal shares of its risk.

Oracle: the conditions that make an answer one (``portfolio/optimizers`` computes them from
scratch after every call), and scipy's solvers in the tests; text: ``docs/optimizers.md``.

Arrays (C-contiguous): ``matrix`` float64 IN, flat, (n, n), symmetric and positive definite (for
``erc`` semidefinite will do); ``linear``, ``low``, ``high``, ``shares`` float64 IN, (n,);
``weights`` float64 IN and OUT, (n,); ``places`` int64 IN and OUT, (n,): -1 at the lower bound, 0
free, 1 at the upper one; ``free`` int64 and ``scratch`` float64, any content.
Directives: as in ``pairs``. The loops run without the GIL, allocate nothing and raise nothing.
Cost: ``least`` O(n m) a step, with m free weights, and some n steps; ``erc`` O(n^3) a step,
some 10 of them.

Order of summation (part of the contract): first index to last.
"""

import cython
from cython.cimports.libc.math import fabs, sqrt

DIVERGED = -1
SINGULAR = -2
NEW = -9

_SLACK = cython.declare(cython.double, 1e-12)
_LEAST_PIVOT = cython.declare(cython.double, 1e-13)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _append(
    matrix: cython.const[cython.double][::1],
    factor: cython.double[::1],
    free: cython.longlong[::1],
    m: cython.Py_ssize_t,
    new: cython.Py_ssize_t,
) -> cython.bint:
    """Add a weight to the Cholesky factor of the free ones, as its last row; False if singular."""
    n: cython.Py_ssize_t = free.shape[0]
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    total: cython.double
    rest: cython.double = matrix[new * n + new]
    for i in range(m):
        total = matrix[new * n + free[i]]
        for k in range(i):
            total -= factor[i * n + k] * factor[m * n + k]
        total /= factor[i * n + i]
        factor[m * n + i] = total
        rest -= total * total
    if not rest > _LEAST_PIVOT * matrix[new * n + new]:
        return False
    factor[m * n + m] = sqrt(rest)
    free[m] = new
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _remove(
    factor: cython.double[::1],
    free: cython.longlong[::1],
    m: cython.Py_ssize_t,
    gone: cython.Py_ssize_t,
) -> cython.void:
    """Take row ``gone`` out of the factor: the rows below move up, and rotations mend them."""
    n: cython.Py_ssize_t = free.shape[0]
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    a: cython.double
    b: cython.double
    length: cython.double
    for i in range(gone, m - 1):
        free[i] = free[i + 1]
        for k in range(i + 2):
            factor[i * n + k] = factor[(i + 1) * n + k]
    for k in range(gone, m - 1):
        a = factor[k * n + k]
        b = factor[k * n + k + 1]
        length = sqrt(a * a + b * b)
        a /= length
        b /= length
        factor[k * n + k] = length
        for i in range(k + 1, m - 1):
            length = a * factor[i * n + k] + b * factor[i * n + k + 1]
            factor[i * n + k + 1] = a * factor[i * n + k + 1] - b * factor[i * n + k]
            factor[i * n + k] = length


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _solve(
    factor: cython.double[::1], n: cython.Py_ssize_t, m: cython.Py_ssize_t, x: cython.double[::1]
) -> cython.void:
    """Solve for the free weights, in place."""
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    total: cython.double
    for i in range(m):
        total = x[i]
        for k in range(i):
            total -= factor[i * n + k] * x[k]
        x[i] = total / factor[i * n + i]
    for i in range(m - 1, -1, -1):
        total = x[i] / factor[i * n + i]
        x[i] = total
        for k in range(i):
            x[k] -= factor[i * n + k] * total


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _gradient(
    matrix: cython.const[cython.double][::1],
    linear: cython.const[cython.double][::1],
    weights: cython.double[::1],
    out: cython.double[::1],
) -> cython.double:
    """Write matrix @ weights - linear; return the size of its largest part, for tolerances."""
    n: cython.Py_ssize_t = weights.shape[0]
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    w: cython.double
    scale: cython.double = 0.0
    for i in range(n):
        out[i] = 0.0
    for k in range(n):
        w = weights[k]
        if w != 0.0:
            for i in range(n):
                out[i] += w * matrix[k * n + i]
    for i in range(n):
        scale = fabs(out[i]) if fabs(out[i]) > scale else scale
        scale = fabs(linear[i]) if fabs(linear[i]) > scale else scale
        out[i] -= linear[i]
    return scale


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _begin(
    matrix: cython.const[cython.double][::1],
    low: cython.const[cython.double][::1],
    high: cython.const[cython.double][::1],
    weights: cython.double[::1],
    places: cython.longlong[::1],
) -> cython.void:
    """Write weights within the bounds that add up to 1, the least variances filled up first."""
    n: cython.Py_ssize_t = weights.shape[0]
    i: cython.Py_ssize_t
    best: cython.Py_ssize_t
    rest: cython.double = 1.0
    for i in range(n):
        if low[i] > -1e300:
            weights[i] = low[i]
            places[i] = -1
        else:
            weights[i] = high[i] if high[i] < 0.0 else 0.0
            places[i] = 0
        rest -= weights[i]
    if rest < 0.0:
        for i in range(n):
            if places[i] == 0:
                weights[i] += rest
                rest = 0.0
                break
    while rest > 0.0:
        best = -1
        for i in range(n):
            if weights[i] < high[i] and (best < 0 or matrix[i * n + i] < matrix[best * n + best]):
                best = i
        if best < 0:
            break
        if high[best] - weights[best] <= rest:
            rest -= high[best] - weights[best]
            weights[best] = high[best]
            places[best] = 1
        else:
            weights[best] += rest
            places[best] = 0
            rest = 0.0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _step(
    low: cython.const[cython.double][::1],
    high: cython.const[cython.double][::1],
    weights: cython.double[::1],
    direction: cython.double[::1],
    free: cython.longlong[::1],
    m: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Move along the direction up to the first bound; return who met it, as a row, or -1."""
    i: cython.Py_ssize_t
    who: cython.Py_ssize_t = -1
    j: cython.Py_ssize_t
    length: cython.double = 1.0
    room: cython.double
    for i in range(m):
        j = free[i]
        if direction[i] < 0.0:
            room = (low[j] - weights[j]) / direction[i]
        elif direction[i] > 0.0:
            room = (high[j] - weights[j]) / direction[i]
        else:
            continue
        if room < length:
            length = room if room > 0.0 else 0.0
            who = i
    for i in range(m):
        weights[free[i]] += length * direction[i]
    if who >= 0:
        j = free[who]
        weights[j] = low[j] if direction[who] < 0.0 else high[j]
    return who


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _worst(
    low: cython.const[cython.double][::1],
    high: cython.const[cython.double][::1],
    places: cython.longlong[::1],
    gradient: cython.double[::1],
    price: cython.double,
    slack: cython.double,
) -> cython.Py_ssize_t:
    """Return the weight at a bound that gains most by leaving it, or -1."""
    i: cython.Py_ssize_t
    who: cython.Py_ssize_t = -1
    gain: cython.double
    most: cython.double = slack
    for i in range(places.shape[0]):
        if places[i] != 0 and low[i] < high[i]:
            gain = price - gradient[i] if places[i] < 0 else gradient[i] - price
            if gain > most:
                most = gain
                who = i
    return who


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _price(
    gradient: cython.double[::1], free: cython.longlong[::1], m: cython.Py_ssize_t
) -> cython.double:
    """Return what the free weights' gradients have in common: their mean."""
    i: cython.Py_ssize_t
    total: cython.double = 0.0
    for i in range(m):
        total += gradient[free[i]]
    return total / m


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _aim(
    factor: cython.double[::1],
    gradient: cython.double[::1],
    free: cython.longlong[::1],
    m: cython.Py_ssize_t,
    rest: cython.double,
    toward: cython.double[::1],
    unit: cython.double[::1],
) -> cython.void:
    """Write the way to the least on the free weights that adds ``rest`` to their sum."""
    n: cython.Py_ssize_t = free.shape[0]
    i: cython.Py_ssize_t
    above: cython.double = rest
    below: cython.double = 0.0
    # What all gradients share moves nothing, and would drown the rest.
    price: cython.double = _price(gradient, free, m)
    for i in range(m):
        toward[i] = gradient[free[i]] - price
        unit[i] = 1.0
    _solve(factor, n, m, toward)
    _solve(factor, n, m, unit)
    for i in range(m):
        above += toward[i]
        below += unit[i]
    price = above / below
    for i in range(m):
        toward[i] = price * unit[i] - toward[i]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _least(
    matrix: cython.const[cython.double][::1],
    linear: cython.const[cython.double][::1],
    low: cython.const[cython.double][::1],
    high: cython.const[cython.double][::1],
    weights: cython.double[::1],
    places: cython.longlong[::1],
    free: cython.longlong[::1],
    factor: cython.double[::1],
    gradient: cython.double[::1],
    toward: cython.double[::1],
    unit: cython.double[::1],
) -> cython.longlong:
    n: cython.Py_ssize_t = weights.shape[0]
    steps: cython.longlong
    m: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    who: cython.Py_ssize_t
    is_refined: cython.bint = False
    scale: cython.double
    rest: cython.double
    for i in range(n):
        if places[i] == 0:
            if not _append(matrix, factor, free, m, i):
                return -2
            m += 1
    scale = _gradient(matrix, linear, weights, gradient)
    for steps in range(1, 50 * n + 101):
        # What far steps left of the sum, by rounding.
        rest = 1.0
        for i in range(n):
            rest -= weights[i]
        if m == 1:
            i = free[0]
            weights[i] += rest
            weights[i] = low[i] if weights[i] < low[i] else weights[i]
            weights[i] = high[i] if weights[i] > high[i] else weights[i]
            scale = _gradient(matrix, linear, weights, gradient)
        elif m > 1:
            _aim(factor, gradient, free, m, rest, toward, unit)
            who = _step(low, high, weights, toward, free, m)
            scale = _gradient(matrix, linear, weights, gradient)
            if who >= 0:
                places[free[who]] = -1 if toward[who] < 0.0 else 1
                _remove(factor, free, m, who)
                m -= 1
                is_refined = False
                continue
        if m == 0:
            # All at a bound, and no price yet: the one that suffers least from a move opens.
            who = _cheapest(low, high, places, gradient)
        else:
            who = _worst(low, high, places, gradient, _price(gradient, free, m), _SLACK * scale)
            if who < 0 and m > 1 and not is_refined:
                # Once more from here: what rounding left of the way goes.
                is_refined = True
                continue
        if who < 0:
            return steps
        if not _append(matrix, factor, free, m, who):
            return -2
        places[who] = 0
        m += 1
        is_refined = False
    return -1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _cheapest(
    low: cython.const[cython.double][::1],
    high: cython.const[cython.double][::1],
    places: cython.longlong[::1],
    gradient: cython.double[::1],
) -> cython.Py_ssize_t:
    """Return whose gradient is the price when all stand at a bound, or -1 if nobody can move.

    It is the greatest of those at their upper bound, which give way first; of those at the lower
    one, the least.
    """
    i: cython.Py_ssize_t
    top: cython.Py_ssize_t = -1
    bottom: cython.Py_ssize_t = -1
    for i in range(places.shape[0]):
        if low[i] < high[i]:
            if places[i] > 0 and (top < 0 or gradient[i] > gradient[top]):
                top = i
            if places[i] < 0 and (bottom < 0 or gradient[i] < gradient[bottom]):
                bottom = i
    return top if top >= 0 else bottom


def least(
    matrix: cython.const[cython.double][::1],
    linear: cython.const[cython.double][::1],
    low: cython.const[cython.double][::1],
    high: cython.const[cython.double][::1],
    weights: cython.double[::1],
    places: cython.longlong[::1],
    free: cython.longlong[::1],
    scratch: cython.double[::1],
) -> int:
    """Find the weights of the least quadratic form; see the stub."""
    n: cython.Py_ssize_t = weights.shape[0]
    square: cython.Py_ssize_t = n * n
    if n < 1 or matrix.shape[0] != square or linear.shape[0] != n:
        raise ValueError(f"expected {n} linear terms and a matrix of {square}; n is 1 or more")
    if low.shape[0] != n or high.shape[0] != n or places.shape[0] != n or free.shape[0] != n:
        raise ValueError(f"bounds, places and free must be {n} long, one a weight")
    if scratch.shape[0] < square + 3 * n:
        raise ValueError(f"scratch has {scratch.shape[0]} entries; expected {square + 3 * n}")
    if places[0] == NEW:
        _begin(matrix, low, high, weights, places)
    return _least(
        matrix,
        linear,
        low,
        high,
        weights,
        places,
        free,
        scratch[:square],
        scratch[square : square + n],
        scratch[square + n : square + 2 * n],
        scratch[square + 2 * n : square + 3 * n],
    )


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _decompose(
    factor: cython.double[::1], diagonal: cython.double[::1], n: cython.Py_ssize_t
) -> cython.bint:
    """Make a matrix, with this diagonal, its Cholesky factor below the diagonal."""
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t
    total: cython.double
    for i in range(n):
        for j in range(i):
            total = factor[i * n + j]
            for k in range(j):
                total -= factor[i * n + k] * factor[j * n + k]
            factor[i * n + j] = total / factor[j * n + j]
        total = diagonal[i]
        for k in range(i):
            total -= factor[i * n + k] * factor[i * n + k]
        if not total > 0.0:
            return False
        factor[i * n + i] = sqrt(total)
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _erc(
    matrix: cython.const[cython.double][::1],
    shares: cython.const[cython.double][::1],
    weights: cython.double[::1],
    factor: cython.double[::1],
    toward: cython.double[::1],
    diagonal: cython.double[::1],
) -> cython.longlong:
    n: cython.Py_ssize_t = weights.shape[0]
    steps: cython.longlong
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    far: cython.double
    length: cython.double
    is_near: cython.bint = False
    for steps in range(1, 201):
        for i in range(n * n):
            factor[i] = matrix[i]
        for i in range(n):
            toward[i] = shares[i] / weights[i]
            diagonal[i] = matrix[i * n + i] + shares[i] / (weights[i] * weights[i])
        for k in range(n):
            for i in range(n):
                toward[i] -= weights[k] * matrix[k * n + i]
        if not _decompose(factor, diagonal, n):
            return -2
        _solve(factor, n, n, toward)
        far = 0.0
        for i in range(n):
            length = fabs(toward[i]) / weights[i]
            far = length if length > far else far
        length = 1.0 / (1.0 + far) if far > 0.3 else 1.0
        for i in range(n):
            weights[i] += length * toward[i]
        if is_near:
            return steps
        # One more after a step this small: it doubles the digits, and then there are no more.
        is_near = far < 1e-7
    return -1


def erc(
    matrix: cython.const[cython.double][::1],
    shares: cython.const[cython.double][::1],
    weights: cython.double[::1],
    scratch: cython.double[::1],
) -> int:
    """Find weights with these parts of the risk; see the stub."""
    n: cython.Py_ssize_t = weights.shape[0]
    square: cython.Py_ssize_t = n * n
    if n < 1 or matrix.shape[0] != square or shares.shape[0] != n:
        raise ValueError(f"expected {n} shares and a matrix of {square}, for 1 weight or more")
    if scratch.shape[0] < square + 2 * n:
        raise ValueError(f"scratch has {scratch.shape[0]} entries; expected {square + 2 * n}")
    return _erc(
        matrix,
        shares,
        weights,
        scratch[:square],
        scratch[square : square + n],
        scratch[square + n : square + 2 * n],
    )
