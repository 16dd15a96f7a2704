"""Scenario kernel: random numbers keyed by counters, and what linear positions lose by them.

Oracle: ``neural_trader.risk.scenarios.reference``; text: ``docs/simulation.md``.

A number depends on the seed, its scenario and its column, on nothing else: any part of a simulation
can be made anew, in any order, on any number of threads. Bits come from the finalizer of splitmix64
(Steele, Lea and Flood 2014; constants of Stafford's variant 13), normals from a ziggurat of 1024
layers (Marsaglia and Tsang 2000; layer and place from bits of their own, Doornik 2005), chi-squares
from the gamma generator of Marsaglia and Tsang (2000).

Arrays (C-contiguous): ``widths`` float64, ``cores`` int64 and ``heights`` float64 IN, the layers,
from ``reference.layers``; ``loads`` float64 IN (N,); ``ids`` int64 IN (S,), numbers of scenarios;
outputs float64 OUT. Directives: as in ``pairs``; every place is within a shape that was checked
above the loop, layers by their mask. The loops run without the GIL, allocate nothing and raise
nothing. Logarithm and exponential are sums and products of our own, so that a scenario is the same
on every machine. Cost: O(S N), some 2 ns a normal.

Order of summation (part of the contract): columns from first to last; scenarios in their order.
"""

import cython
from cython.cimports.libc.math import sqrt

