"""Performance kernel: every metric of many series of returns that needs nothing but them.

Oracle: ``neural_trader.portfolio.reference``; text: ``docs/metrics.md``.

Four series walk through time side by side, see ``lanes``. Arrays: ``returns`` float64 IN, (T, S),
any strides; ``spans`` int64 IN, rows first and stop within a series; ``years`` float64 IN, of each
series; ``terms`` float64 IN: periods a year, risk-free rate of a year and of a period, acceptable
return of a period, confidence; ``scratch`` float64, any content; ``out`` float64 OUT, flat,
``COLUMNS`` a series, in the order of ``reference.NAMES``; what is not asked for by ``parts``, or
needs a benchmark (see ``relative``), is NaN.
Directives: as in ``pairs``. The loops run without the GIL, allocate nothing and raise nothing.
Cost: O(n) a series.

Order of summation (part of the contract): first return to last.
"""

import cython
from cython.cimports.libc.math import erfc, floor, sqrt
from cython.cimports.libc.math import pow as power
from cython.cimports.neural_trader._kernels.lanes import _cdar, _gather, _is_one_span, _tails

TERMS = 5
COLUMNS = 47
SCRATCH_LANES = 28
SCRATCH_MORE = 212
# Families of metrics that are computed on demand, by their bits in ``parts``.
TAILS = cython.declare(cython.int, 1)
EPISODES = cython.declare(cython.int, 2)
CDAR = cython.declare(cython.int, 4)
SIGNIFICANCE = cython.declare(cython.int, 8)
# A sheet has a column of four lanes for every metric, and below them the products of four lags,
# the sum of squares, and the root of the sum of squared depths.
WIDTH = cython.declare(cython.Py_ssize_t, 47)
PRODUCTS = cython.declare(cython.Py_ssize_t, 4 * 47)
SQUARES = cython.declare(cython.Py_ssize_t, 4 * 51)
DEPTHS = cython.declare(cython.Py_ssize_t, 4 * 52)
SHEET = cython.declare(cython.Py_ssize_t, 4 * 53)

