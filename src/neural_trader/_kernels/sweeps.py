"""Sweep kernel: many trials of one strategy on the same signals, each run whole without Python.

Oracle: ``neural_trader.backtesting.backtest`` of each trial; text: ``docs/sweeps.md``.

A trial is what a run is: the strategy's kernel decides, the execution kernel fills and marks, here
only put together, and the figures of the equity are summed up. Trials that share their signals come
in one call. Arrays (C-contiguous): ``prices`` and ``fills_at`` float64 IN (S, T), ``rows`` int64
IN, row of each leg; ``signals`` float64 IN, as the strategy's kernel wrote them; ``levels`` float64
IN (trials, levels), each a trial's parameters and then its size; ``ends`` int64 IN, the last bar of
every session; ``figures`` float64 OUT (trials, FIGURES).
Directives: no bounds checks and no wraparound, because every shape is checked before the loop and
the scratch arrays hold the most intents that a run can make; cdivision, because equity is positive
where it divides. The loop runs without the GIL: trials run on as many threads as call it.
Order of summation: equity is cash plus the first leg plus the second; returns in the order of time.
"""

import cython
from cython.cimports.libc.math import fabs
from cython.cimports.neural_trader._kernels.execution import _fill
from cython.cimports.neural_trader._kernels.pairs import _bound
from cython.cimports.neural_trader._kernels.pairs import _decide as _decide_pairs
from cython.cimports.neural_trader._kernels.sma_cross import _decide as _decide_sma

