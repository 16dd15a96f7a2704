"""Performance kernel: every metric of many series of returns that needs nothing but them.

Oracle: ``neural_trader.portfolio.reference``; text: ``docs/metrics.md``.

Arrays (C-contiguous): ``returns`` float64 IN, flat, one series after the other; ``spans`` int64 IN,
rows first and stop within a series; ``years`` float64 IN, of each series; ``terms`` float64 IN:
periods a year, risk-free rate of a year and of a period, acceptable return of a period, confidence;
``scratch`` float64, any content; ``out`` float64 OUT, flat, ``COLUMNS`` a series, in the order of
``reference.NAMES``; what needs a benchmark is left NaN, for ``relative``.
Directives: as in ``pairs``. The loops run without the GIL, allocate nothing and raise nothing.
Cost: O(n) a series.

Order of summation (part of the contract): first return to last.
"""

import cython
from cython.cimports.libc.math import ceil, erfc, floor, sqrt
from cython.cimports.libc.math import pow as power

TERMS = 5
COLUMNS = 47

NAN = cython.declare(cython.double, float("nan"))
INFINITE = cython.declare(cython.double, float("inf"))
NOISE = cython.declare(cython.double, 1e-13)
TRACK_RECORD_Z = cython.declare(cython.double, 1.6448536269514722)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _ratio(above: cython.double, below: cython.double) -> cython.double:
    return above / below if below > 0.0 else NAN


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _select(
    values: cython.double[::1], n: cython.Py_ssize_t, rank: cython.Py_ssize_t
) -> cython.double:
    """Return the value that would stand at ``rank`` of the sorted values; reorders them.

    Hoare's selection, by the middle value: what is before the place is no greater, what is behind
    it no less.
    """
    low: cython.Py_ssize_t = 0
    high: cython.Py_ssize_t = n - 1
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    pivot: cython.double
    other: cython.double
    while low < high:
        pivot = values[(low + high) >> 1]
        i = low
        j = high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                other = values[i]
                values[i] = values[j]
                values[j] = other
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return values[rank]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _above(
    x: cython.const[cython.double][::1],
    sign: cython.double,
    least: cython.double,
    into: cython.double[::1],
) -> cython.Py_ssize_t:
    """Gather, times a sign, what is not below a threshold; return how many they are."""
    count: cython.Py_ssize_t = 0
    t: cython.Py_ssize_t
    v: cython.double
    for t in range(x.shape[0]):
        v = sign * x[t]
        into[count] = v
        count += v >= least
    return count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _greatest(
    x: cython.const[cython.double][::1],
    sign: cython.double,
    most: cython.Py_ssize_t,
    high: cython.double,
    step: cython.double,
    into: cython.double[::1],
) -> cython.Py_ssize_t:
    """Gather the greatest of ``sign * x`` in their order, at least ``most``; return how many.

    Thresholds from ``high`` downwards by ``step`` are tried until enough stand above one.
    """
    count: cython.Py_ssize_t = 0
    tries: cython.Py_ssize_t = 0
    while count < most:
        count = _above(x, sign, high if tries < 4 else -INFINITE, into)
        high -= step
        tries += 1
    return count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _beyond(n: cython.Py_ssize_t, confidence: cython.double) -> cython.Py_ssize_t:
    """Return how many values stand at or beyond the order statistic ceil(n c)."""
    place: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, ceil(n * confidence - 1e-9))
    return n - place + 1 if place > 1 else n


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _tail_mean(
    greatest: cython.double[::1],
    count: cython.Py_ssize_t,
    boundary: cython.double,
    whole: cython.double,
) -> cython.double:
    """Return the mean of the worst ``whole`` values: those beyond the boundary, and it as often."""
    i: cython.Py_ssize_t
    total: cython.double = 0.0
    beyond: cython.double = 0.0
    for i in range(count):
        total += greatest[i] if greatest[i] > boundary else 0.0
        beyond += 1.0 if greatest[i] > boundary else 0.0
    return (total + boundary * (whole - beyond)) / whole


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _copied(
    values: cython.double[::1], count: cython.Py_ssize_t, into: cython.double[::1]
) -> cython.void:
    i: cython.Py_ssize_t
    for i in range(count):
        into[i] = values[i]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _tails(
    x: cython.const[cython.double][::1],
    confidence: cython.double,
    deviation: cython.double,
    greatest: cython.double[::1],
    work: cython.double[::1],
    out: cython.double[::1],
) -> cython.void:
    """Write value at risk, expected shortfall and tail ratio."""
    n: cython.Py_ssize_t = x.shape[0]
    low_at: cython.double = 0.05 * (n - 1)
    high_at: cython.double = 0.95 * (n - 1)
    low_place: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, floor(low_at))
    high_place: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, floor(high_at))
    beyond: cython.Py_ssize_t = _beyond(n, confidence)
    most: cython.Py_ssize_t = low_place + 2 if low_place + 2 < n else n
    count: cython.Py_ssize_t
    low: cython.double
    high: cython.double
    after: cython.double
    if beyond > most:
        most = beyond
    # Of a normal series a twelfth is 1.4 deviations away; what is not takes another look.
    count = _greatest(x, -1.0, most, 1.4 * deviation - out[2], 0.2 * deviation, greatest)
    _copied(greatest, count, work)
    out[30] = _select(work, count, count - beyond)
    out[31] = _tail_mean(greatest, count, out[30], n * (1.0 - confidence))
    low = -_select(work, count, count - 1 - low_place)
    after = -_select(work, count, count - 2 - low_place) if low_place + 1 < n else low
    low = low + (low_at - low_place) * (after - low)
    count = _greatest(x, 1.0, n - high_place, 1.4 * deviation + out[2], 0.2 * deviation, work)
    high = _select(work, count, count - n + high_place)
    after = _select(work, count, count - n + high_place + 1) if high_place + 1 < n else high
    high = high + (high_at - high_place) * (after - high)
    out[22] = (high if high > 0.0 else -high) / (low if low > 0.0 else -low) if low != 0.0 else NAN


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _won_and_lost(
    x: cython.const[cython.double][::1],
    mar: cython.double,
    periods: cython.double,
    out: cython.double[::1],
) -> cython.void:
    """Write mean, best and worst, what is won and what is lost."""
    n: cython.Py_ssize_t = x.shape[0]
    t: cython.Py_ssize_t
    r: cython.double
    d: cython.double
    total: cython.double = 0.0
    best: cython.double = x[0]
    worst: cython.double = x[0]
    won: cython.double = 0.0
    lost: cython.double = 0.0
    wins: cython.double = 0.0
    losses: cython.double = 0.0
    above: cython.double = 0.0
    below: cython.double = 0.0
    second: cython.double = 0.0
    third: cython.double = 0.0
    for t in range(n):
        r = x[t]
        total += r
        best = r if r > best else best
        worst = r if r < worst else worst
        won += r if r > 0.0 else 0.0
        lost += -r if r < 0.0 else 0.0
        wins += 1.0 if r > 0.0 else 0.0
        losses += 1.0 if r < 0.0 else 0.0
        above += r - mar if r > mar else 0.0
        d = mar - r if r < mar else 0.0
        below += d
        second += d * d
        third += d * d * d
    second = sqrt(second / n)
    third = power(third / n, 1.0 / 3.0)
    out[2] = total / n
    out[4] = second * sqrt(periods)
    out[7] = best
    out[8] = worst
    out[9] = wins / n
    out[10] = _ratio(won / wins, lost / losses) if wins > 0.0 and losses > 0.0 else NAN
    out[11] = _ratio(won, lost)
    out[12] = (won - lost) / n
    out[14] = _ratio(total / n - mar, second) * sqrt(periods)
    out[20] = _ratio(above, below)
    out[21] = _ratio(total / n - mar, third)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _drawdowns(
    x: cython.const[cython.double][::1],
    confidence: cython.double,
    falls: cython.double[::1],
    greatest: cython.double[::1],
    out: cython.double[::1],
) -> cython.double:
    """Write total return and drawdowns; return the root of the sum of the squared depths."""
    n: cython.Py_ssize_t = x.shape[0]
    t: cython.Py_ssize_t
    beyond: cython.Py_ssize_t
    count: cython.Py_ssize_t
    least: cython.double
    wealth: cython.double = 1.0
    peak: cython.double = 1.0
    fall: cython.double
    ended: cython.double
    depth: cython.double = 0.0
    depths: cython.double = 0.0
    squares: cython.double = 0.0
    drawdowns: cython.double = 0.0
    length: cython.double = 0.0
    longest: cython.double = 0.0
    deepest: cython.double = 0.0
    total: cython.double = 0.0
    total_squares: cython.double = 0.0
    # No branch but the loop's: whether today is a new peak, nobody can predict.
    for t in range(n):
        wealth *= 1.0 + x[t]
        peak = wealth if wealth >= peak else peak
        fall = (peak - wealth) / peak
        falls[t] = fall
        total += fall
        total_squares += fall * fall
        deepest = fall if fall > deepest else deepest
    for t in range(n):
        fall = falls[t]
        ended = 0.0 if fall > 0.0 else depth
        depths += ended
        squares += ended * ended
        drawdowns += 1.0 if ended > 0.0 else 0.0
        depth = fall if fall > depth else depth
        depth = depth if fall > 0.0 else 0.0
        length = length + 1.0 if fall > 0.0 else 0.0
        longest = length if length > longest else longest
    if depth > 0.0:
        depths += depth
        squares += depth * depth
        drawdowns += 1.0
    out[0] = wealth - 1.0
    # For the rate of growth, which would lose bits by way of the return.
    out[1] = wealth
    out[23] = deepest
    out[24] = depths / drawdowns if drawdowns > 0.0 else 0.0
    out[25] = longest
    out[26] = _recovery(falls, n, deepest)
    out[28] = sqrt(total_squares / n)
    out[29] = total / n
    beyond = _beyond(n, confidence)
    least = _threshold(falls, n, beyond, deepest)
    count = _greatest(falls[:n], 1.0, beyond, least, least, greatest)
    # Of the falls nothing more is wanted: their place is free.
    _copied(greatest, count, falls)
    least = _select(falls, count, count - beyond)
    out[32] = _tail_mean(greatest, count, least, n * (1.0 - confidence))
    return sqrt(squares)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _threshold(
    falls: cython.double[::1],
    n: cython.Py_ssize_t,
    most: cython.Py_ssize_t,
    deepest: cython.double,
) -> cython.double:
    """Return a depth at or beyond which some few more than ``most`` falls stand."""
    t: cython.Py_ssize_t
    v: cython.double
    a: cython.double = 0.9 * deepest
    b: cython.double = 0.8 * deepest
    c: cython.double = 0.65 * deepest
    d: cython.double = 0.5 * deepest
    e: cython.double = 0.3 * deepest
    above_a: cython.Py_ssize_t = 0
    above_b: cython.Py_ssize_t = 0
    above_c: cython.Py_ssize_t = 0
    above_d: cython.Py_ssize_t = 0
    above_e: cython.Py_ssize_t = 0
    for t in range(n):
        v = falls[t]
        above_a += v >= a
        above_b += v >= b
        above_c += v >= c
        above_d += v >= d
        above_e += v >= e
    if above_a >= most:
        return a
    if above_b >= most:
        return b
    if above_c >= most:
        return c
    if above_d >= most:
        return d
    return e if above_e >= most else 0.0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _recovery(
    falls: cython.double[::1], n: cython.Py_ssize_t, deepest: cython.double
) -> cython.double:
    """Return the periods from the deepest fall to the next peak; NaN where none has come."""
    t: cython.Py_ssize_t = 0
    trough: cython.Py_ssize_t
    while falls[t] < deepest:
        t += 1
    trough = t
    while t < n and falls[t] > 0.0:
        t += 1
    return t - trough if t < n else NAN


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _four_lags(
    d: cython.double[::1], n: cython.Py_ssize_t, lag: cython.Py_ssize_t, out: cython.double[::1]
) -> cython.void:
    """Write the sums of products of ``d`` with itself ``lag`` to ``lag + 3`` places before."""
    t: cython.Py_ssize_t
    a: cython.double = 0.0
    b: cython.double = 0.0
    c: cython.double = 0.0
    e: cython.double = 0.0
    v: cython.double
    for t in range(lag, lag + 3 if lag + 3 < n else n):
        v = d[t]
        a += v * d[t - lag]
        if t > lag:
            b += v * d[t - lag - 1]
        if t > lag + 1:
            c += v * d[t - lag - 2]
    for t in range(lag + 3, n):
        v = d[t]
        a += v * d[t - lag]
        b += v * d[t - lag - 1]
        c += v * d[t - lag - 2]
        e += v * d[t - lag - 3]
    out[0] = a
    out[1] = b
    out[2] = c
    out[3] = e


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _moments(
    x: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    d: cython.double[::1],
    products: cython.double[::1],
    out: cython.double[::1],
) -> cython.double:
    """Write the moments about the mean and what a Sharpe ratio is worth; return the deviation."""
    n: cython.Py_ssize_t = x.shape[0]
    t: cython.Py_ssize_t
    lag: cython.Py_ssize_t
    i: cython.Py_ssize_t
    lags: cython.Py_ssize_t
    periods: cython.double = terms[0]
    mean: cython.double = out[2]
    v: cython.double
    square: cython.double
    m2: cython.double = 0.0
    m3: cython.double = 0.0
    m4: cython.double = 0.0
    variance: cython.double
    deviation: cython.double
    ratio: cython.double
    correction: cython.double
    spread: cython.double
    wait: cython.double
    for t in range(n):
        v = x[t] - mean
        d[t] = v
        square = v * v
        m2 += square
        m3 += square * v
        m4 += square * square
    if not out[7] - out[8] > NOISE:
        out[3] = 0.0 if n > 1 else NAN
        return 0.0
    variance = m2 / n
    deviation = sqrt(m2 / (n - 1))
    out[3] = deviation * sqrt(periods)
    out[5] = m3 / n / (variance * sqrt(variance))
    out[6] = m4 / n / (variance * variance) - 3.0
    ratio = (mean - terms[2]) / deviation
    lags = cython.cast(cython.Py_ssize_t, floor(4.0 * power(n / 100.0, 2.0 / 9.0)))
    correction = periods
    lag = 1
    while lag == 1 or lag <= lags:
        _four_lags(d, n, lag, products)
        if lag == 1:
            out[34] = products[0] / m2
        for i in range(4):
            if lag + i <= lags and lag + i < n and lag + i < periods:
                correction += 2.0 * (periods - (lag + i)) * (products[i] / m2)
        lag += 4
    out[35] = _ratio(ratio * periods, sqrt(correction) if correction > 0.0 else NAN)
    spread = 1.0 - out[5] * ratio + (out[6] + 2.0) / 4.0 * (ratio * ratio)
    if spread > 0.0:
        out[36] = 0.5 * erfc(-(ratio * sqrt((n - 1) / spread)) / sqrt(2.0))
        wait = TRACK_RECORD_Z / ratio if ratio > 0.0 else NAN
        out[37] = 1.0 + spread * (wait * wait)
    return deviation


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _measure(
    x: cython.const[cython.double][::1],
    years: cython.double,
    terms: cython.const[cython.double][::1],
    scratch: cython.double[::1],
    out: cython.double[::1],
) -> cython.void:
    n: cython.Py_ssize_t = x.shape[0]
    i: cython.Py_ssize_t
    episodes: cython.double
    deviation: cython.double
    excess: cython.double
    for i in range(out.shape[0]):
        out[i] = NAN
    if n == 0:
        return
    _won_and_lost(x, terms[3], terms[0], out)
    episodes = _drawdowns(x, terms[4], scratch[:n], scratch[n:], out)
    deviation = _moments(x, terms, scratch[:n], scratch[n : n + 4], out)
    _tails(x, terms[4], deviation, scratch[n : 2 * n], scratch[2 * n :], out)
    out[1] = power(out[1], 1.0 / years) - 1.0 if out[1] > 0.0 and years > 0.0 else NAN
    excess = out[2] - terms[2]
    out[13] = _ratio(excess, deviation) * sqrt(terms[0])
    out[15] = _ratio(out[1], out[23])
    out[16] = out[1] / (out[23] + 0.10)
    out[17] = _ratio(out[1] - terms[1], episodes)
    out[18] = _ratio(out[1] - terms[1], out[28])
    out[19] = _ratio(out[1] - terms[1], out[29])
    out[27] = _ratio(out[0], out[23])
    out[33] = _ratio(excess, deviation * deviation)


