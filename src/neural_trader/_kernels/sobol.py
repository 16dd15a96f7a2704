"""Sobol kernel: scrambled points in any order, turned into normals.

Oracle: the points of scipy and QuantLib, scipy's inverse; text: ``docs/simulation.md``.

Points come in Gray-code order (Antonov and Saleev 1979) from direction numbers of Joe and Kuo
(2008); a scramble is a random linear matrix on the digits and a digital shift (Matousek 1998),
normals by Acklam's inverse (2003), to 1.2e-9 of each. Arrays (C-contiguous): ``numbers`` uint16 IN
(D, 16), primitive polynomial and initial numbers; ``directions`` uint32 OUT (bits, D), or int32 IN
(scrambles, bits, D); ``columns`` uint64 IN (D, bits + 1), random bits; ``ids`` int64 IN (S,);
``state`` int32 scratch (D,); ``normals`` float64 OUT (S, D).
Directives: as in ``pairs``; every place is within a shape that was checked above the loop. The
loops run without the GIL, allocate nothing and raise nothing.
Cost: O(S D) for points in their order, O(S D bits) for others.
"""

import cython
from cython.cimports.libc.math import sqrt

NUMBERS = 16
# Beyond so many cells from the median another formula holds: a probability of 0.02425.
EDGE = cython.declare(cython.int, 2043330063)
CELL = cython.declare(cython.double, 1.0 / 4294967296.0)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _tail(p: cython.double) -> cython.double:
    """Return the normal that a probability from 2^-33 to 0.025 lies below."""
    k: cython.double = 0.0
    s: cython.double
    q: cython.double
    r: cython.double
    above: cython.double
    below: cython.double
    while p < 0.001953125:
        p *= 64.0
        k -= 6.0
    while p < 0.0884:
        p *= 4.0
        k -= 2.0
    while p < 0.7071067811865476:
        p *= 2.0
        k -= 1.0
    s = (p - 1.0) / (p + 1.0)
    q = s * s
    r = 1.0 / 13.0
    r = r * q + 1.0 / 11.0
    r = r * q + 1.0 / 9.0
    r = r * q + 1.0 / 7.0
    r = r * q + 1.0 / 5.0
    r = r * q + 1.0 / 3.0
    q = sqrt(-2.0 * (k * 0.6931471805599453 + (2.0 * s + 2.0 * s * (q * r))))
    above = -7.784894002430293e-03
    above = above * q - 3.223964580411365e-01
    above = above * q - 2.400758277161838
    above = above * q - 2.549732539343734
    above = above * q + 4.374664141464968
    above = above * q + 2.938163982698783
    below = 7.784695709041462e-03
    below = below * q + 3.224671290700398e-01
    below = below * q + 2.445134137142996
    below = below * q + 3.754408661907416
    return above / (below * q + 1.0)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _central(q: cython.double) -> cython.double:
    """Return the normal that lies a probability from the median, within 0.476 of it."""
    r: cython.double = q * q
    above: cython.double = -3.969683028665376e01
    below: cython.double = -5.447609879822406e01
    above = above * r + 2.209460984245205e02
    below = below * r + 1.615858368580409e02
    above = above * r - 2.759285104469687e02
    below = below * r - 1.556989798598866e02
    above = above * r + 1.383577518672690e02
    below = below * r + 6.680131188771972e01
    above = above * r - 3.066479806614716e01
    below = below * r - 1.328068155288572e01
    above = above * r + 2.506628277459239
    return q * above / (below * r + 1.0)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _expand(
    numbers: cython.const[cython.ushort][:, ::1], directions: cython.uint[:, ::1]
) -> cython.void:
    d: cython.Py_ssize_t
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    degree: cython.Py_ssize_t
    polynomial: cython.uint
    v: cython.uint
    for d in range(directions.shape[1]):
        polynomial = numbers[d, 0]
        degree = 0
        while (polynomial >> (degree + 1)) > 0:
            degree += 1
        for i in range(directions.shape[0]):
            if degree == 0:
                v = cython.cast(cython.uint, 1) << (31 - i)
            elif i < degree:
                v = cython.cast(cython.uint, numbers[d, 1 + i]) << (31 - i)
            else:
                v = directions[i - degree, d]
                v = v ^ (v >> degree)
                for k in range(1, degree):
                    if (polynomial >> (degree - k)) & 1:
                        v = v ^ directions[i - k, d]
            directions[i, d] = v


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _scramble(
    plain: cython.const[cython.uint][:, ::1],
    columns: cython.const[cython.ulonglong][:, ::1],
    directions: cython.uint[:, ::1],
    shifts: cython.uint[::1],
) -> cython.void:
    bits: cython.Py_ssize_t = plain.shape[0]
    d: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    v: cython.uint
    one: cython.uint
    low: cython.uint
    for d in range(plain.shape[1]):
        shifts[d] = cython.cast(cython.uint, columns[d, bits] >> 32)
        for i in range(bits):
            v = 0
            for j in range(i + 1):
                if (plain[i, d] >> (31 - j)) & 1:
                    one = cython.cast(cython.uint, 1) << (31 - j)
                    low = cython.cast(cython.uint, columns[d, j] >> 32)
                    v = v ^ (one | (low & (one - 1)))
            directions[i, d] = v


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _normal(
    state: cython.int[::1], i: cython.Py_ssize_t, normals: cython.double[:, ::1]
) -> cython.void:
    """Write the normals of a point; its digits are counted from the median, with their sign."""
    d: cython.Py_ssize_t
    q: cython.double
    for d in range(state.shape[0]):
        normals[i, d] = _central((state[d] + 0.5) * CELL)
    for d in range(state.shape[0]):
        if state[d] > EDGE or state[d] < -EDGE - 1:
            q = (state[d] + 0.5) * CELL
            normals[i, d] = _tail(q + 0.5) if q < 0.0 else -_tail(0.5 - q)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _fill(
    directions: cython.const[cython.int][:, :, ::1],
    shifts: cython.const[cython.int][:, ::1],
    points: cython.longlong,
    ids: cython.const[cython.longlong][::1],
    state: cython.int[::1],
    normals: cython.double[:, ::1],
) -> cython.void:
    columns: cython.Py_ssize_t = state.shape[0]
    before: cython.longlong = -2
    i: cython.Py_ssize_t
    d: cython.Py_ssize_t
    bit: cython.Py_ssize_t
    scramble: cython.longlong = 0
    place: cython.longlong = 0
    gray: cython.longlong
    for i in range(ids.shape[0]):
        if ids[i] == before + 1 and place + 1 < points:
            place += 1
            bit = 0
            while not (place >> bit) & 1:
                bit += 1
            for d in range(columns):
                state[d] = state[d] ^ directions[scramble, bit, d]
        else:
            scramble = ids[i] // points
            place = ids[i] - scramble * points
            gray = place ^ (place >> 1)
            for d in range(columns):
                state[d] = shifts[scramble, d]
            bit = 0
            while (gray >> bit) > 0:
                if (gray >> bit) & 1:
                    for d in range(columns):
                        state[d] = state[d] ^ directions[scramble, bit, d]
                bit += 1
        before = ids[i]
        _normal(state, i, normals)


