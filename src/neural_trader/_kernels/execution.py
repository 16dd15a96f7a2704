"""Execution kernel: fills sparse intents for any strategy, and marks the ledger at every bar.

Oracle: ``neural_trader.backtesting.reference``; text: ``docs/semantics.md``, "Fills" and "Ledger".

Arrays (C-contiguous): ``prices`` float64 IN, a row a symbol; ``rows`` int64 IN, the row of each
leg; ``intents`` int64 IN, rows bar and leg; ``targets`` float64 IN; ``ledger`` float64 IN/OUT, cash
and then the quantity of each leg; ``counts`` int64 IN/OUT; ``fills`` float64 OUT, rows quantity,
reference price, price, fee, cash afterwards; ``where`` int64 OUT, rows bar and leg.
Directives: no bounds checks and no wraparound, because each public ``def`` checks every shape and
the loops check every bar and leg that they read from an array; cdivision, because the one divisor
(equity) is positive where it divides. The loops run without the GIL, allocate and raise nothing.
Order of summation: equity is cash plus quantity times price, leg by leg in the order of the legs.
Cost: O(intents) to fill, O(bars x legs) to mark.
"""

import cython
from cython.cimports.libc.math import fabs

FILL_ROWS = 5


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _fill(
    prices: cython.const[cython.double][:, ::1],
    rows: cython.const[cython.longlong][::1],
    intents: cython.const[cython.longlong][:, ::1],
    targets: cython.const[cython.double][::1],
    begin: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    fee_rate: cython.double,
    slippage_rate: cython.double,
    ledger: cython.double[::1],
    counts: cython.longlong[::1],
    where: cython.longlong[:, ::1],
    fills: cython.double[:, ::1],
) -> cython.Py_ssize_t:
    n: cython.Py_ssize_t = prices.shape[1]
    legs: cython.Py_ssize_t = rows.shape[0]
    count: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    bar: cython.Py_ssize_t
    leg: cython.Py_ssize_t
    qty: cython.double
    reference: cython.double
    price: cython.double
    fee: cython.double
    for i in range(begin, stop):
        bar = intents[0, i] + 1
        leg = intents[1, i]
        if bar < 1 or leg < 0 or leg >= legs:
            return -1
        if bar >= n:
            # A decision on the last bar never fills.
            counts[0] += 1
            continue
        qty = targets[i] - ledger[1 + leg]
        if qty == 0.0:
            continue
        reference = prices[rows[leg], bar]
        price = reference * (1.0 + slippage_rate if qty > 0.0 else 1.0 - slippage_rate)
        fee = fee_rate * (abs(qty) * price)
        ledger[0] = ledger[0] - qty * price - fee
        ledger[1 + leg] = targets[i]
        where[0, count] = bar
        where[1, count] = leg
        fills[0, count] = qty
        fills[1, count] = reference
        fills[2, count] = price
        fills[3, count] = fee
        fills[4, count] = ledger[0]
        count += 1
    return count


