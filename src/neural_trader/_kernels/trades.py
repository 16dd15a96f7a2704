"""Bars from trades: by bin of time, count of trades, volume, or money.

Oracle: ``neural_trader.data.aggregation.reference``; text: ``docs/resampling.md``.

Arrays (C-contiguous): ``codes`` int64 IN, rising, the bin of each trade, or empty where bins are
not by time; ``price`` and ``size`` float64 IN, one a trade; ``last`` int64 OUT, the trade that
closes each bar; ``out`` float64 OUT, rows open, high, low, close, volume, one column a bar.
Directives: prices are positive and finite and sizes finite, which the caller checks; nothing is
divided. The loop runs without the GIL, allocates nothing and raises nothing.
Cost: O(n), one pass; the count of bars by volume or money is a pass of its own.

Order of summation (part of the contract): volume and money are added trade by trade from 0.0, anew
in each bar. A trade is never split: what it has beyond the size of a bar is in the bar it closes.
"""

import cython

BY_TIME = 0
BY_TICK = 1
BY_VOLUME = 2
BY_MONEY = 3
OUT_ROWS = 5


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _walk(
    kind: cython.int,
    limit: cython.double,
    codes: cython.const[cython.longlong][::1],
    price: cython.const[cython.double][::1],
    size: cython.const[cython.double][::1],
    write: cython.bint,
    last: cython.longlong[::1],
    out: cython.double[:, ::1],
) -> cython.Py_ssize_t:
    """Return the number of bars that are complete; write them, and an open one behind them."""
    n: cython.Py_ssize_t = price.shape[0]
    i: cython.Py_ssize_t
    bar: cython.Py_ssize_t = 0
    count: cython.double = 0.0
    volume: cython.double = 0.0
    money: cython.double = 0.0
    reached: cython.double
    first: cython.double = 0.0
    high: cython.double = 0.0
    low: cython.double = 0.0
    is_open: cython.bint = False
    closes: cython.bint
    for i in range(n):
        if not is_open:
            first = price[i]
            high = first
            low = first
            count = 0.0
            volume = 0.0
            money = 0.0
            is_open = True
        if price[i] > high:
            high = price[i]
        if price[i] < low:
            low = price[i]
        count += 1.0
        volume += size[i]
        money += price[i] * size[i]
        if kind == 0:  # by time
            closes = i + 1 == n or codes[i + 1] != codes[i]
        else:
            reached = count
            if kind == 2:  # by volume
                reached = volume
            elif kind == 3:  # by money
                reached = money
            closes = reached >= limit
        if write and (closes or i + 1 == n):
            last[bar] = i
            out[0, bar] = first
            out[1, bar] = high
            out[2, bar] = low
            out[3, bar] = price[i]
            out[4, bar] = volume
        if closes:
            bar += 1
            is_open = False
    return bar


def _check(kind: int, codes: int, price: int, size: int) -> None:
    if not BY_TIME <= kind <= BY_MONEY:
        raise ValueError(f"kind is {kind}; expected 0 to 3")
    if size != price:
        raise ValueError("size must be as long as price")
    if kind == BY_TIME and codes != price:
        raise ValueError("codes must be as long as price")


def count_bars(
    kind: cython.int,
    limit: cython.double,
    codes: cython.const[cython.longlong][::1],
    price: cython.const[cython.double][::1],
    size: cython.const[cython.double][::1],
    last: cython.longlong[::1],
    out: cython.double[:, ::1],
) -> int:
    """Return the number of bars that are complete; see the stub."""
    _check(kind, codes.shape[0], price.shape[0], size.shape[0])
    return _walk(kind, limit, codes, price, size, False, last, out)


def build_bars(
    kind: cython.int,
    limit: cython.double,
    codes: cython.const[cython.longlong][::1],
    price: cython.const[cython.double][::1],
    size: cython.const[cython.double][::1],
    last: cython.longlong[::1],
    out: cython.double[:, ::1],
) -> int:
    """Write the bars and return the number of those that are complete; see the stub."""
    complete: cython.Py_ssize_t
    _check(kind, codes.shape[0], price.shape[0], size.shape[0])
    complete = _walk(kind, limit, codes, price, size, False, last, out)
    if out.shape[0] != OUT_ROWS or out.shape[1] <= complete or last.shape[0] != out.shape[1]:
        raise ValueError(f"out must be {OUT_ROWS} x more than {complete}, and last as long")
    return _walk(kind, limit, codes, price, size, True, last, out)
