"""Sobol kernel: scrambled points in any order, turned into normals.

Oracle: ``neural_trader.risk.scenarios.reference``; text: ``docs/simulation.md``.

Points come in Gray-code order (Antonov and Saleev 1979) from direction numbers of Joe and Kuo
(2008); a scramble is a random linear matrix on the digits and a digital shift (Matousek 1998),
normals by Wichura's inverse (1988, AS241). Arrays (C-contiguous): ``numbers`` uint16 IN (D, 16),
primitive polynomial and initial numbers; ``directions`` uint32 (bits, D) or (scrambles, bits, D);
``columns`` uint64 IN (D, bits + 1), random bits; ``ids`` int64 IN (S,); ``state`` uint32 scratch
(D,); ``normals`` float64 OUT (S, D). Directives: as in ``pairs``; every place is within a shape
that was checked above the loop. The loops run without the GIL, allocate nothing, raise nothing.
Cost: O(S D) for points in their order, O(S D bits) for others.
"""

import cython
from cython.cimports.libc.math import sqrt

NUMBERS = 16
CELL = cython.declare(cython.double, 1.0 / 4294967296.0)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _tail(p: cython.double) -> cython.double:
    """Return the normal that a probability from 2^-33 to 0.075 lies above, as a positive number."""
    k: cython.double = 0.0
    s: cython.double
    q: cython.double
    r: cython.double
    above: cython.double
    below: cython.double
    if p < 1.52587890625e-05:
        p *= 65536.0
        k -= 16.0
    if p < 0.00390625:
        p *= 256.0
        k -= 8.0
    if p < 0.0625:
        p *= 16.0
        k -= 4.0
    if p < 0.25:
        p *= 4.0
        k -= 2.0
    while p < 0.7071067811865476:
        p *= 2.0
        k -= 1.0
    s = (p - 1.0) / (p + 1.0)
    q = s * s
    r = 1.0 / 21.0
    r = r * q + 1.0 / 19.0
    r = r * q + 1.0 / 17.0
    r = r * q + 1.0 / 15.0
    r = r * q + 1.0 / 13.0
    r = r * q + 1.0 / 11.0
    r = r * q + 1.0 / 9.0
    r = r * q + 1.0 / 7.0
    r = r * q + 1.0 / 5.0
    r = r * q + 1.0 / 3.0
    r = sqrt(-(k * 0.6931471805599453 + (2.0 * s + 2.0 * s * (q * r)))) - 1.6
    above = 7.74545014278341407640e-4
    above = above * r + 2.27238449892691845833e-2
    above = above * r + 2.41780725177450611770e-1
    above = above * r + 1.27045825245236838258
    above = above * r + 3.64784832476320460504
    above = above * r + 5.76949722146069140550
    above = above * r + 4.63033784615654529590
    above = above * r + 1.42343711074968357734
    below = 1.05075007164441684324e-9
    below = below * r + 5.47593808499534494600e-4
    below = below * r + 1.51986665636164571966e-2
    below = below * r + 1.48103976427480074590e-1
    below = below * r + 6.89767334985100004550e-1
    below = below * r + 1.67638483018380384940
    below = below * r + 2.05319162663775882187
    return above / (below * r + 1.0)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _inverse(digits: cython.uint) -> cython.double:
    """Return the normal at the middle of one of 2^32 cells of equal probability."""
    q: cython.double = (cython.cast(cython.longlong, digits) + 0.5) * CELL - 0.5
    r: cython.double
    above: cython.double
    below: cython.double
    if q < -0.425:
        return -_tail(q + 0.5)
    if q > 0.425:
        return _tail(0.5 - q)
    r = 0.180625 - q * q
    above = 2.5090809287301226727e3
    above = above * r + 3.3430575583588128105e4
    above = above * r + 6.7265770927008700853e4
    above = above * r + 4.5921953931549871457e4
    above = above * r + 1.3731693765509461125e4
    above = above * r + 1.9715909503065514427e3
    above = above * r + 1.3314166789178437745e2
    above = above * r + 3.3871328727963666080
    below = 5.2264952788528545610e3
    below = below * r + 2.8729085735721942674e4
    below = below * r + 3.9307895800092710610e4
    below = below * r + 2.1213794301586595867e4
    below = below * r + 5.3941960214247511077e3
    below = below * r + 6.8718700749205790830e2
    below = below * r + 4.2313330701600911252e1
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
def _fill(
    directions: cython.const[cython.uint][:, :, ::1],
    shifts: cython.const[cython.uint][:, ::1],
    points: cython.longlong,
    ids: cython.const[cython.longlong][::1],
    state: cython.uint[::1],
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
        for d in range(columns):
            normals[i, d] = _inverse(state[d])


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
    directions: cython.const[cython.uint][:, :, ::1],
    shifts: cython.const[cython.uint][:, ::1],
    points: cython.longlong,
    ids: cython.const[cython.longlong][::1],
    state: cython.uint[::1],
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
