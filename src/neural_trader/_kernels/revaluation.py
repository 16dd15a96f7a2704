"""Revaluation kernel: what stocks and European options gain in every scenario.

Oracle: ``risk.scenarios.options.value_options``, scipy, QuantLib; text: ``docs/simulation.md``.

Scenarios are taken a block at a time, a lane each, so that the compiler makes vectors of the inner
loops. A step multiplies each price by 1 + mean + factor x normals, at least 0. Options are then
valued by Black, Scholes and Merton (1973), with one exponential each: since S e^(-qT) n(d1) =
K e^(-rT) n(d2), both tails come from Hart's rational approximation of the tail over the density
(Computer Approximations 1968, 5666; as in West 2005), which keeps 1e-14 of the underlying's price.

Arrays (C-contiguous, float64 but where said): ``normals`` IN (S, H, F), ``stretches`` IN (S, H);
``mean`` IN (N,), ``factor`` IN (N, F), ``widths`` int64 IN (N,), columns of each row that are not
zero; ``positions`` IN (N,), money in each symbol; ``under`` int64 IN (M,), ``options`` IN
(M, COLUMNS); ``scratch`` four of (max(N, F), LANES); ``losses`` OUT (S,); ``gains`` OUT (S, N), or
of no rows. Directives: as in ``pairs``; ``under`` and ``widths`` are checked before the loop. It
runs without the GIL, allocates nothing and raises nothing. It is built twice, the second time with
the vectors of AVX2, in ``avx2``: the same operations in the same order, so the same bits.
Cost: O(S (H N F + M)). Order of summation: factors, then symbols, then options, first to last.
"""

import cython

