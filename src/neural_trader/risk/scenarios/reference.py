"""The law of the random numbers, in plain Python: the kernel must give the same bits.

Text: ``docs/simulation.md``. Integers are of 64 bits and wrap around.
"""

import math
from functools import cache
from typing import Final, NamedTuple

LAYERS: Final = 1024
TAIL: Final = 4.038849846109505
AREA: Final = 0.001226324646353088073
HALF: Final = 1 << 53

_MASK: Final = (1 << 64) - 1
GOLDEN: Final = 0x9E3779B97F4A7C15
AGAIN: Final = 0xD1B54A32D192ED03
RETRY: Final = 0xABC98388FB8FAC03
ASIDE: Final = 0x8CB92BA72F3D8DD7


class Layers(NamedTuple):
    """The layers of the ziggurat, the lowest first.

    Attributes
    ----------
    widths : list of float, length LAYERS
        Of a layer, over 2^53.
    cores : list of int, length LAYERS
        How many of its 2^53 places lie wholly under the density.
    heights : list of float, length LAYERS + 1
        Of the density (not normalized) at the end of each layer, and 1 at last.
    """

    widths: list[float]
    cores: list[int]
    heights: list[float]


@cache
def layers() -> Layers:
    """Build the layers, of equal area, the lowest with the tail.

    References
    ----------
    Marsaglia and Tsang (2000), The Ziggurat Method for Generating Random Variables.
    """
    ends = [AREA / _density(TAIL), TAIL]
    while len(ends) < LAYERS:
        ends.append(math.sqrt(-2.0 * log(AREA / ends[-1] + _density(ends[-1]))))
    ends.append(0.0)
    widths = [end / HALF for end in ends[:LAYERS]]
    cores = [int(ends[i + 1] / ends[i] * HALF) for i in range(LAYERS)]
    return Layers(widths, cores, [_density(end) for end in ends])


def _density(x: float) -> float:
    """Return exp(-x^2 / 2) to the last bits: one over a series in which nothing cancels."""
    term = total = 1.0
    n = 0
    while term > 1e-18 * total:
        n += 1
        term *= 0.5 * x * x / n
        total += term
    return 1.0 / total


def mix(x: int) -> int:
    """Return 64 bits of which each depends on every bit of ``x``: the finalizer of splitmix64."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def stream_of(seed: int) -> int:
    """Return the stream of a seed."""
    return mix((seed + GOLDEN) & _MASK)


def word(stream: int, scenario: int, column: int) -> int:
    """Return the bits of a scenario's column: columns count through steps, N + 1 a step."""
    key = mix((stream + GOLDEN * (scenario + 1)) & _MASK)
    return mix((key + GOLDEN * (column + 1)) & _MASK)


def uniform(bits: int) -> float:
    """Return the middle of the cell of (0, 1) that the upper 53 bits name."""
    return ((bits >> 11) + 0.5) * (1.0 / HALF)


def normal(bits: int) -> float:
    """Return the standard normal of a word, by the ziggurat."""
    widths, cores, heights = layers()
    while True:
        layer = bits & (LAYERS - 1)
        place = (bits >> 10) - HALF
        x = place * widths[layer]
        if abs(place) < cores[layer]:
            return x
        bits = mix((bits + AGAIN) & _MASK)
        if layer == 0:
            return math.copysign(_beyond(bits), place)
        y = heights[layer] + uniform(bits) * (heights[layer + 1] - heights[layer])
        if y < exp(-0.5 * x * x):
            return x
        bits = mix((bits + AGAIN) & _MASK)


def _beyond(bits: int) -> float:
    """Return a normal beyond the last layer (Marsaglia 1964)."""
    while True:
        x = -log(uniform(bits)) / TAIL
        bits = mix((bits + AGAIN) & _MASK)
        y = -log(uniform(bits))
        if y + y >= x * x:
            return TAIL + x
        bits = mix((bits + AGAIN) & _MASK)


def stretch(bits: int, degrees: float) -> float:
    """Return sqrt((degrees - 2) / chi-square) of a word; 1 where degrees are infinite.

    A normal vector times it is a Student-t vector of the same covariance.

    References
    ----------
    Marsaglia and Tsang (2000), A Simple Method for Generating Gamma Variables.
    """
    if math.isinf(degrees):
        return 1.0
    d = 0.5 * degrees - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(bits)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            u = log(uniform(mix((bits + ASIDE) & _MASK)))
            if u < 0.5 * x * x + d * (1.0 - v + log(v)):
                return math.sqrt((degrees - 2.0) / (2.0 * d * v))
        bits = mix((bits + RETRY) & _MASK)


def log(x: float) -> float:
    """Return the natural logarithm by sums and products alone: the same bits everywhere."""
    k = 0.0
    while x < 2.0**-32:
        x, k = x * 2.0**32, k - 32.0
    for power in (16, 8, 4, 2):
        if x < 2.0**-power:
            x, k = x * 2.0**power, k - power
    while x < 0.7071067811865476:
        x, k = x * 2.0, k - 1.0
    while x > 1.4142135623730951:
        x, k = x * 0.5, k + 1.0
    s = (x - 1.0) / (x + 1.0)
    q = s * s
    x = 1.0 / 21.0
    for odd in range(19, 1, -2):
        x = x * q + 1.0 / odd
    return k * 0.6931471805599453 + (2.0 * s + 2.0 * s * (q * x))


def exp(x: float) -> float:
    """Return the exponential of a number between -8.2 and 0 in the same way, to 1e-9 of it."""
    y = x * 0.03125
    q = y * y
    even, odd = 1.0 / 40320.0, 1.0 / 5040.0
    for n in (6, 4, 2, 0):
        even = even * q + 1.0 / math.factorial(n)
    for n in (5, 3, 1):
        odd = odd * q + 1.0 / math.factorial(n)
    y = even + y * odd
    for _ in range(5):
        y = y * y
    return y