FIGURES = 12
STATE_SIZE = 4
BOUND_BARS = 16
NAN = cython.declare(cython.double, float("nan"))
PAIRS = cython.declare(cython.int, 0)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _value(
    prices: cython.const[cython.double][:, ::1],
    rows: cython.const[cython.longlong][::1],
    where: cython.const[cython.longlong][:, ::1],
    fills: cython.const[cython.double][:, ::1],
    count: cython.Py_ssize_t,
    first: cython.Py_ssize_t,
    capital: cython.double,
    keep: cython.bint,
    equity: cython.double[::1],
    figures: cython.double[::1],
) -> cython.Py_ssize_t:
    """Value the account at every bar, and sum up what a run's metrics are made of.

    Returns the bar of ruin, or T. Bars without a position are passed over, since equity does not
    move there; ``keep`` writes equity down at all of them. Equity is that of the execution kernel,
    to the bit.
    """
    n: cython.Py_ssize_t = prices.shape[1]
    y: cython.Py_ssize_t = rows[0]
    # One leg is two, of which the second is never held: it adds exactly nothing.
    x: cython.Py_ssize_t = rows[rows.shape[0] - 1]
    i: cython.Py_ssize_t = 0
    t: cython.Py_ssize_t = first
    stop: cython.Py_ssize_t
    flat_to: cython.Py_ssize_t
    trades: cython.Py_ssize_t = 0
    seen: cython.Py_ssize_t = 0
    cash: cython.double = capital
    qty_y: cython.double = 0.0
    qty_x: cython.double = 0.0
    was_flat: cython.bint = True
    value_y: cython.double
    value_x: cython.double
    value: cython.double = capital
    before: cython.double = capital
    change: cython.double
    total: cython.double = 0.0
    squares: cython.double = 0.0
    best: cython.double = -1.0
    worst: cython.double = 1e300
    leverage: cython.double = 0.0
    peak: cython.double = capital
    drawdown: cython.double = 0.0
    low: cython.double = capital
    while t < n:
        while i < count and where[0, i] <= t:
            if where[1, i] == 0:
                qty_y += fills[0, i]
            else:
                qty_x += fills[0, i]
            cash = fills[4, i]
            i += 1
        stop = where[0, i] if i < count else n
        flat_to = 0
        if qty_y == 0.0 and qty_x == 0.0:
            # Of a time without a position only the first bar may differ from the one before.
            flat_to = stop
            stop = t + 1
            was_flat = True
        elif was_flat:
            trades += 1
            was_flat = False
        seen += stop - t
        while t < stop:
            value_y = qty_y * prices[y, t]
            value_x = qty_x * prices[x, t]
            value = cash + value_y + value_x
            change = value / before - 1.0
            before = value
            total += change
            squares += change * change
            # What follows is rare, but for the comparisons.
            if fabs(value_y) + fabs(value_x) > leverage * value:
                if value > 0.0:
                    leverage = (fabs(value_y) + fabs(value_x)) / value
                    figures[4] = t
            if value > peak:
                peak = value
                low = peak - drawdown * peak
            elif value < low and (peak - value) / peak > drawdown:
                drawdown = (peak - value) / peak
                low = value
            best = change if change > best else best
            worst = change if change < worst else worst
            if keep:
                equity[t - first] = value
            if value <= 0.0:
                n = t
                break
            t += 1
        if flat_to > t and n > t:
            if keep:
                equity[t - first : flat_to - first] = value
            t = flat_to
    figures[0] = trades
    figures[2] = value
    figures[3] = leverage
    figures[10] = drawdown
    # Bars that were passed over have a change of 0, as has the first one.
    if seen < prices.shape[1] - first:
        best = best if best > 0.0 else 0.0
        worst = worst if worst < 0.0 else 0.0
    stop = n + 1 if n < prices.shape[1] else n
    _write_returns(total, squares, best - worst, stop - first - 1, figures)
    return n


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _write_returns(
    total: cython.double,
    squares: cython.double,
    spread: cython.double,
    count: cython.Py_ssize_t,
    figures: cython.double[::1],
) -> cython.void:
    """Write mean, variance and range of ``count`` returns."""
    figures[7] = NAN
    figures[8] = NAN
    figures[9] = NAN
    if count > 1:
        figures[7] = total / count
        figures[8] = (squares - total * figures[7]) / (count - 1)
        figures[9] = spread


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _sum_sessions(
    equity: cython.const[cython.double][::1],
    ends: cython.const[cython.longlong][::1],
    bars: cython.Py_ssize_t,
    figures: cython.double[::1],
) -> cython.void:
    """Write mean, variance and range of the returns from session to session."""
    count: cython.Py_ssize_t = ends.shape[0]
    i: cython.Py_ssize_t
    change: cython.double
    total: cython.double = 0.0
    squares: cython.double = 0.0
    best: cython.double = -1.0
    worst: cython.double = 1e300
    while count > 0 and ends[count - 1] >= bars:
        count -= 1
    for i in range(1, count):
        change = equity[ends[i]] / equity[ends[i - 1]] - 1.0
        total += change
        squares += change * change
        best = change if change > best else best
        worst = change if change < worst else worst
    _write_returns(total, squares, best - worst, count - 1, figures)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _trial(
    kind: cython.int,
    prices: cython.const[cython.double][:, ::1],
    fills_at: cython.const[cython.double][:, ::1],
    rows: cython.const[cython.longlong][::1],
    signals: cython.const[cython.double][:, ::1],
    bounds: cython.const[cython.double][:, ::1],
    levels: cython.const[cython.double][::1],
    of_equity: cython.bint,
    first: cython.Py_ssize_t,
    capital: cython.double,
    fee_rate: cython.double,
    slippage_rate: cython.double,
    ends: cython.const[cython.longlong][::1],
    state: cython.longlong[::1],
    intents: cython.longlong[:, ::1],
    targets: cython.double[::1],
    where: cython.longlong[:, ::1],
    fills: cython.double[:, ::1],
    ledger: cython.double[::1],
    equity: cython.double[::1],
    figures: cython.double[::1],
) -> cython.void:
    """Run one trial and write its figures."""
    n: cython.Py_ssize_t = prices.shape[1]
    legs: cython.Py_ssize_t = rows.shape[0]
    filled: cython.Py_ssize_t = 0
    made: cython.Py_ssize_t
    ruin: cython.Py_ssize_t
    daily: cython.bint
    money: cython.double
    # The fifth number counts the intents of the last bar, which never fill.
    state[:5] = 0
    state[0] = first
    ledger[: 1 + legs] = 0.0
    ledger[0] = capital
    while state[0] < n:
        money = levels[2] * ledger[0] if of_equity else levels[2]
        if kind == PAIRS:
            made = _decide_pairs(
                prices, rows[0], rows[1], signals, bounds, bounds.shape[1], levels[0],
                levels[1], money, of_equity, state, intents, targets,
            )  # fmt: skip
        else:
            made = _decide_sma(prices, rows[0], signals, money, of_equity, state, intents, targets)
        filled += _fill(
            fills_at, rows, intents, targets, 0, made, fee_rate, slippage_rate,
            ledger, state[4:], where[:, filled:], fills[:, filled:],
        )  # fmt: skip
    figures[4] = 0.0
    daily = ends.shape[0] == n - first
    ruin = _value(
        prices, rows, where, fills, filled, first, capital, not daily, equity, figures
    )  # fmt: skip
    if ruin < n:
        # Nothing after the ruin is counted: neither bars nor fills.
        while filled > 0 and where[0, filled - 1] > ruin:
            filled -= 1
        n = ruin + 1
    if not daily:
        _sum_sessions(equity, ends, n - first, figures)
    figures[1] = filled
    figures[5] = 1.0 if ruin < prices.shape[1] else 0.0
    figures[6] = state[4]
    figures[11] = n - first