LANES = 32
COLUMNS = 8


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _series(s: cython.double) -> cython.double:
    """Return log((1 + s) / (1 - s)), for s within 0.18 of 0."""
    q: cython.double = s * s
    p: cython.double = q * q
    a: cython.double = (1.0 / 3.0 + q * (1.0 / 5.0)) + (1.0 / 7.0 + q * (1.0 / 9.0)) * p
    b: cython.double = (1.0 / 11.0 + q * (1.0 / 13.0)) + (1.0 / 15.0 + q * (1.0 / 17.0)) * p
    c: cython.double = 1.0 / 19.0 + q * (1.0 / 21.0)
    p = p * p
    return 2.0 * s + 2.0 * s * (q * (a + (b + c * p) * p))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _far_log(x: cython.double) -> cython.double:
    """Return the logarithm of any growth; of 1e-30 below that, where a price is nothing."""
    k: cython.double = 0.0
    if x < 1e-30:
        x = 1e-30
    while x < 0.7071067811865476:
        x *= 2.0
        k -= 1.0
    while x > 1.4142135623730951:
        x *= 0.5
        k += 1.0
    return k * 0.6931471805599453 + _series((x - 1.0) / (x + 1.0))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _logs(
    growth: cython.double[:, ::1], k: cython.Py_ssize_t, logs: cython.double[:, ::1]
) -> cython.void:
    """Write the logarithm of a symbol's growth in every lane."""
    i: cython.Py_ssize_t
    g: cython.double
    low: cython.double = 1.0
    high: cython.double = 1.0
    for i in range(32):
        g = growth[k, i]
        logs[k, i] = _series((g - 1.0) / (g + 1.0))
    for i in range(32):
        g = growth[k, i]
        low = g if g < low else low
        high = g if g > high else high
    if low < 0.7071067811865476 or high > 1.4142135623730951:
        for i in range(32):
            logs[k, i] = _far_log(growth[k, i])


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _exp(x: cython.double) -> cython.double:
    """Return the exponential of a number from -100 to 0, to 7e-12 of it; of -100 below that."""
    y: cython.double = (x if x > -100.0 else -100.0) * 0.00390625
    q: cython.double = y * y
    p: cython.double = q * q
    a: cython.double = (1.0 + y) + (0.5 + y * (1.0 / 6.0)) * q
    b: cython.double = (1.0 / 24.0 + y * (1.0 / 120.0)) + (1.0 / 720.0 + y * (1.0 / 5040.0)) * q
    c: cython.double = 1.0 / 40320.0 + y * (1.0 / 362880.0)
    c = c + (1.0 / 3628800.0 + y * (1.0 / 39916800.0)) * q
    p = a + (b + c * p) * p
    p = p * p
    p = p * p
    p = p * p
    p = p * p
    p = p * p
    p = p * p
    p = p * p
    return p * p


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _above(x: cython.double) -> cython.double:
    """Return the numerator of Hart's ratio of a normal tail to exp(-x^2 / 2), for x >= 0."""
    q: cython.double = x * x
    a: cython.double = 220.206867912376 + 221.213596169931 * x
    b: cython.double = 112.079291497871 + 33.912866078383 * x
    c: cython.double = 6.37396220353165 + 0.700383064443688 * x
    return (a + b * q) + (c + 3.52624965998911e-02 * q) * (q * q)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _below(x: cython.double) -> cython.double:
    """Return the denominator of that ratio."""
    q: cython.double = x * x
    a: cython.double = 440.413735824752 + 793.826512519948 * x
    b: cython.double = 637.333633378831 + 296.564248779674 * x
    c: cython.double = 86.7807322029461 + 16.064177579207 * x
    d: cython.double = 1.75566716318264 + 8.83883476483184e-02 * x
    return (a + b * q) + (c + d * q) * (q * q)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _value(
    options: cython.const[cython.double][:, ::1],
    m: cython.Py_ssize_t,
    k: cython.Py_ssize_t,
    growth: cython.double[:, ::1],
    logs: cython.double[:, ::1],
    gain: cython.double[:, ::1],
) -> cython.void:
    """Add what an option on a symbol gains to every lane of it."""
    i: cython.Py_ssize_t
    steep: cython.double = options[m, 0]
    start: cython.double = options[m, 1]
    spread: cython.double = options[m, 2]
    spot: cython.double = options[m, 3]
    strike: cython.double = options[m, 4]
    sign: cython.double = options[m, 5]
    units: cython.double = options[m, 6]
    before: cython.double = options[m, 7]
    d1: cython.double
    d2: cython.double
    a1: cython.double
    a2: cython.double
    asset: cython.double
    shared: cython.double
    first: cython.double
    second: cython.double
    if steep == 0.0:
        # It has expired: what is left is what it pays.
        for i in range(32):
            asset = sign * (spot * growth[k, i] - strike)
            gain[k, i] += units * ((asset if asset > 0.0 else 0.0) - before)
        return
    for i in range(32):
        asset = spot * growth[k, i]
        d1 = sign * (logs[k, i] * steep + start)
        d2 = d1 - sign * spread
        a1 = d1 if d1 >= 0.0 else -d1
        a2 = d2 if d2 >= 0.0 else -d2
        shared = asset * _exp(-0.5 * d1 * d1) / (_below(a1) * _below(a2))
        first = shared * (_above(a1) * _below(a2))
        second = shared * (_above(a2) * _below(a1))
        first = asset - first if d1 >= 0.0 else first
        second = strike - second if d2 >= 0.0 else second
        gain[k, i] += units * (sign * (first - second) - before)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _step(
    normals: cython.const[cython.double][:, :, ::1],
    stretches: cython.const[cython.double][:, ::1],
    begin: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
    h: cython.Py_ssize_t,
    mean: cython.const[cython.double][::1],
    factor: cython.const[cython.double][:, ::1],
    widths: cython.const[cython.longlong][::1],
    z: cython.double[:, ::1],
    row: cython.double[:, ::1],
    growth: cython.double[:, ::1],
) -> cython.void:
    """Multiply the growth of every symbol and lane by that of a step."""
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    k: cython.Py_ssize_t
    a: cython.double
    for i in range(count):
        a = stretches[begin + i, h]
        for j in range(normals.shape[2]):
            z[j, i] = a * normals[begin + i, h, j]
    for k in range(mean.shape[0]):
        a = 1.0 + mean[k]
        for i in range(32):
            row[0, i] = a
        for j in range(widths[k]):
            a = factor[k, j]
            for i in range(32):
                row[0, i] += a * z[j, i]
        for i in range(32):
            growth[k, i] *= row[0, i] if row[0, i] > 0.0 else 0.0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _revalue(
    normals: cython.const[cython.double][:, :, ::1],
    stretches: cython.const[cython.double][:, ::1],
    mean: cython.const[cython.double][::1],
    factor: cython.const[cython.double][:, ::1],
    widths: cython.const[cython.longlong][::1],
    positions: cython.const[cython.double][::1],
    under: cython.const[cython.longlong][::1],
    options: cython.const[cython.double][:, ::1],
    z: cython.double[:, ::1],
    growth: cython.double[:, ::1],
    logs: cython.double[:, ::1],
    gain: cython.double[:, ::1],
    losses: cython.double[::1],
    gains: cython.double[:, ::1],
) -> cython.void:
    n: cython.Py_ssize_t = mean.shape[0]
    begin: cython.Py_ssize_t = 0
    count: cython.Py_ssize_t
    i: cython.Py_ssize_t
    h: cython.Py_ssize_t
    k: cython.Py_ssize_t
    m: cython.Py_ssize_t
    total: cython.double
    for k in range(z.shape[0]):
        for i in range(32):
            z[k, i] = 0.0
    while begin < losses.shape[0]:
        count = losses.shape[0] - begin
        if count > 32:
            count = 32
        for k in range(n):
            for i in range(32):
                growth[k, i] = 1.0
        for h in range(normals.shape[1]):
            _step(normals, stretches, begin, count, h, mean, factor, widths, z, logs, growth)
        for k in range(n):
            for i in range(32):
                gain[k, i] = positions[k] * (growth[k, i] - 1.0)
        if under.shape[0] > 0:
            for k in range(n):
                _logs(growth, k, logs)
        for m in range(under.shape[0]):
            _value(options, m, under[m], growth, logs, gain)
        for i in range(count):
            total = 0.0
            for k in range(n):
                total += gain[k, i]
            losses[begin + i] = -total
            if gains.shape[0] > 0:
                for k in range(n):
                    gains[begin + i, k] = gain[k, i]
        begin += 32