def measure(
    returns: cython.const[cython.double][::1],
    spans: cython.const[cython.longlong][:, ::1],
    years: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    scratch: cython.double[::1],
    out: cython.double[::1],
) -> None:
    """Write every metric of every series; see the stub."""
    rows: cython.Py_ssize_t = years.shape[0]
    columns: cython.Py_ssize_t = returns.shape[0] // rows if rows else 0
    begin: cython.Py_ssize_t
    row: cython.Py_ssize_t
    first: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    if spans.shape[0] != 2 or spans.shape[1] != rows or returns.shape[0] != rows * columns:
        raise ValueError(f"spans must be 2 x {rows}, and returns {rows} series of one length")
    if terms.shape[0] != TERMS or scratch.shape[0] < 3 * columns + 8:
        raise ValueError(f"expected {TERMS} terms and scratch of 3 x {columns} + 8")
    if out.shape[0] != rows * COLUMNS:
        raise ValueError(f"out must be {rows} x {COLUMNS}")
    for row in range(rows):
        if not 0 <= spans[0, row] <= spans[1, row] <= columns:
            raise ValueError(f"series {row} does not lie within {columns} returns")
    for row in range(rows):
        first = spans[0, row]
        stop = spans[1, row]
        begin = row * columns
        _measure(
            returns[begin + first : begin + stop],
            years[row],
            terms,
            scratch,
            out[row * COLUMNS : (row + 1) * COLUMNS],
        )