def expand(numbers: cython.const[cython.ushort][:, ::1], directions: cython.uint[:, ::1]) -> None:
    """Write direction numbers; see the stub."""
    d: cython.Py_ssize_t
    if numbers.shape[1] != NUMBERS or numbers.shape[0] != directions.shape[1]:
        raise ValueError(f"numbers must be {directions.shape[1]} x {NUMBERS}")
    if directions.shape[0] > 32:
        raise ValueError(f"a direction has at most 32 bits, not {directions.shape[0]}")
    for d in range(numbers.shape[0]):
        if numbers[d, 0] == 0:
            raise ValueError(f"dimension {d} has no polynomial")
    with cython.nogil:
        _expand(numbers, directions)


def scramble(
    plain: cython.const[cython.uint][:, ::1],
    columns: cython.const[cython.ulonglong][:, ::1],
    directions: cython.uint[:, ::1],
    shifts: cython.uint[::1],
) -> None:
    """Write scrambled direction numbers and a shift; see the stub."""
    bits: cython.Py_ssize_t = plain.shape[0]
    d: cython.Py_ssize_t = plain.shape[1]
    if directions.shape[0] != bits or directions.shape[1] != d or shifts.shape[0] != d:
        raise ValueError(f"directions must be {bits} x {d}, and shifts {d}")
    if columns.shape[0] != d or columns.shape[1] != bits + 1 or bits > 32:
        raise ValueError(f"columns must be {d} x {bits + 1}, of at most 32 bits")
    with cython.nogil:
        _scramble(plain, columns, directions, shifts)


def fill(
    directions: cython.const[cython.int][:, :, ::1],
    shifts: cython.const[cython.int][:, ::1],
    points: cython.longlong,
    ids: cython.const[cython.longlong][::1],
    state: cython.int[::1],
    normals: cython.double[:, ::1],
) -> None:
    """Write the normals of scrambled points; see the stub."""
    scrambles: cython.longlong = directions.shape[0]
    columns: cython.Py_ssize_t = directions.shape[2]
    i: cython.Py_ssize_t
    if shifts.shape[0] != scrambles or shifts.shape[1] != columns or state.shape[0] != columns:
        raise ValueError(f"shifts must be {scrambles} x {columns}, and state {columns}")
    if normals.shape[0] != ids.shape[0] or normals.shape[1] != columns:
        raise ValueError(f"normals must be {ids.shape[0]} x {columns}")
    if points < 1 or ((points - 1) >> directions.shape[1]) > 0:
        raise ValueError(f"{directions.shape[1]} bits do not number {points} points")
    for i in range(ids.shape[0]):
        if not 0 <= ids[i] < scrambles * points:
            raise ValueError(f"there is no point {ids[i]} of {scrambles * points}")
    with cython.nogil:
        _fill(directions, shifts, points, ids, state, normals)