def fill(
    prices: cython.const[cython.double][:, ::1],
    rows: cython.const[cython.longlong][::1],
    intents: cython.const[cython.longlong][:, ::1],
    targets: cython.const[cython.double][::1],
    span: tuple,
    costs: tuple,
    ledger: cython.double[::1],
    counts: cython.longlong[::1],
    where: cython.longlong[:, ::1],
    fills: cython.double[:, ::1],
) -> int:
    """Fill the intents ``span[0]`` to ``span[1] - 1``; see the stub."""
    legs: cython.Py_ssize_t = rows.shape[0]
    begin: cython.Py_ssize_t = span[0]
    stop: cython.Py_ssize_t = span[1]
    fee_rate: cython.double = costs[0]
    slippage_rate: cython.double = costs[1]
    leg: cython.Py_ssize_t
    count: cython.Py_ssize_t
    for leg in range(legs):
        if rows[leg] < 0 or rows[leg] >= prices.shape[0]:
            raise ValueError(f"leg {leg} is row {rows[leg]} of {prices.shape[0]} rows of prices")
    if intents.shape[0] < 2 or intents.shape[1] != targets.shape[0]:
        raise ValueError("intents must be 2 x n and targets n long")
    if not 0 <= begin <= stop <= targets.shape[0]:
        raise ValueError(f"span is {begin} to {stop}; there are {targets.shape[0]} intents")
    if ledger.shape[0] != legs + 1 or counts.shape[0] < 1:
        raise ValueError("ledger must hold cash and every leg, counts a number")
    if where.shape[0] < 2 or fills.shape[0] < FILL_ROWS:
        raise ValueError(f"where must have 2 rows and fills {FILL_ROWS}")
    if where.shape[1] < stop - begin or fills.shape[1] < stop - begin:
        raise ValueError("where and fills must have room for every intent")
    count = _fill(
        prices,
        rows,
        intents,
        targets,
        begin,
        stop,
        fee_rate,
        slippage_rate,
        ledger,
        counts,
        where,
        fills,
    )
    if count < 0:
        raise ValueError("an intent names a bar or a leg that does not exist")
    return count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _two_legs(
    a: cython.const[cython.double][:, ::1],
    rows: cython.const[cython.longlong][::1],
    ledger: cython.double[::1],
    t: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    first: cython.Py_ssize_t,
    peak: cython.double,
    equity: cython.double[::1],
) -> cython.Py_ssize_t:
    """Value two legs in blocks; return the first bar of one with a new peak or ruin, or its end."""
    y: cython.Py_ssize_t = rows[0]
    x: cython.Py_ssize_t = rows[1]
    cash: cython.double = ledger[0]
    qty_y: cython.double = ledger[1]
    qty_x: cython.double = ledger[2]
    k: cython.Py_ssize_t
    event: cython.longlong
    value_y: cython.double
    value_x: cython.double
    value: cython.double
    # A block has one branch, at its end, instead of two at every bar.
    while t + 8 <= stop:
        event = 0
        for k in range(8):
            value_y = qty_y * a[y, t + k]
            value_x = qty_x * a[x, t + k]
            value = cash + value_y + value_x
            equity[t + k - first] = value
            event |= (value <= 0.0) | (fabs(value_y) + fabs(value_x) > peak * value)
        if event:
            return t
        t += 8
    return t


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _mark(
    prices: cython.const[cython.double][:, ::1],
    rows: cython.const[cython.longlong][::1],
    where: cython.const[cython.longlong][:, ::1],
    fills: cython.const[cython.double][:, ::1],
    first: cython.Py_ssize_t,
    ledger: cython.double[::1],
    equity: cython.double[::1],
    peak: cython.double[::1],
) -> cython.Py_ssize_t:
    n: cython.Py_ssize_t = prices.shape[1]
    legs: cython.Py_ssize_t = rows.shape[0]
    count: cython.Py_ssize_t = where.shape[1]
    i: cython.Py_ssize_t = 0
    t: cython.Py_ssize_t = first
    stop: cython.Py_ssize_t
    block: cython.Py_ssize_t
    leg: cython.Py_ssize_t
    held: cython.Py_ssize_t
    value: cython.double
    gross: cython.double
    signed: cython.double
    while t < n:
        while i < count and where[0, i] <= t:
            leg = where[1, i]
            ledger[1 + leg] += fills[0, i]
            ledger[0] = fills[4, i]
            i += 1
        stop = where[0, i] if i < count else n
        held = 0
        for leg in range(legs):
            if ledger[1 + leg] != 0.0:
                held += 1
        if held == 0:
            if ledger[0] <= 0.0:
                equity[t - first] = ledger[0]
                return t
            while t < stop:
                equity[t - first] = ledger[0]
                t += 1
            continue
        while t < stop:
            if legs == 2:
                t = _two_legs(prices, rows, ledger, t, stop, first, peak[0], equity)
            block = t + 8 if t + 8 < stop else stop
            while t < block:
                value = ledger[0]
                gross = 0.0
                for leg in range(legs):
                    signed = ledger[1 + leg] * prices[rows[leg], t]
                    value += signed
                    gross += fabs(signed)
                equity[t - first] = value
                if value <= 0.0:
                    return t
                # Multiplied out, so that a division is paid for only where the peak moves.
                if gross > peak[0] * value:
                    peak[0] = gross / value
                    peak[1] = t
                t += 1
    return n


def mark(
    prices: cython.const[cython.double][:, ::1],
    rows: cython.const[cython.longlong][::1],
    where: cython.const[cython.longlong][:, ::1],
    fills: cython.const[cython.double][:, ::1],
    first: cython.Py_ssize_t,
    ledger: cython.double[::1],
    equity: cython.double[::1],
    peak: cython.double[::1],
) -> int:
    """Write equity at every bar from ``first`` on; return the bar of ruin or T; see the stub."""
    n: cython.Py_ssize_t = prices.shape[1]
    legs: cython.Py_ssize_t = rows.shape[0]
    count: cython.Py_ssize_t = where.shape[1]
    i: cython.Py_ssize_t
    leg: cython.Py_ssize_t
    for leg in range(legs):
        if rows[leg] < 0 or rows[leg] >= prices.shape[0]:
            raise ValueError(f"leg {leg} is row {rows[leg]} of {prices.shape[0]} rows of prices")
    if not 0 <= first <= n or equity.shape[0] != n - first:
        raise ValueError("equity must hold one number for every bar from first on")
    if where.shape[0] < 2 or fills.shape[0] < FILL_ROWS or ledger.shape[0] != legs + 1:
        raise ValueError("where, fills and ledger must have the shapes that fill() takes")
    if fills.shape[1] != count or peak.shape[0] < 2:
        raise ValueError("where and fills must be equally long, and peak must hold 2 numbers")
    for i in range(count):
        if not 0 <= where[1, i] < legs or where[0, i] < first or where[0, i] >= n:
            raise ValueError(f"fill {i} is at bar {where[0, i]}, leg {where[1, i]}")
        if i > 0 and where[0, i] < where[0, i - 1]:
            raise ValueError(f"fill {i} is earlier than the fill before it")
    return _mark(prices, rows, where, fills, first, ledger, equity, peak)