LAYERS = 1024
MASK = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
GOLDEN = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)
FIRST = cython.declare(cython.ulonglong, 0xBF58476D1CE4E5B9)
SECOND = cython.declare(cython.ulonglong, 0x94D049BB133111EB)
# Odd numbers that lead from a word to the next of its chain: other attempt, chi-square, uniform.
AGAIN = cython.declare(cython.ulonglong, 0xD1B54A32D192ED03)
RETRY = cython.declare(cython.ulonglong, 0xABC98388FB8FAC03)
ASIDE = cython.declare(cython.ulonglong, 0x8CB92BA72F3D8DD7)
HALF = cython.declare(cython.longlong, 1 << 53)
UNIT = cython.declare(cython.double, 1.0 / 9007199254740992.0)
# Where the lowest layer ends and the tail begins.
TAIL = cython.declare(cython.double, 4.038849846109505)
NAN = cython.declare(cython.double, float("nan"))
LN2 = cython.declare(cython.double, 0.6931471805599453)
ROOT_HALF = cython.declare(cython.double, 0.7071067811865476)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _wrap(x: cython.ulonglong) -> cython.ulonglong:
    """Return the lower 64 bits, which is all that there is once compiled."""
    if not cython.compiled:
        x = x & MASK
    return x


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _mix(x: cython.ulonglong) -> cython.ulonglong:
    """Return 64 bits of which each depends on every bit of ``x``."""
    x = _wrap((x ^ (x >> 30)) * FIRST)
    x = _wrap((x ^ (x >> 27)) * SECOND)
    return x ^ (x >> 31)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _log(x: cython.double) -> cython.double:
    """Return the natural logarithm of a positive number, to 2e-16 of it.

    A power of two is taken out exactly; of what is left, between sqrt(1/2) and sqrt(2), the series
    of the area tangent.
    """
    k: cython.double = 0.0
    s: cython.double
    q: cython.double
    while x < 2.3283064365386963e-10:
        x *= 4294967296.0
        k -= 32.0
    if x < 1.52587890625e-05:
        x *= 65536.0
        k -= 16.0
    if x < 0.00390625:
        x *= 256.0
        k -= 8.0
    if x < 0.0625:
        x *= 16.0
        k -= 4.0
    if x < 0.25:
        x *= 4.0
        k -= 2.0
    while x < ROOT_HALF:
        x *= 2.0
        k -= 1.0
    while x > 1.4142135623730951:
        x *= 0.5
        k += 1.0
    s = (x - 1.0) / (x + 1.0)
    q = s * s
    x = 1.0 / 21.0
    x = x * q + 1.0 / 19.0
    x = x * q + 1.0 / 17.0
    x = x * q + 1.0 / 15.0
    x = x * q + 1.0 / 13.0
    x = x * q + 1.0 / 11.0
    x = x * q + 1.0 / 9.0
    x = x * q + 1.0 / 7.0
    x = x * q + 1.0 / 5.0
    x = x * q + 1.0 / 3.0
    return k * LN2 + (2.0 * s + 2.0 * s * (q * x))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _exp(x: cython.double) -> cython.double:
    """Return the exponential of a number between -8.2 and 0, to 1e-9 of it."""
    y: cython.double = x * 0.03125
    q: cython.double = y * y
    even: cython.double = 1.0 / 40320.0
    odd: cython.double = 1.0 / 5040.0
    even = even * q + 1.0 / 720.0
    odd = odd * q + 1.0 / 120.0
    even = even * q + 1.0 / 24.0
    odd = odd * q + 1.0 / 6.0
    even = even * q + 0.5
    odd = odd * q + 1.0
    even = even * q + 1.0
    y = even + y * odd
    y = y * y
    y = y * y
    y = y * y
    y = y * y
    return y * y


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _uniform(word: cython.ulonglong) -> cython.double:
    """Return the middle of the cell of (0, 1) that the upper 53 bits name: never 0 and never 1."""
    return (cython.cast(cython.longlong, word >> 11) + 0.5) * UNIT


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _outside(
    word: cython.ulonglong,
    widths: cython.const[cython.double][::1],
    cores: cython.const[cython.longlong][::1],
    heights: cython.const[cython.double][::1],
) -> cython.double:
    """Return the normal of a word whose place is not in the core of its layer."""
    layer: cython.Py_ssize_t
    v: cython.longlong
    x: cython.double
    y: cython.double
    sign: cython.double
    while True:
        layer = cython.cast(cython.Py_ssize_t, word & 1023)
        v = cython.cast(cython.longlong, word >> 10) - HALF
        x = v * widths[layer]
        if (v if v >= 0 else -v) < cores[layer]:
            return x
        word = _mix(_wrap(word + AGAIN))
        if layer == 0:
            sign = 1.0 if v >= 0 else -1.0
            while True:
                x = -_log(_uniform(word)) / TAIL
                word = _mix(_wrap(word + AGAIN))
                y = -_log(_uniform(word))
                if y + y >= x * x:
                    return sign * (TAIL + x)
                word = _mix(_wrap(word + AGAIN))
        y = heights[layer] + _uniform(word) * (heights[layer + 1] - heights[layer])
        if y < _exp(-0.5 * x * x):
            return x
        word = _mix(_wrap(word + AGAIN))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _normal(
    word: cython.ulonglong,
    widths: cython.const[cython.double][::1],
    cores: cython.const[cython.longlong][::1],
    heights: cython.const[cython.double][::1],
) -> cython.double:
    """Return the normal of a word."""
    layer: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, word & 1023)
    v: cython.longlong = cython.cast(cython.longlong, word >> 10) - HALF
    if (v if v >= 0 else -v) < cores[layer]:
        return v * widths[layer]
    return _outside(word, widths, cores, heights)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _stretch(
    word: cython.ulonglong,
    degrees: cython.double,
    widths: cython.const[cython.double][::1],
    cores: cython.const[cython.longlong][::1],
    heights: cython.const[cython.double][::1],
) -> cython.double:
    """Return what turns a normal vector into a Student-t vector of the same covariance.

    It is sqrt((degrees - 2) / chi-square), and 1 where degrees are infinite.
    """
    d: cython.double = 0.5 * degrees - 1.0 / 3.0
    c: cython.double
    x: cython.double
    v: cython.double
    u: cython.double
    if degrees > 1e300:
        return 1.0
    c = 1.0 / sqrt(9.0 * d)
    while True:
        x = _normal(word, widths, cores, heights)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            u = _log(_uniform(_mix(_wrap(word + ASIDE))))
            if u < 0.5 * x * x + d * (1.0 - v + _log(v)):
                return sqrt((degrees - 2.0) / (2.0 * d * v))
        word = _mix(_wrap(word + RETRY))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _linear(
    stream: cython.ulonglong,
    first: cython.Py_ssize_t,
    loads: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    widths: cython.const[cython.double][::1],
    cores: cython.const[cython.longlong][::1],
    heights: cython.const[cython.double][::1],
    out: cython.double[::1],
) -> cython.Py_ssize_t:
    n: cython.Py_ssize_t = loads.shape[0]
    far: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    counter: cython.ulonglong
    word: cython.ulonglong
    gain: cython.double
    stretch: cython.double = 1.0
    is_normal: cython.bint = terms[1] > 1e300
    for i in range(out.shape[0]):
        counter = _mix(_wrap(stream + GOLDEN * cython.cast(cython.ulonglong, first + i + 1)))
        gain = 0.0
        word = counter
        for j in range(n):
            word = _wrap(word + GOLDEN)
            gain += loads[j] * _normal(_mix(word), widths, cores, heights)
        if not is_normal:
            stretch = _stretch(_mix(_wrap(word + GOLDEN)), terms[1], widths, cores, heights)
        out[i] = -(terms[0] + stretch * gain)
        if stretch >= terms[2]:
            out[i] = NAN
            far += 1
    return far


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _draw(
    stream: cython.ulonglong,
    ids: cython.const[cython.longlong][::1],
    degrees: cython.double,
    widths: cython.const[cython.double][::1],
    cores: cython.const[cython.longlong][::1],
    heights: cython.const[cython.double][::1],
    normals: cython.double[:, :, ::1],
    stretches: cython.double[:, ::1],
) -> cython.void:
    i: cython.Py_ssize_t
    h: cython.Py_ssize_t
    j: cython.Py_ssize_t
    word: cython.ulonglong
    for i in range(ids.shape[0]):
        word = _mix(_wrap(stream + GOLDEN * cython.cast(cython.ulonglong, ids[i] + 1)))
        for h in range(normals.shape[1]):
            for j in range(normals.shape[2]):
                word = _wrap(word + GOLDEN)
                normals[i, h, j] = _normal(_mix(word), widths, cores, heights)
            word = _wrap(word + GOLDEN)
            stretches[i, h] = _stretch(_mix(word), degrees, widths, cores, heights)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _project(
    normals: cython.const[cython.double][:, :, ::1],
    stretches: cython.const[cython.double][:, ::1],
    loads: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    out: cython.double[::1],
) -> cython.Py_ssize_t:
    far: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    gain: cython.double
    for i in range(out.shape[0]):
        gain = 0.0
        for j in range(loads.shape[0]):
            gain += loads[j] * normals[i, 0, j]
        out[i] = -(terms[0] + stretches[i, 0] * gain)
        if stretches[i, 0] >= terms[2]:
            out[i] = NAN
            far += 1
    return far


