"""Moving-average kernel: two simple moving averages, and when to be long or flat.

Oracle: ``neural_trader.backtesting.reference``; text: ``docs/semantics.md``, "SMA crossover".

Arrays (C-contiguous): ``prices`` float64 IN, a row a symbol; ``out`` float64 OUT, rows fast and
slow average; ``scratch`` float64, any content; ``state`` int64 IN/OUT; ``intents`` int64 OUT, rows
bar and leg; ``targets`` float64 OUT.
Directives: as in ``pairs``. The loops run without the GIL, allocate nothing and raise nothing.
Cost: O(T) whatever the windows.

Order of summation (part of the contract): blocks of ``window`` bars counted from bar 0, values
relative to the block's first bar, older part + newer part, exactly as in ``pairs``. A price that
does not move has an average equal to itself, so two averages of it are equal, never "above".
"""

import cython
from cython.cimports.libc.math import floor

OUT_ROWS = 2


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _mean(
    prices: cython.const[cython.double][:, ::1],
    row: cython.Py_ssize_t,
    window: cython.Py_ssize_t,
    nan: cython.double,
    older: cython.double[::1],
    out: cython.double[:, ::1],
    to: cython.Py_ssize_t,
) -> cython.void:
    n: cython.Py_ssize_t = prices.shape[1]
    weight: cython.double = 1.0 / window
    begin: cython.Py_ssize_t = 0
    stop: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    origin: cython.double
    total: cython.double
    while begin < n:
        stop = begin + window if begin + window < n else n
        origin = prices[row, begin]
        if begin == 0:
            # The first block has no block before it: only its last bar ends a whole window.
            for j in range(window - 1):
                older[j] = nan
        else:
            total = 0.0
            for i in range(window - 1):
                total += prices[row, begin - 1 - i] - origin
                older[window - 2 - i] = total
        older[window - 1] = 0.0
        total = 0.0
        for j in range(stop - begin):
            total += prices[row, begin + j] - origin
            out[to, begin + j] = origin + (older[j] + total) * weight
        begin = stop


def signals(
    prices: cython.const[cython.double][:, ::1],
    row: cython.Py_ssize_t,
    windows: tuple,
    scratch: cython.double[::1],
    out: cython.double[:, ::1],
) -> None:
    """Write the two moving averages of every bar into the rows of ``out``; see the stub."""
    fast: cython.Py_ssize_t = windows[0]
    slow: cython.Py_ssize_t = windows[1]
    nan: cython.double = float("nan")
    if not 0 <= row < prices.shape[0]:
        raise ValueError(f"row is {row} of {prices.shape[0]} rows of prices")
    if fast < 1 or slow < 1:
        raise ValueError(f"fast is {fast} and slow is {slow}; expected at least 1")
    if out.shape[0] < OUT_ROWS or out.shape[1] != prices.shape[1]:
        raise ValueError(f"out must be {OUT_ROWS} x as many columns as prices")
    if scratch.shape[0] < fast or scratch.shape[0] < slow:
        raise ValueError("scratch must be as long as the longer window")
    _mean(prices, row, fast, nan, scratch, out, 0)
    _mean(prices, row, slow, nan, scratch, out, 1)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _decide(
    prices: cython.const[cython.double][:, ::1],
    row: cython.Py_ssize_t,
    signals: cython.const[cython.double][:, ::1],
    gross: cython.double,
    once: cython.bint,
    state: cython.longlong[::1],
    intents: cython.longlong[:, ::1],
    targets: cython.double[::1],
) -> cython.Py_ssize_t:
    n: cython.Py_ssize_t = prices.shape[1]
    room: cython.Py_ssize_t = intents.shape[1]
    count: cython.Py_ssize_t = 0
    t: cython.Py_ssize_t = state[0]
    side: cython.longlong = state[1]
    units: cython.double
    while t < n and count < room:
        # An undefined average compares false: before the warm-up ends nobody is long.
        if side == 0:
            if signals[0, t] > signals[1, t]:
                units = floor(gross / prices[row, t])
                if units > 0.0:
                    side = 1
                    intents[0, count] = t
                    intents[1, count] = 0
                    targets[count] = units
                    count += 1
                else:
                    state[3] += 1
        elif not signals[0, t] > signals[1, t]:
            side = 0
            intents[0, count] = t
            intents[1, count] = 0
            targets[count] = 0.0
            count += 1
            if once:
                t += 1
                break
        t += 1
    state[0] = t
    state[1] = side
    return count


def decide(
    prices: cython.const[cython.double][:, ::1],
    row: cython.Py_ssize_t,
    signals: cython.const[cython.double][:, ::1],
    gross: cython.double,
    once: cython.bint,
    state: cython.longlong[::1],
    intents: cython.longlong[:, ::1],
    targets: cython.double[::1],
) -> int:
    """Write the decisions from bar ``state[0]`` on as sparse intents; see the stub."""
    if not 0 <= row < prices.shape[0]:
        raise ValueError(f"row is {row} of {prices.shape[0]} rows of prices")
    if signals.shape[0] < OUT_ROWS or signals.shape[1] != prices.shape[1]:
        raise ValueError(f"signals must be {OUT_ROWS} x as many columns as prices")
    if intents.shape[0] < 2 or intents.shape[1] != targets.shape[0] or targets.shape[0] < 2:
        raise ValueError("intents must be 2 x n and targets n long, with n at least 2")
    if state.shape[0] < 4 or state[0] < 0:
        raise ValueError("state must hold 4 numbers, the first not negative")
    return _decide(prices, row, signals, gross, once, state, intents, targets)