def revalue(
    normals: cython.const[cython.double][:, :, ::1],
    stretches: cython.const[cython.double][:, ::1],
    market: tuple,
    book: tuple,
    scratch: tuple,
    losses: cython.double[::1],
    gains: cython.double[:, ::1],
) -> None:
    """Write losses, and gains by symbol; see the stub."""
    mean: cython.const[cython.double][::1] = market[0]
    factor: cython.const[cython.double][:, ::1] = market[1]
    widths: cython.const[cython.longlong][::1] = market[2]
    positions: cython.const[cython.double][::1] = book[0]
    under: cython.const[cython.longlong][::1] = book[1]
    options: cython.const[cython.double][:, ::1] = book[2]
    z: cython.double[:, ::1] = scratch[0]
    growth: cython.double[:, ::1] = scratch[1]
    logs: cython.double[:, ::1] = scratch[2]
    gain: cython.double[:, ::1] = scratch[3]
    n: cython.Py_ssize_t = mean.shape[0]
    columns: cython.Py_ssize_t = normals.shape[2]
    most: cython.Py_ssize_t = n if n > columns else columns
    i: cython.Py_ssize_t
    if factor.shape[0] != n or factor.shape[1] != columns or widths.shape[0] != n:
        raise ValueError(f"factor must be {n} x {columns}, widths must hold {n} values")
    if positions.shape[0] != n or options.shape[0] != under.shape[0]:
        raise ValueError(f"expected {n} positions, and a row for each of {under.shape[0]} options")
    if options.shape[1] != COLUMNS:
        raise ValueError(f"an option has {COLUMNS} columns, not {options.shape[1]}")
    if normals.shape[0] != losses.shape[0] or stretches.shape[0] != losses.shape[0]:
        raise ValueError(f"expected draws of {losses.shape[0]} scenarios")
    if stretches.shape[1] != normals.shape[1]:
        raise ValueError(f"expected {normals.shape[1]} stretches a scenario")
    for part in scratch:
        if part.shape[0] < most or part.shape[1] != LANES:
            raise ValueError(f"scratch must be four of {most} x {LANES}")
    if gains.shape[0] != 0 and (gains.shape[0] != losses.shape[0] or gains.shape[1] != n):
        raise ValueError(f"gains must be {losses.shape[0]} x {n}, or have no rows")
    for i in range(n):
        if not 0 <= widths[i] <= columns:
            raise ValueError(f"row {i} of the factor has {widths[i]} of {columns} columns")
    for i in range(under.shape[0]):
        if not 0 <= under[i] < n:
            raise ValueError(f"option {i} is on symbol {under[i]} of {n}")
    with cython.nogil:
        _revalue(
            normals,
            stretches,
            mean,
            factor,
            widths,
            positions,
            under,
            options,
            z,
            growth,
            logs,
            gain,
            losses,
            gains,
        )
