"""Relative kernel: every metric of many series of returns against one benchmark.

Oracle: ``neural_trader.portfolio.reference``; text: ``docs/metrics.md``.

Arrays as in ``performance``, whose ``out`` this one completes: mean and Sharpe ratio come from it.
``benchmark`` float64 IN, as long as a series. Directives: as in ``pairs``. The loops run without
the GIL, allocate nothing and raise nothing. Cost: O(n) a series.

Order of summation (part of the contract): first return to last.
"""

import cython
from cython.cimports.libc.math import pow as power
from cython.cimports.libc.math import sqrt

TERMS = 5
COLUMNS = 47

NAN = cython.declare(cython.double, float("nan"))
NOISE = cython.declare(cython.double, 1e-13)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _captures(
    x: cython.const[cython.double][::1],
    b: cython.const[cython.double][::1],
    out: cython.double[::1],
) -> cython.void:
    """Write what a series made of the periods in which the benchmark rose, and fell."""
    t: cython.Py_ssize_t
    m: cython.double
    ups: cython.double = 0.0
    downs: cython.double = 0.0
    up: cython.double = 1.0
    up_b: cython.double = 1.0
    down: cython.double = 1.0
    down_b: cython.double = 1.0
    for t in range(x.shape[0]):
        m = b[t]
        ups += 1.0 if m > 0.0 else 0.0
        up *= 1.0 + x[t] if m > 0.0 else 1.0
        up_b *= 1.0 + m if m > 0.0 else 1.0
        downs += 1.0 if m < 0.0 else 0.0
        down *= 1.0 + x[t] if m < 0.0 else 1.0
        down_b *= 1.0 + m if m < 0.0 else 1.0
    out[45] = _capture(up, up_b, ups)
    out[46] = _capture(down, down_b, downs)


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
def _relative(
    x: cython.const[cython.double][::1],
    b: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    out: cython.double[::1],
) -> cython.void:
    """Write a series against its benchmark."""
    n: cython.Py_ssize_t = x.shape[0]
    t: cython.Py_ssize_t
    p: cython.double = terms[0]
    root: cython.double = sqrt(p)
    mean: cython.double = out[2]
    excess: cython.double = mean - terms[2]
    a: cython.double
    d: cython.double
    v: cython.double
    total: cython.double = 0.0
    apart: cython.double = 0.0
    least: cython.double = x[0] - b[0]
    most: cython.double = x[0] - b[0]
    low: cython.double = b[0]
    high: cython.double = b[0]
    both: cython.double = 0.0
    square_b: cython.double = 0.0
    square_x: cython.double = 0.0
    square_a: cython.double = 0.0
    error: cython.double
    beta: cython.double
    moves: cython.bint
    for t in range(n):
        v = b[t]
        a = x[t] - v
        total += v
        apart += a
        low = v if v < low else low
        high = v if v > high else high
        least = a if a < least else least
        most = a if a > most else most
    total /= n
    apart /= n
    for t in range(n):
        d = x[t] - mean
        v = b[t] - total
        a = x[t] - b[t] - apart
        both += d * v
        square_b += v * v
        square_x += d * d
        square_a += a * a
    moves = high - low > NOISE
    error = sqrt(square_a / (n - 1)) if most - least > NOISE else 0.0
    beta = both / square_b if moves else NAN
    out[38] = beta
    out[39] = (excess - beta * (total - terms[2])) * p
    if moves and out[7] - out[8] > NOISE:
        out[40] = both * both / (square_b * square_x)
    out[41] = error * root if n > 1 else NAN
    out[42] = apart / error * root if error > 0.0 else NAN
    out[43] = terms[1] + out[13] * (sqrt(square_b / (n - 1)) * root if moves else NAN)
    out[44] = excess * p / beta if beta != 0.0 else NAN


def measure(
    returns: cython.const[cython.double][::1],
    spans: cython.const[cython.longlong][:, ::1],
    benchmark: cython.const[cython.double][::1],
    terms: cython.const[cython.double][::1],
    out: cython.double[::1],
) -> None:
    """Write every relative metric of every series; see the stub."""
    rows: cython.Py_ssize_t = spans.shape[1]
    columns: cython.Py_ssize_t = benchmark.shape[0]
    row: cython.Py_ssize_t
    begin: cython.Py_ssize_t
    first: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    if spans.shape[0] != 2 or returns.shape[0] != rows * columns:
        raise ValueError(f"expected {rows} series as long as the benchmark, {columns} returns")
    if terms.shape[0] != TERMS or out.shape[0] != rows * COLUMNS:
        raise ValueError(f"expected {TERMS} terms, and out of {rows} x {COLUMNS}")
    for row in range(rows):
        if not 0 <= spans[0, row] <= spans[1, row] <= columns:
            raise ValueError(f"series {row} does not lie within {columns} returns")
    for row in range(rows):
        first = spans[0, row]
        stop = spans[1, row]
        begin = row * columns
        if first < stop:
            _relative(
                returns[begin + first : begin + stop],
                benchmark[first:stop],
                terms,
                out[row * COLUMNS : (row + 1) * COLUMNS],
            )
            _captures(
                returns[begin + first : begin + stop],
                benchmark[first:stop],
                out[row * COLUMNS : (row + 1) * COLUMNS],
            )