def run(
    kind: cython.int,
    market: tuple,
    account: tuple,
    levels: cython.const[cython.double][:, ::1],
    scratch: tuple,
    figures: cython.double[:, ::1],
) -> None:
    """Run the trials of ``levels`` and write a row of figures for each; see the stub."""
    prices: cython.const[cython.double][:, ::1] = market[0]
    fills_at: cython.const[cython.double][:, ::1] = market[1]
    rows: cython.const[cython.longlong][::1] = market[2]
    signals: cython.const[cython.double][:, ::1] = market[3]
    ends: cython.const[cython.longlong][::1] = market[4]
    first: cython.Py_ssize_t = account[0]
    capital: cython.double = account[1]
    fee_rate: cython.double = account[2]
    slippage_rate: cython.double = account[3]
    of_equity: cython.bint = account[4]
    state: cython.longlong[::1] = scratch[0]
    intents: cython.longlong[:, ::1] = scratch[1]
    targets: cython.double[::1] = scratch[2]
    where: cython.longlong[:, ::1] = scratch[3]
    fills: cython.double[:, ::1] = scratch[4]
    ledger: cython.double[::1] = scratch[5]
    equity: cython.double[::1] = scratch[6]
    bounds: cython.double[:, ::1] = scratch[7]
    n: cython.Py_ssize_t = prices.shape[1]
    legs: cython.Py_ssize_t = rows.shape[0]
    # Every leg may change at every bar, and room is left for the decision that finds it full.
    room: cython.Py_ssize_t = legs * (n - first) + 4
    i: cython.Py_ssize_t
    if kind not in (0, 1) or legs != 2 - kind:
        raise ValueError(f"kind is {kind} with {legs} legs; expected 0 with 2 or 1 with 1")
    if fills_at.shape[0] != prices.shape[0] or fills_at.shape[1] != n:
        raise ValueError("fills_at must have the shape of prices")
    for i in range(legs):
        if not 0 <= rows[i] < prices.shape[0]:
            raise ValueError(f"leg {i} is row {rows[i]} of {prices.shape[0]}")
    if signals.shape[0] < 3 - kind or signals.shape[1] != n:
        raise ValueError("signals must have the strategy's rows and as many columns as prices")
    if not 0 <= first < n or equity.shape[0] != n - first:
        raise ValueError("equity must hold a number for every bar from first on")
    if levels.shape[1] != 3 or figures.shape[0] != levels.shape[0] or figures.shape[1] != FIGURES:
        raise ValueError(f"levels must be trials x 3 and figures trials x {FIGURES}")
    if state.shape[0] < STATE_SIZE + 1 or ledger.shape[0] != legs + 1:
        raise ValueError("state must hold 5 numbers, and ledger cash and every leg")
    if intents.shape[0] < 2 or intents.shape[1] < room or targets.shape[0] != intents.shape[1]:
        raise ValueError(f"intents must be 2 x {room} or more, and targets as long")
    if where.shape[0] < 2 or where.shape[1] < room or fills.shape[0] < 5:
        raise ValueError(f"where must be 2 x {room} or more, and fills have 5 rows")
    if fills.shape[1] != where.shape[1]:
        raise ValueError("where and fills must be equally long")
    if bounds.shape[0] != 2 or bounds.shape[1] != (n + BOUND_BARS - 1) // BOUND_BARS:
        raise ValueError(f"bounds must hold 2 numbers for every {BOUND_BARS} bars")
    for i in range(ends.shape[0]):
        if not 0 <= ends[i] < n - first or (i > 0 and ends[i] <= ends[i - 1]):
            raise ValueError("ends must be bars of the run, rising")
    with cython.nogil:
        if kind == PAIRS:
            _bound(signals, bounds)
        for i in range(levels.shape[0]):
            _trial(
                kind, prices, fills_at, rows, signals, bounds, levels[i], of_equity, first, capital,
                fee_rate, slippage_rate, ends, state, intents, targets, where, fills,
                ledger, equity, figures[i],
            )  # fmt: skip