def _check_layers(widths: object, cores: object, heights: object) -> None:
    if len(widths) != LAYERS or len(cores) != LAYERS or len(heights) != LAYERS + 1:
        raise ValueError(f"expected {LAYERS} widths and cores, and {LAYERS + 1} heights")


def stream_of(seed: cython.ulonglong) -> int:
    """Return the stream of a seed; see the stub."""
    return _mix(_wrap(seed + GOLDEN))


def words(
    stream: cython.ulonglong,
    ids: cython.const[cython.longlong][::1],
    first: cython.Py_ssize_t,
    out: cython.ulonglong[:, ::1],
) -> None:
    """Write the 64 bits of each scenario and column; see the stub."""
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    word: cython.ulonglong
    if out.shape[0] != ids.shape[0] or first < 0:
        raise ValueError(f"out must have a row for each of {ids.shape[0]} scenarios, first >= 0")
    for i in range(ids.shape[0]):
        word = _mix(_wrap(stream + GOLDEN * cython.cast(cython.ulonglong, ids[i] + 1)))
        word = _wrap(word + GOLDEN * cython.cast(cython.ulonglong, first))
        for j in range(out.shape[1]):
            word = _wrap(word + GOLDEN)
            out[i, j] = _mix(word)


def linear(
    stream: cython.ulonglong,
    first: cython.Py_ssize_t,
    loads: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    layers: tuple,
    out: cython.double[::1],
) -> int:
    """Write the losses of linear positions; see the stub."""
    widths: cython.const[cython.double][::1] = layers[0]
    cores: cython.const[cython.longlong][::1] = layers[1]
    heights: cython.const[cython.double][::1] = layers[2]
    far: cython.Py_ssize_t
    _check_layers(widths, cores, heights)
    if terms.shape[0] != 3 or first < 0:
        raise ValueError("expected three terms, and a first scenario of at least 0")
    with cython.nogil:
        far = _linear(stream, first, loads, terms, widths, cores, heights, out)
    return far


def draw(
    stream: cython.ulonglong,
    ids: cython.const[cython.longlong][::1],
    degrees: cython.double,
    layers: tuple,
    normals: cython.double[:, :, ::1],
    stretches: cython.double[:, ::1],
) -> None:
    """Write the normals and stretches of scenarios; see the stub."""
    widths: cython.const[cython.double][::1] = layers[0]
    cores: cython.const[cython.longlong][::1] = layers[1]
    heights: cython.const[cython.double][::1] = layers[2]
    _check_layers(widths, cores, heights)
    if normals.shape[0] != ids.shape[0] or stretches.shape[0] != ids.shape[0]:
        raise ValueError(f"outputs must have a row for each of {ids.shape[0]} scenarios")
    if normals.shape[1] != stretches.shape[1]:
        raise ValueError(f"expected {normals.shape[1]} stretches a scenario, one a step")
    with cython.nogil:
        _draw(stream, ids, degrees, widths, cores, heights, normals, stretches)


def project(
    normals: cython.const[cython.double][:, :, ::1],
    stretches: cython.const[cython.double][:, ::1],
    loads: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    out: cython.double[::1],
) -> int:
    """Write the losses of linear positions from normals that were drawn; see the stub."""
    far: cython.Py_ssize_t
    n: cython.Py_ssize_t = loads.shape[0]
    if normals.shape[0] != out.shape[0] or normals.shape[1] != 1 or normals.shape[2] != n:
        raise ValueError(f"normals must be {out.shape[0]} x 1 x {n}")
    if stretches.shape[0] != out.shape[0] or stretches.shape[1] != 1 or terms.shape[0] != 3:
        raise ValueError(f"stretches must be {out.shape[0]} x 1, and terms three")
    with cython.nogil:
        far = _project(normals, stretches, loads, terms, out)
    return far
