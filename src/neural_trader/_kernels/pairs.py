"""Pairs kernel: rolling hedge ratio and z-score, and the decisions that follow from them.

Oracle: ``neural_trader.backtesting.reference``; text: ``docs/semantics.md``, "Pairs".

Arrays (C-contiguous): ``prices`` float64 IN, a row a symbol; ``out`` float64 OUT, rows hedge
ratio, spread, z-score; ``scratch`` float64, any content; ``state`` int64 IN/OUT; ``intents`` int64
OUT, rows bar and leg; ``targets`` float64 OUT.
Directives: no bounds checks and no wraparound, because each public ``def`` checks every length
before its loop and no index is negative; cdivision, because every divisor is made NaN or known to
be positive first. The loops run without the GIL, allocate nothing and raise nothing.
Cost: O(T), about 40 floating-point operations a bar whatever the lookback.

Order of summation (part of the contract; compiled, interpreted and the oracle agree to the bit):
bars are cut into blocks of ``lookback``, counted from bar 0. A window that ends in a block is the
*older* part, in the block before, plus the *newer* part. All values are taken relative to the
block's first bar, which lies in every window that ends in the block. The older part is summed from
its newest bar to its oldest, the newer part from its oldest to its newest, and the total is older +
newer. Nothing is ever subtracted from a sum, so nothing drifts, and a window of equal values has
deviations of exactly zero: "does not move" is decided exactly.
"""

import cython
from cython.cimports.libc.math import floor, sqrt

SCRATCH_ROWS = 5
OUT_ROWS = 3
# Bars of a block whose scores have bounds; sweeps.BOUND_BARS says it to Python.
BLOCK = cython.declare(cython.Py_ssize_t, 16)
INFINITY = cython.declare(cython.double, float("inf"))
NAN = cython.declare(cython.double, float("nan"))


def _check_rows(rows: int, row_y: int, row_x: int) -> None:
    if not (0 <= row_y < rows and 0 <= row_x < rows):
        raise ValueError(f"rows {row_y} and {row_x} of {rows} rows of prices")


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _moments(
    prices: cython.const[cython.double][:, ::1],
    row_y: cython.Py_ssize_t,
    row_x: cython.Py_ssize_t,
    begin: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    lookback: cython.Py_ssize_t,
    nan: cython.double,
    sums: cython.double[:, ::1],
) -> cython.void:
    """Write the five window sums of every bar of the block [begin, stop) into columns of sums."""
    y0: cython.double = prices[row_y, begin]
    x0: cython.double = prices[row_x, begin]
    sy: cython.double = 0.0
    sx: cython.double = 0.0
    sxy: cython.double = 0.0
    sxx: cython.double = 0.0
    syy: cython.double = 0.0
    dy: cython.double
    dx: cython.double
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    if begin == 0:
        # The first block has no block before it: only its last bar ends a whole window.
        for j in range(lookback - 1):
            sums[0, j] = nan
            sums[1, j] = nan
            sums[2, j] = nan
            sums[3, j] = nan
            sums[4, j] = nan
    else:
        for i in range(lookback - 1):
            j = lookback - 2 - i
            dy = prices[row_y, begin - 1 - i] - y0
            dx = prices[row_x, begin - 1 - i] - x0
            sy += dy
            sx += dx
            sxy += dx * dy
            sxx += dx * dx
            syy += dy * dy
            sums[0, j] = sy
            sums[1, j] = sx
            sums[2, j] = sxy
            sums[3, j] = sxx
            sums[4, j] = syy
    for i in range(5):
        sums[i, lookback - 1] = 0.0
    sy = 0.0
    sx = 0.0
    sxy = 0.0
    sxx = 0.0
    syy = 0.0
    for j in range(stop - begin):
        dy = prices[row_y, begin + j] - y0
        dx = prices[row_x, begin + j] - x0
        sy += dy
        sx += dx
        sxy += dx * dy
        sxx += dx * dx
        syy += dy * dy
        sums[0, j] += sy
        sums[1, j] += sx
        sums[2, j] += sxy
        sums[3, j] += sxx
        sums[4, j] += syy


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _hedge_ratios(
    prices: cython.const[cython.double][:, ::1],
    row_y: cython.Py_ssize_t,
    row_x: cython.Py_ssize_t,
    begin: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    weight: cython.double,
    nan: cython.double,
    sums: cython.double[:, ::1],
    out: cython.double[:, ::1],
) -> cython.void:
    """Turn the sums of a block into hedge ratios and spreads; weight is 1 / lookback."""
    j: cython.Py_ssize_t
    sy: cython.double
    sx: cython.double
    varies: cython.double
    ratio: cython.double
    for j in range(stop - begin):
        sy = sums[0, j]
        sx = sums[1, j]
        varies = sums[3, j] - sx * sx * weight
        # A price that does not move gives no hedge ratio: a NaN divisor passes that on.
        varies = varies if varies > 0.0 else nan
        varies = varies if sums[4, j] - sy * sy * weight > 0.0 else nan
        ratio = (sums[2, j] - sx * sy * weight) / varies
        out[0, begin + j] = ratio
    # A loop of its own: with fewer arrays in each, the compiler can tell that they do not overlap.
    for j in range(stop - begin):
        out[1, begin + j] = prices[row_y, begin + j] - out[0, begin + j] * prices[row_x, begin + j]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _scores(
    begin: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    lookback: cython.Py_ssize_t,
    nan: cython.double,
    sums: cython.double[:, ::1],
    out: cython.double[:, ::1],
) -> cython.void:
    """Write the z-scores of the block [begin, stop); a NaN spread spoils just its own windows."""
    s0: cython.double = out[1, begin]
    total: cython.double = 0.0
    squares: cython.double = 0.0
    weight: cython.double = 1.0 / lookback
    freedom: cython.double = 1.0 / (lookback - 1)
    d: cython.double
    variance: cython.double
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    if begin == 0:
        for j in range(stop):
            out[2, j] = nan
        return
    for i in range(lookback - 1):
        j = lookback - 2 - i
        d = out[1, begin - 1 - i] - s0
        total += d
        squares += d * d
        sums[0, j] = total
        sums[1, j] = squares
    sums[0, lookback - 1] = 0.0
    sums[1, lookback - 1] = 0.0
    total = 0.0
    squares = 0.0
    for j in range(stop - begin):
        d = out[1, begin + j] - s0
        total += d
        squares += d * d
        sums[0, j] += total
        sums[1, j] += squares
    for j in range(stop - begin):
        total = sums[0, j]
        variance = (sums[1, j] - total * total * weight) * freedom
        variance = variance if variance > 0.0 else nan
        out[2, begin + j] = (out[1, begin + j] - s0 - total * weight) / sqrt(variance)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _signals(
    prices: cython.const[cython.double][:, ::1],
    row_y: cython.Py_ssize_t,
    row_x: cython.Py_ssize_t,
    lookback: cython.Py_ssize_t,
    nan: cython.double,
    scratch: cython.double[:, ::1],
    out: cython.double[:, ::1],
) -> cython.void:
    weight: cython.double = 1.0 / lookback
    n: cython.Py_ssize_t = prices.shape[1]
    begin: cython.Py_ssize_t = 0
    stop: cython.Py_ssize_t
    while begin < n:
        stop = begin + lookback if begin + lookback < n else n
        _moments(prices, row_y, row_x, begin, stop, lookback, nan, scratch)
        _hedge_ratios(prices, row_y, row_x, begin, stop, weight, nan, scratch, out)
        _scores(begin, stop, lookback, nan, scratch, out)
        begin = stop