NAN = cython.declare(cython.double, float("nan"))
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
def _totals(x: cython.double[::1], n: cython.Py_ssize_t, sheet: cython.double[::1]) -> cython.void:
    """Write mean, best and worst, and the sums of what is won and what is lost."""
    t: cython.Py_ssize_t
    k: cython.Py_ssize_t
    r: cython.double
    total = cython.declare(cython.double[4])
    best = cython.declare(cython.double[4])
    worst = cython.declare(cython.double[4])
    won = cython.declare(cython.double[4])
    lost = cython.declare(cython.double[4])
    for k in range(4):
        total[k] = won[k] = lost[k] = 0.0
        best[k] = worst[k] = x[k]
    for t in range(n):
        for k in range(4):
            r = x[4 * t + k]
            total[k] += r
            best[k] = r if r > best[k] else best[k]
            worst[k] = r if r < worst[k] else worst[k]
            won[k] += r if r > 0.0 else 0.0
            lost[k] += -r if r < 0.0 else 0.0
    for k in range(4):
        sheet[8 + k] = total[k] / n
        sheet[28 + k] = best[k]
        sheet[32 + k] = worst[k]
        sheet[40 + k] = won[k]
        sheet[44 + k] = lost[k]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _won_and_lost(
    x: cython.double[::1],
    n: cython.Py_ssize_t,
    mar: cython.double,
    periods: cython.double,
    sheet: cython.double[::1],
) -> cython.void:
    """Write the shares of gains and losses, and the moments below the acceptable return."""
    t: cython.Py_ssize_t
    k: cython.Py_ssize_t
    r: cython.double
    d: cython.double
    second: cython.double
    third: cython.double
    above = cython.declare(cython.double[4])
    below = cython.declare(cython.double[4])
    wins = cython.declare(cython.double[4])
    losses = cython.declare(cython.double[4])
    squares = cython.declare(cython.double[4])
    cubes = cython.declare(cython.double[4])
    for k in range(4):
        above[k] = sheet[40 + k]
        below[k] = sheet[44 + k]
        wins[k] = losses[k] = squares[k] = cubes[k] = 0.0
    if mar != 0.0:
        for k in range(4):
            above[k] = below[k] = 0.0
        for t in range(n):
            for k in range(4):
                r = x[4 * t + k]
                above[k] += r - mar if r > mar else 0.0
                below[k] += mar - r if r < mar else 0.0
    for t in range(n):
        for k in range(4):
            r = x[4 * t + k]
            wins[k] += 1.0 if r > 0.0 else 0.0
            losses[k] += 1.0 if r < 0.0 else 0.0
            d = mar - r if r < mar else 0.0
            squares[k] += d * d
            cubes[k] += d * d * d
    for k in range(4):
        second = sqrt(squares[k] / n)
        third = power(cubes[k] / n, 1.0 / 3.0)
        r = sheet[8 + k] - mar
        sheet[16 + k] = second * sqrt(periods)
        sheet[36 + k] = wins[k] / n
        sheet[48 + k] = (sheet[40 + k] - sheet[44 + k]) / n
        sheet[56 + k] = _ratio(r, second) * sqrt(periods)
        sheet[80 + k] = _ratio(above[k], below[k])
        sheet[84 + k] = _ratio(r, third)
        d = sheet[40 + k]
        if wins[k] > 0.0 and losses[k] > 0.0:
            sheet[40 + k] = _ratio(d / wins[k], sheet[44 + k] / losses[k])
        else:
            sheet[40 + k] = NAN
        sheet[44 + k] = _ratio(d, sheet[44 + k])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _drawdowns(
    x: cython.double[::1],
    n: cython.Py_ssize_t,
    falls: cython.double[::1],
    sheet: cython.double[::1],
) -> cython.void:
    """Write total return, the deepest fall from a peak, and the means of all falls."""
    t: cython.Py_ssize_t
    k: cython.Py_ssize_t
    fall = cython.declare(cython.double[4])
    wealth = cython.declare(cython.double[4])
    peak = cython.declare(cython.double[4])
    deepest = cython.declare(cython.double[4])
    total = cython.declare(cython.double[4])
    squares = cython.declare(cython.double[4])
    for k in range(4):
        wealth[k] = peak[k] = 1.0
        deepest[k] = total[k] = squares[k] = 0.0
    for t in range(n):
        for k in range(4):
            wealth[k] *= 1.0 + x[4 * t + k]
            peak[k] = wealth[k] if wealth[k] >= peak[k] else peak[k]
            fall[k] = (peak[k] - wealth[k]) / peak[k]
            total[k] += fall[k]
            squares[k] += fall[k] * fall[k]
            deepest[k] = fall[k] if fall[k] > deepest[k] else deepest[k]
        for k in range(4):
            falls[4 * t + k] = fall[k]
    for k in range(4):
        sheet[k] = wealth[k] - 1.0
        # For the rate of growth, which would lose bits by way of the return.
        sheet[4 + k] = wealth[k]
        sheet[92 + k] = deepest[k]
        sheet[112 + k] = sqrt(squares[k] / n)
        sheet[116 + k] = total[k] / n


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _episodes(
    falls: cython.double[::1], n: cython.Py_ssize_t, sheet: cython.double[::1]
) -> cython.void:
    """Write what drawdowns come to, from peak to peak, and how long they last.

    No branch but the loop's: whether today is a new peak, nobody can predict.
    """
    t: cython.Py_ssize_t
    k: cython.Py_ssize_t
    fall: cython.double
    ended: cython.double
    depth = cython.declare(cython.double[4])
    depths = cython.declare(cython.double[4])
    squares = cython.declare(cython.double[4])
    count = cython.declare(cython.double[4])
    length = cython.declare(cython.double[4])
    longest = cython.declare(cython.double[4])
    for k in range(4):
        depth[k] = depths[k] = squares[k] = count[k] = length[k] = longest[k] = 0.0
    for t in range(n):
        for k in range(4):
            fall = falls[4 * t + k]
            ended = 0.0 if fall > 0.0 else depth[k]
            depths[k] += ended
            squares[k] += ended * ended
            count[k] += 1.0 if ended > 0.0 else 0.0
            depth[k] = fall if fall > depth[k] else depth[k]
            depth[k] = depth[k] if fall > 0.0 else 0.0
            length[k] = length[k] + 1.0 if fall > 0.0 else 0.0
            longest[k] = length[k] if length[k] > longest[k] else longest[k]
    for k in range(4):
        if depth[k] > 0.0:
            depths[k] += depth[k]
            squares[k] += depth[k] * depth[k]
            count[k] += 1.0
        sheet[96 + k] = depths[k] / count[k] if count[k] > 0.0 else 0.0
        sheet[100 + k] = longest[k]
        sheet[104 + k] = _recovery(falls, n, k, sheet[92 + k])
        sheet[DEPTHS + k] = sqrt(squares[k])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _recovery(
    falls: cython.double[::1],
    n: cython.Py_ssize_t,
    k: cython.Py_ssize_t,
    deepest: cython.double,
) -> cython.double:
    """Return the periods from the deepest fall to the next peak; NaN where none has come."""
    t: cython.Py_ssize_t = 0
    trough: cython.Py_ssize_t
    while t < n and falls[4 * t + k] != deepest:
        t += 1
    trough = t
    while t < n and falls[4 * t + k] != 0.0:
        t += 1
    return t - trough if t < n else NAN


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _moments(
    x: cython.double[::1],
    n: cython.Py_ssize_t,
    periods: cython.double,
    d: cython.double[::1],
    sheet: cython.double[::1],
) -> cython.void:
    """Write deviation, skew and kurtosis; the deviation of a period takes the Sharpe's place."""
    t: cython.Py_ssize_t
    k: cython.Py_ssize_t
    square: cython.double
    variance: cython.double
    v = cython.declare(cython.double[4])
    mean = cython.declare(cython.double[4])
    m2 = cython.declare(cython.double[4])
    m3 = cython.declare(cython.double[4])
    m4 = cython.declare(cython.double[4])
    for k in range(4):
        mean[k] = sheet[8 + k]
        m2[k] = m3[k] = m4[k] = 0.0
    for t in range(n):
        for k in range(4):
            v[k] = x[4 * t + k] - mean[k]
            square = v[k] * v[k]
            m2[k] += square
            m3[k] += square * v[k]
            m4[k] += square * square
        for k in range(4):
            d[4 * t + k] = v[k]
    for k in range(4):
        sheet[SQUARES + k] = m2[k]
        if not sheet[28 + k] - sheet[32 + k] > NOISE:
            sheet[12 + k] = 0.0 if n > 1 else NAN
            sheet[52 + k] = 0.0
            continue
        variance = m2[k] / n
        sheet[52 + k] = sqrt(m2[k] / (n - 1))
        sheet[12 + k] = sheet[52 + k] * sqrt(periods)
        sheet[20 + k] = m3[k] / n / (variance * sqrt(variance))
        sheet[24 + k] = m4[k] / n / (variance * variance) - 3.0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _four_lags(
    d: cython.double[::1],
    n: cython.Py_ssize_t,
    lag: cython.Py_ssize_t,
    products: cython.double[::1],
) -> cython.void:
    """Write the sums of products of ``d`` with itself ``lag`` to ``lag + 3`` places before."""
    t: cython.Py_ssize_t
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    v: cython.double
    a = cython.declare(cython.double[4])
    b = cython.declare(cython.double[4])
    c = cython.declare(cython.double[4])
    e = cython.declare(cython.double[4])
    for k in range(4):
        a[k] = b[k] = c[k] = e[k] = 0.0
    for t in range(lag, lag + 3 if lag + 3 < n else n):
        for k in range(4):
            v = d[4 * t + k]
            a[k] += v * d[4 * (t - lag) + k]
            if t > lag:
                b[k] += v * d[4 * (t - lag - 1) + k]
            if t > lag + 1:
                c[k] += v * d[4 * (t - lag - 2) + k]
    for t in range(lag + 3, n):
        i = 4 * (t - lag)
        for k in range(4):
            v = d[4 * t + k]
            a[k] += v * d[i + k]
            b[k] += v * d[i - 4 + k]
            c[k] += v * d[i - 8 + k]
            e[k] += v * d[i - 12 + k]
    for k in range(4):
        products[k] = a[k]
        products[4 + k] = b[k]
        products[8 + k] = c[k]
        products[12 + k] = e[k]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _significance(
    d: cython.double[::1],
    n: cython.Py_ssize_t,
    periods: cython.double,
    part: cython.double,
    sheet: cython.double[::1],
) -> cython.void:
    """Write autocorrelation and what a Sharpe ratio is worth."""
    lag: cython.Py_ssize_t = 1
    lags: cython.Py_ssize_t = cython.cast(
        cython.Py_ssize_t, floor(4.0 * power(n / 100.0, 2.0 / 9.0))
    )
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    products: cython.double[::1] = sheet[PRODUCTS:SQUARES]
    ratio: cython.double
    spread: cython.double
    wait: cython.double
    correction = cython.declare(cython.double[4])
    for k in range(4):
        correction[k] = periods
    while lag == 1 or lag <= lags:
        _four_lags(d, n, lag, products)
        for k in range(4):
            if sheet[52 + k] > 0.0:
                if lag == 1:
                    sheet[136 + k] = products[k] / sheet[SQUARES + k]
                for i in range(4):
                    if lag + i <= lags and lag + i < n and lag + i < periods:
                        spread = products[4 * i + k] / sheet[SQUARES + k]
                        correction[k] += 2.0 * (periods - (lag + i)) * spread
        lag += 4
    for k in range(4):
        if sheet[52 + k] > 0.0:
            ratio = (sheet[8 + k] - part) / sheet[52 + k]
            spread = sqrt(correction[k]) if correction[k] > 0.0 else NAN
            sheet[140 + k] = _ratio(ratio * periods, spread)
            spread = 1.0 - sheet[20 + k] * ratio + (sheet[24 + k] + 2.0) / 4.0 * (ratio * ratio)
            if spread > 0.0:
                sheet[144 + k] = 0.5 * erfc(-(ratio * sqrt((n - 1) / spread)) / sqrt(2.0))
                wait = TRACK_RECORD_Z / ratio if ratio > 0.0 else NAN
                sheet[148 + k] = 1.0 + spread * (wait * wait)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _ratios(
    k: cython.Py_ssize_t,
    years: cython.double,
    terms: cython.const[cython.double][::1],
    sheet: cython.double[::1],
    row: cython.double[::1],
) -> cython.void:
    """Write a lane's figures into its row, with what they are ratios of."""
    i: cython.Py_ssize_t
    deviation: cython.double = sheet[52 + k]
    excess: cython.double = sheet[8 + k] - terms[2]
    for i in range(WIDTH):
        row[i] = sheet[4 * i + k]
    row[1] = power(row[1], 1.0 / years) - 1.0 if row[1] > 0.0 and years > 0.0 else NAN
    row[13] = _ratio(excess, deviation) * sqrt(terms[0])
    row[15] = _ratio(row[1], row[23])
    row[16] = row[1] / (row[23] + 0.10)
    row[17] = _ratio(row[1] - terms[1], sheet[DEPTHS + k])
    row[18] = _ratio(row[1] - terms[1], row[28])
    row[19] = _ratio(row[1] - terms[1], row[29])
    row[27] = _ratio(row[0], row[23])
    row[33] = _ratio(excess, deviation * deviation)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _walk(
    x: cython.double[::1],
    terms: cython.const[cython.double][::1],
    parts: cython.int,
    falls: cython.double[::1],
    d: cython.double[::1],
    sheet: cython.double[::1],
) -> cython.void:
    """Walk through the returns of four lanes."""
    n: cython.Py_ssize_t = x.shape[0] // 4
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    for i in range(SHEET):
        sheet[i] = NAN
    if n == 0:
        return
    _totals(x, n, sheet)
    _won_and_lost(x, n, terms[3], terms[0], sheet)
    _drawdowns(x, n, falls, sheet)
    _moments(x, n, terms[0], d, sheet)
    if parts & EPISODES:
        _episodes(falls, n, sheet)
    if parts & SIGNIFICANCE:
        _significance(d, n, terms[0], terms[2], sheet)
    for k in range(4):
        # Wealth beyond what a float holds has no falls, and their mean is NaN.
        if parts & CDAR and sheet[116 + k] == sheet[116 + k]:
            _cdar(falls, n, k, terms[4], d[:n], d[n : 2 * n], sheet)
        if parts & TAILS:
            _tails(x, n, k, terms[4], d[:n], d[n : 2 * n], sheet)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _measure(
    returns: cython.const[cython.double][:, :],
    spans: cython.const[cython.longlong][:, ::1],
    years: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    parts: cython.int,
    scratch: cython.double[::1],
    out: cython.double[::1],
) -> cython.void:
    """Go from group to group; series of other spans than their neighbors take all four lanes."""
    rows: cython.Py_ssize_t = returns.shape[0]
    place: cython.Py_ssize_t = 16 * rows
    falls: cython.double[::1] = scratch[20 * rows : 24 * rows]
    d: cython.double[::1] = scratch[24 * rows : 28 * rows]
    sheet: cython.double[::1] = scratch[28 * rows :]
    s: cython.Py_ssize_t
    k: cython.Py_ssize_t
    t: cython.Py_ssize_t
    i: cython.Py_ssize_t
    begin: cython.Py_ssize_t
    first: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    for s in range(returns.shape[1]):
        if s % 16 == 0:
            _gather(returns, s, scratch)
        k = s % 4
        begin = 4 * rows * (s // 4 % 4)
        first = spans[0, s]
        stop = spans[1, s]
        if _is_one_span(spans, s - k):
            if k == 0:
                _walk(scratch[begin + 4 * first : begin + 4 * stop], terms, parts, falls, d, sheet)
        else:
            for t in range(stop - first):
                for i in range(4):
                    scratch[place + 4 * t + i] = scratch[begin + 4 * (first + t) + k]
            _walk(scratch[place : place + 4 * (stop - first)], terms, parts, falls, d, sheet)
        _ratios(k, years[s], terms, sheet, out[s * WIDTH : (s + 1) * WIDTH])


def measure(
    returns: cython.const[cython.double][:, :],
    spans: cython.const[cython.longlong][:, ::1],
    years: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    parts: cython.int,
    scratch: cython.double[::1],
    out: cython.double[::1],
) -> None:
    """Write every metric of every series; see the stub."""
    rows: cython.Py_ssize_t = returns.shape[0]
    count: cython.Py_ssize_t = returns.shape[1]
    s: cython.Py_ssize_t
    if spans.shape[0] != 2 or spans.shape[1] != count or years.shape[0] != count:
        raise ValueError(f"spans must be 2 x {count}, and years {count}")
    if terms.shape[0] != TERMS or scratch.shape[0] < SCRATCH_LANES * rows + SCRATCH_MORE:
        raise ValueError(f"expected {TERMS} terms, and scratch of {SCRATCH_LANES} x {rows}")
    if out.shape[0] != count * COLUMNS:
        raise ValueError(f"out must be {count} x {COLUMNS}")
    for s in range(count):
        if not 0 <= spans[0, s] <= spans[1, s] <= rows:
            raise ValueError(f"series {s} does not lie within {rows} returns")
    _measure(returns, spans, years, terms, parts, scratch, out)
