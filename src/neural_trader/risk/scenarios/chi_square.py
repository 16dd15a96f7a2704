"""What stretches a normal vector into a Student-t vector, as a function of one more normal.

Quasi-random points need it by inversion: the stretch sqrt((degrees - 2) / chi-square), where the
chi-square has the probability that lies below a normal.
"""

import math
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_END: Final = 6.6
_NODES_A_UNIT: Final = 20
# Beyond so many degrees of freedom Wilson and Hilferty's formula is right to 2e-6.
_NEARLY_NORMAL: Final = 20_000.0


class Stretches(NamedTuple):
    """Logarithms of stretches at normals in equal steps.

    Attributes
    ----------
    logs : float64 array, shape (K,)
        From normal ``-_END - 1 / _NODES_A_UNIT`` on.
    """

    logs: Floats

    def at(self, normals: Floats) -> Floats:
        """Return the stretches at normals, to some 1e-8 of each (cubic interpolation)."""
        place = (np.clip(normals, -_END, _END) + _END) * _NODES_A_UNIT + 1.0
        cell = np.minimum(place.astype(np.int64), len(self.logs) - 3)
        t = place - cell
        a, b, c, d = (self.logs[cell + offset] for offset in (-1, 0, 1, 2))
        found = (
            -t * (t - 1.0) * (t - 2.0) / 6.0 * a
            + (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0 * b
            - (t + 1.0) * t * (t - 2.0) / 2.0 * c
            + (t + 1.0) * t * (t - 1.0) / 6.0 * d
        )
        stretches: Floats = np.exp(found)
        return stretches


@cache
def stretches_of(degrees: float) -> Stretches:
    """Return the stretches for so many degrees of freedom, above 2 and finite."""
    first = -_END - 1.0 / _NODES_A_UNIT
    count = round(2.0 * _END * _NODES_A_UNIT) + 3
    normals = [first + place / _NODES_A_UNIT for place in range(count)]
    logs = [0.5 * math.log((degrees - 2.0) / quantile(z, degrees)) for z in normals]
    return Stretches(np.array(logs))


def quantile(normal: float, degrees: float) -> float:
    """Return the chi-square that is as improbable as a normal: the same share lies below both.

    Newton's method for the logarithm of the smaller tail, by the logarithm of the value.
    """
    shape = 0.5 * degrees
    is_upper = normal > 0.0
    wanted = math.log(0.5 * math.erfc(abs(normal) / math.sqrt(2.0)))
    # Wilson and Hilferty (1931), or the first term of the series where that is below zero.
    start = 1.0 - 1.0 / (9.0 * shape) + normal / (3.0 * math.sqrt(shape))
    if degrees > _NEARLY_NORMAL:
        return degrees * start**3
    guess = 3.0 * math.log(max(start, 1e-3)) + math.log(shape)
    if start < 0.2 and not is_upper:
        guess = (wanted + math.lgamma(shape + 1.0)) / shape
    for _ in range(200):
        tail = _log_tail(shape, guess, is_upper=is_upper)
        x = math.exp(guess)
        slope = math.exp(shape * guess - x - math.lgamma(shape) - tail)
        step = (tail - wanted) / (-slope if is_upper else slope)
        step = max(-0.5, min(0.5, step))
        guess -= step
        if abs(step) < 1e-14 * max(1.0, abs(guess)):
            break
    return 2.0 * math.exp(guess)


def _log_tail(shape: float, log_x: float, *, is_upper: bool) -> float:
    """Return the logarithm of the share of a gamma distribution beyond a value, or below it."""
    x = math.exp(log_x)
    front = shape * log_x - x - math.lgamma(shape)
    if x < shape + 1.0:
        term = total = 1.0 / shape
        n = shape
        while term > 1e-17 * total:
            n += 1.0
            term *= x / n
            total += term
        below = front + math.log(total)
        return math.log1p(-math.exp(below)) if is_upper else below
    # Lentz's method for the continued fraction of the upper tail.
    b = x + 1.0 - shape
    c, d = 1e300, 1.0 / b
    value = d
    for i in range(1, 10_000):
        a = -i * (i - shape)
        b += 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        value *= d * c
        if abs(d * c - 1.0) < 1e-16:
            break
    above = front + math.log(value)
    return above if is_upper else math.log1p(-math.exp(above))