def signals(
    prices: cython.const[cython.double][:, ::1],
    row_y: cython.Py_ssize_t,
    row_x: cython.Py_ssize_t,
    lookback: cython.Py_ssize_t,
    scratch: cython.double[:, ::1],
    out: cython.double[:, ::1],
) -> None:
    """Write hedge ratio, spread and z-score of every bar into the rows of ``out``; see the stub."""
    n: cython.Py_ssize_t = prices.shape[1]
    if lookback < 3:
        raise ValueError(f"lookback is {lookback}; expected at least 3")
    _check_rows(prices.shape[0], row_y, row_x)
    if out.shape[0] < OUT_ROWS or out.shape[1] != n:
        raise ValueError(f"out must be {OUT_ROWS} x as many columns as prices")
    if scratch.shape[0] < SCRATCH_ROWS or scratch.shape[1] < lookback:
        raise ValueError(f"scratch must be at least {SCRATCH_ROWS} x lookback")
    _signals(prices, row_y, row_x, lookback, float("nan"), scratch, out)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _bound(
    signals: cython.const[cython.double][:, ::1], bounds: cython.double[:, ::1]
) -> cython.void:
    """Write the highest and the lowest score of every block of bars; an undefined one is none."""
    n: cython.Py_ssize_t = signals.shape[1]
    b: cython.Py_ssize_t
    t: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    high: cython.double
    low: cython.double
    for b in range((n + BLOCK - 1) // BLOCK):
        high = -INFINITY
        low = INFINITY
        stop = (b + 1) * BLOCK if (b + 1) * BLOCK < n else n
        for t in range(b * BLOCK, stop):
            high = signals[2, t] if signals[2, t] > high else high
            low = signals[2, t] if signals[2, t] < low else low
        bounds[0, b] = high
        bounds[1, b] = low


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _next(
    signals: cython.const[cython.double][:, ::1],
    bounds: cython.const[cython.double][:, ::1],
    blocks: cython.Py_ssize_t,
    t: cython.Py_ssize_t,
    n: cython.Py_ssize_t,
    high: cython.double,
    low: cython.double,
) -> cython.Py_ssize_t:
    """Return the first bar from t on whose score is >= high or <= low, or n.

    NaN compares false with everything: an undefined score is neither, and an undefined level is
    never reached. Where blocks have bounds, those that cannot hold such a bar are left out.
    """
    event: cython.longlong
    k: cython.Py_ssize_t
    b: cython.Py_ssize_t
    stop: cython.Py_ssize_t = 0 if blocks > 0 else n
    # A few bars are looked at without branches, because a guess that fails costs more than the
    # comparisons that it spares.
    while t + 8 <= stop:
        event = 0
        for k in range(8):
            event |= (signals[2, t + k] >= high) | (signals[2, t + k] <= low)
        if event:
            break
        t += 8
    while t < n:
        if blocks > 0:
            stop = (t // BLOCK + 1) * BLOCK
            stop = stop if stop < n else n
        while t < stop and not (signals[2, t] >= high or signals[2, t] <= low):
            t += 1
        if t < stop or t == n:
            break
        b = t // BLOCK
        while b < blocks and not (bounds[0, b] >= high or bounds[1, b] <= low):
            b += 1
        t = b * BLOCK if blocks > 0 and b < blocks else n
    return t


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _decide(
    prices: cython.const[cython.double][:, ::1],
    row_y: cython.Py_ssize_t,
    row_x: cython.Py_ssize_t,
    signals: cython.const[cython.double][:, ::1],
    bounds: cython.const[cython.double][:, ::1],
    blocks: cython.Py_ssize_t,
    entry: cython.double,
    exit_: cython.double,
    gross: cython.double,
    once: cython.bint,
    state: cython.longlong[::1],
    intents: cython.longlong[:, ::1],
    targets: cython.double[::1],
) -> cython.Py_ssize_t:
    n: cython.Py_ssize_t = prices.shape[1]
    room: cython.Py_ssize_t = intents.shape[1] - 1
    count: cython.Py_ssize_t = 0
    t: cython.Py_ssize_t = state[0]
    side: cython.longlong = state[1]
    high: cython.double
    low: cython.double
    units_y: cython.double
    units_x: cython.double
    while count < room:
        high = entry if side == 0 else -exit_ if side > 0 else NAN
        low = -entry if side == 0 else NAN if side > 0 else exit_
        t = _next(signals, bounds, blocks, t, n, high, low)
        if t >= n:
            break
        t += 1
        units_y = 0.0
        units_x = 0.0
        if side == 0:
            if not signals[0, t - 1] > 0.0:
                state[2] += 1
                continue
            units_y = floor(
                gross / (prices[row_y, t - 1] + signals[0, t - 1] * prices[row_x, t - 1])
            )
            units_x = floor(signals[0, t - 1] * units_y + 0.5)
            if not (units_y > 0.0 and units_x > 0.0):
                state[3] += 1
                continue
            side = -1 if signals[2, t - 1] > 0.0 else 1
        else:
            side = 0
        intents[0, count] = t - 1
        intents[1, count] = 0
        targets[count] = side * units_y
        intents[0, count + 1] = t - 1
        intents[1, count + 1] = 1
        targets[count + 1] = -side * units_x
        count += 2
        if side == 0 and once:
            break
    state[0] = t
    state[1] = side
    return count


def decide(
    prices: cython.const[cython.double][:, ::1],
    rows: tuple,
    signals: cython.const[cython.double][:, ::1],
    levels: tuple,
    once: cython.bint,
    state: cython.longlong[::1],
    intents: cython.longlong[:, ::1],
    targets: cython.double[::1],
) -> int:
    """Write the decisions from bar ``state[0]`` on as sparse intents; see the stub."""
    row_y: cython.Py_ssize_t = rows[0]
    row_x: cython.Py_ssize_t = rows[1]
    entry: cython.double = levels[0]
    exit_: cython.double = levels[1]
    gross: cython.double = levels[2]
    _check_rows(prices.shape[0], row_y, row_x)
    if signals.shape[0] < OUT_ROWS or signals.shape[1] != prices.shape[1]:
        raise ValueError(f"signals must be {OUT_ROWS} x as many columns as prices")
    if intents.shape[0] < 2 or intents.shape[1] != targets.shape[0] or targets.shape[0] < 4:
        raise ValueError("intents must be 2 x n and targets n long, with n at least 4")
    if state.shape[0] < 4 or state[0] < 0:
        raise ValueError("state must hold 4 numbers, the first not negative")
    return _decide(
        prices, row_y, row_x, signals, signals, 0, entry, exit_, gross, once, state, intents,
        targets,
    )  # fmt: skip
