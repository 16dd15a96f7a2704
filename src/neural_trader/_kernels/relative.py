"""Relative kernel: every metric of many series of returns against one benchmark.

Oracle: ``neural_trader.portfolio.reference``; text: ``docs/metrics.md``.

Arrays as in ``performance``, whose ``out`` this one completes: mean, range and Sharpe ratio come
from it. ``benchmark`` float64 IN, as long as a series. Four series walk through time side by side,
see ``lanes``. Directives: as in ``pairs``. The loops run without the GIL, allocate nothing and
raise nothing. Cost: O(n) a series; what is the benchmark's own is summed once for series of one
span.

Order of summation (part of the contract): first return to last.
"""

import cython
from cython.cimports.libc.math import pow as power
from cython.cimports.libc.math import sqrt
from cython.cimports.neural_trader._kernels.lanes import _gather, _is_one_span

TERMS = 5
COLUMNS = 47
SCRATCH_LANES = 20
SCRATCH_MORE = 48

NAN = cython.declare(cython.double, float("nan"))
NOISE = cython.declare(cython.double, 1e-13)
WIDTH = cython.declare(cython.Py_ssize_t, 47)
CAPTURES = cython.declare(cython.int, 16)
# What a sheet holds: four lanes each of these sums, and then the benchmark's own.
BOTH = cython.declare(cython.Py_ssize_t, 0)
SQUARE_X = cython.declare(cython.Py_ssize_t, 4)
SQUARE_A = cython.declare(cython.Py_ssize_t, 8)
APART = cython.declare(cython.Py_ssize_t, 12)
LEAST = cython.declare(cython.Py_ssize_t, 16)
MOST = cython.declare(cython.Py_ssize_t, 20)
UP = cython.declare(cython.Py_ssize_t, 24)
DOWN = cython.declare(cython.Py_ssize_t, 28)
MEAN_B = cython.declare(cython.Py_ssize_t, 32)
SQUARE_B = cython.declare(cython.Py_ssize_t, 33)
RANGE_B = cython.declare(cython.Py_ssize_t, 34)
UPS = cython.declare(cython.Py_ssize_t, 35)
UP_B = cython.declare(cython.Py_ssize_t, 36)
DOWNS = cython.declare(cython.Py_ssize_t, 37)
DOWN_B = cython.declare(cython.Py_ssize_t, 38)
MEANS = cython.declare(cython.Py_ssize_t, 40)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _of_benchmark(b: cython.const[cython.double][::1], sheet: cython.double[::1]) -> cython.void:
    """Write what is the benchmark's own."""
    n: cython.Py_ssize_t = b.shape[0]
    t: cython.Py_ssize_t
    m: cython.double
    total: cython.double = 0.0
    squares: cython.double = 0.0
    low: cython.double = b[0]
    high: cython.double = b[0]
    ups: cython.double = 0.0
    downs: cython.double = 0.0
    up: cython.double = 1.0
    down: cython.double = 1.0
    for t in range(n):
        m = b[t]
        total += m
        low = m if m < low else low
        high = m if m > high else high
        ups += 1.0 if m > 0.0 else 0.0
        up *= 1.0 + m if m > 0.0 else 1.0
        downs += 1.0 if m < 0.0 else 0.0
        down *= 1.0 + m if m < 0.0 else 1.0
    total /= n
    for t in range(n):
        m = b[t] - total
        squares += m * m
    sheet[MEAN_B] = total
    sheet[SQUARE_B] = squares
    sheet[RANGE_B] = high - low
    sheet[UPS] = ups
    sheet[UP_B] = up
    sheet[DOWNS] = downs
    sheet[DOWN_B] = down


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _apart(
    x: cython.double[::1], b: cython.const[cython.double][::1], sheet: cython.double[::1]
) -> cython.void:
    """Write the mean of what a series is beyond the benchmark, and its range."""
    n: cython.Py_ssize_t = b.shape[0]
    t: cython.Py_ssize_t
    k: cython.Py_ssize_t
    m: cython.double
    a: cython.double
    total = cython.declare(cython.double[4])
    least = cython.declare(cython.double[4])
    most = cython.declare(cython.double[4])
    for k in range(4):
        total[k] = 0.0
        least[k] = most[k] = x[k] - b[0]
    for t in range(n):
        m = b[t]
        for k in range(4):
            a = x[4 * t + k] - m
            total[k] += a
            least[k] = a if a < least[k] else least[k]
            most[k] = a if a > most[k] else most[k]
    for k in range(4):
        sheet[APART + k] = total[k] / n
        sheet[LEAST + k] = least[k]
        sheet[MOST + k] = most[k]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _together(
    x: cython.double[::1], b: cython.const[cython.double][::1], sheet: cython.double[::1]
) -> cython.void:
    """Write the sums of products about the means."""
    n: cython.Py_ssize_t = b.shape[0]
    t: cython.Py_ssize_t
    k: cython.Py_ssize_t
    m: cython.double
    v: cython.double
    d: cython.double
    a: cython.double
    both = cython.declare(cython.double[4])
    square_x = cython.declare(cython.double[4])
    square_a = cython.declare(cython.double[4])
    mean = cython.declare(cython.double[4])
    apart = cython.declare(cython.double[4])
    for k in range(4):
        both[k] = square_x[k] = square_a[k] = 0.0
        mean[k] = sheet[MEANS + k]
        apart[k] = sheet[APART + k]
    for t in range(n):
        m = b[t]
        v = m - sheet[MEAN_B]
        for k in range(4):
            d = x[4 * t + k] - mean[k]
            a = x[4 * t + k] - m - apart[k]
            both[k] += d * v
            square_x[k] += d * d
            square_a[k] += a * a
    for k in range(4):
        sheet[BOTH + k] = both[k]
        sheet[SQUARE_X + k] = square_x[k]
        sheet[SQUARE_A + k] = square_a[k]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _captured(
    x: cython.double[::1], b: cython.const[cython.double][::1], sheet: cython.double[::1]
) -> cython.void:
    """Write what series made of the periods in which the benchmark rose, and fell."""
    t: cython.Py_ssize_t
    k: cython.Py_ssize_t
    m: cython.double
    up = cython.declare(cython.double[4])
    down = cython.declare(cython.double[4])
    for k in range(4):
        up[k] = down[k] = 1.0
    for t in range(b.shape[0]):
        m = b[t]
        for k in range(4):
            up[k] *= 1.0 + x[4 * t + k] if m > 0.0 else 1.0
            down[k] *= 1.0 + x[4 * t + k] if m < 0.0 else 1.0
    for k in range(4):
        sheet[UP + k] = up[k]
        sheet[DOWN + k] = down[k]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _capture(ours: cython.double, theirs: cython.double, count: cython.double) -> cython.double:
    market: cython.double
    if not (count > 0.0 and ours > 0.0 and theirs > 0.0):
        return NAN
    market = power(theirs, 1.0 / count) - 1.0
    return (power(ours, 1.0 / count) - 1.0) / market if market != 0.0 else NAN


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _relations(
    n: cython.Py_ssize_t,
    k: cython.Py_ssize_t,
    terms: cython.const[cython.double][::1],
    parts: cython.int,
    sheet: cython.double[::1],
    row: cython.double[::1],
) -> cython.void:
    """Write a lane's figures into its row."""
    p: cython.double = terms[0]
    root: cython.double = sqrt(p)
    excess: cython.double = row[2] - terms[2]
    both: cython.double = sheet[BOTH + k]
    moves: cython.bint = sheet[RANGE_B] > NOISE
    error: cython.double = 0.0
    beta: cython.double = NAN
    if sheet[MOST + k] - sheet[LEAST + k] > NOISE:
        error = sqrt(sheet[SQUARE_A + k] / (n - 1))
    if moves:
        beta = both / sheet[SQUARE_B]
    row[38] = beta
    row[39] = (excess - beta * (sheet[MEAN_B] - terms[2])) * p
    if moves and row[7] - row[8] > NOISE:
        row[40] = both * both / (sheet[SQUARE_B] * sheet[SQUARE_X + k])
    row[41] = error * root if n > 1 else NAN
    row[42] = sheet[APART + k] / error * root if error > 0.0 else NAN
    row[43] = terms[1] + row[13] * (sqrt(sheet[SQUARE_B] / (n - 1)) * root if moves else NAN)
    row[44] = excess * p / beta if beta != 0.0 else NAN
    if parts & CAPTURES:
        row[45] = _capture(sheet[UP + k], sheet[UP_B], sheet[UPS])
        row[46] = _capture(sheet[DOWN + k], sheet[DOWN_B], sheet[DOWNS])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _walk(
    x: cython.double[::1],
    b: cython.const[cython.double][::1],
    parts: cython.int,
    sheet: cython.double[::1],
) -> cython.void:
    """Walk through the returns of four lanes."""
    _apart(x, b, sheet)
    _together(x, b, sheet)
    if parts & CAPTURES:
        _captured(x, b, sheet)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _measure(
    returns: cython.const[cython.double][:, :],
    spans: cython.const[cython.longlong][:, ::1],
    benchmark: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    parts: cython.int,
    scratch: cython.double[::1],
    out: cython.double[::1],
) -> cython.void:
    """Go from group to group; series of other spans than their neighbors take all four lanes."""
    rows: cython.Py_ssize_t = returns.shape[0]
    count: cython.Py_ssize_t = returns.shape[1]
    place: cython.Py_ssize_t = 16 * rows
    sheet: cython.double[::1] = scratch[20 * rows :]
    s: cython.Py_ssize_t
    k: cython.Py_ssize_t
    t: cython.Py_ssize_t
    i: cython.Py_ssize_t
    begin: cython.Py_ssize_t
    length: cython.Py_ssize_t
    first: cython.Py_ssize_t = -1
    stop: cython.Py_ssize_t = -1
    for s in range(count):
        if s % 16 == 0:
            _gather(returns, s, scratch)
        k = s % 4
        begin = 4 * rows * (s // 4 % 4)
        if spans[0, s] != first or spans[1, s] != stop:
            first = spans[0, s]
            stop = spans[1, s]
            if first < stop:
                _of_benchmark(benchmark[first:stop], sheet)
        length = stop - first
        if length == 0:
            continue
        if _is_one_span(spans, s - k):
            if k == 0:
                for i in range(4):
                    t = s + i if s + i < count else count - 1
                    sheet[MEANS + i] = out[t * WIDTH + 2]
                _walk(
                    scratch[begin + 4 * first : begin + 4 * stop],
                    benchmark[first:stop],
                    parts,
                    sheet,
                )
        else:
            for t in range(length):
                for i in range(4):
                    scratch[place + 4 * t + i] = scratch[begin + 4 * (first + t) + k]
            for i in range(4):
                sheet[MEANS + i] = out[s * WIDTH + 2]
            _walk(scratch[place : place + 4 * length], benchmark[first:stop], parts, sheet)
        _relations(length, k, terms, parts, sheet, out[s * WIDTH : (s + 1) * WIDTH])


def measure(
    returns: cython.const[cython.double][:, :],
    spans: cython.const[cython.longlong][:, ::1],
    benchmark: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    parts: cython.int,
    scratch: cython.double[::1],
    out: cython.double[::1],
) -> None:
    """Write every relative metric of every series; see the stub."""
    rows: cython.Py_ssize_t = returns.shape[0]
    count: cython.Py_ssize_t = returns.shape[1]
    s: cython.Py_ssize_t
    if spans.shape[0] != 2 or spans.shape[1] != count or benchmark.shape[0] != rows:
        raise ValueError(f"expected spans of 2 x {count}, and a benchmark of {rows} returns")
    if terms.shape[0] != TERMS or out.shape[0] != count * COLUMNS:
        raise ValueError(f"expected {TERMS} terms, and out of {count} x {COLUMNS}")
    if scratch.shape[0] < SCRATCH_LANES * rows + SCRATCH_MORE:
        raise ValueError(f"expected scratch of {SCRATCH_LANES} x {rows} + {SCRATCH_MORE}")
    for s in range(count):
        if not 0 <= spans[0, s] <= spans[1, s] <= rows:
            raise ValueError(f"series {s} does not lie within {rows} returns")
    _measure(returns, spans, benchmark, terms, parts, scratch, out)
