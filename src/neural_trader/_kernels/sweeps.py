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
Order of summation: the returns of every time that is not flat into two sums in turn, added up, and
these in the order of time.
"""

import cython
from cython.cimports.neural_trader._kernels.execution import _fill, _mark
from cython.cimports.neural_trader._kernels.pairs import _decide as _decide_pairs
from cython.cimports.neural_trader._kernels.sma_cross import _decide as _decide_sma

FIGURES = 12
STATE_SIZE = 4
NAN = cython.declare(cython.double, float("nan"))
PAIRS = cython.declare(cython.int, 0)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _find_trips(
    where: cython.const[cython.longlong][:, ::1],
    fills: cython.const[cython.double][:, ::1],
    count: cython.Py_ssize_t,
    legs: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    ledger: cython.double[::1],
    trips: cython.longlong[:, ::1],
) -> cython.Py_ssize_t:
    """Write the first and last bar of every time that is not flat; ``ledger`` is scratch."""
    i: cython.Py_ssize_t
    leg: cython.Py_ssize_t
    held: cython.Py_ssize_t = 0
    found: cython.Py_ssize_t = 0
    before: cython.double
    for leg in range(legs):
        ledger[1 + leg] = 0.0
    for i in range(count):
        leg = where[1, i]
        before = ledger[1 + leg]
        ledger[1 + leg] = before + fills[0, i]
        if before == 0.0:
            if held == 0:
                trips[0, found] = where[0, i]
                trips[1, found] = last
                found += 1
            held += 1
        elif ledger[1 + leg] == 0.0:
            held -= 1
            if held == 0:
                trips[1, found - 1] = where[0, i]
    return found


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _drawdown(
    equity: cython.const[cython.double][::1],
    trips: cython.const[cython.longlong][:, ::1],
    found: cython.Py_ssize_t,
    first: cython.Py_ssize_t,
    capital: cython.double,
) -> cython.double:
    """Return the largest fall from a peak: equity changes only while something is held."""
    i: cython.Py_ssize_t
    t: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    block: cython.Py_ssize_t
    k: cython.Py_ssize_t
    event: cython.int
    value: cython.double
    peak: cython.double = capital
    drawdown: cython.double = 0.0
    low: cython.double = capital
    for i in range(found):
        t = trips[0, i] - first
        stop = trips[1, i] - first + 1
        while t < stop:
            # Between a peak and the level below which the fall deepens nothing has to be done.
            while t + 8 <= stop:
                event = 0
                for k in range(8):
                    event |= (equity[t + k] > peak) | (equity[t + k] < low)
                if event:
                    break
                t += 8
            block = t + 8 if t + 8 < stop else stop
            while t < block:
                value = equity[t]
                t += 1
                if value > peak:
                    peak = value
                    low = peak - drawdown * peak
                elif value < low and (peak - value) / peak > drawdown:
                    drawdown = (peak - value) / peak
                    low = value
    return drawdown


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _add_returns(
    equity: cython.const[cython.double][::1],
    begin: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    sums: cython.double[::1],
) -> cython.void:
    """Add the returns of the bars from begin on, their squares, and widen their range."""
    t: cython.Py_ssize_t = begin
    a: cython.double
    b: cython.double
    s0: cython.double = 0.0
    s1: cython.double = 0.0
    q0: cython.double = 0.0
    q1: cython.double = 0.0
    best: cython.double = sums[2]
    worst: cython.double = sums[3]
    while t + 2 <= stop:
        a = equity[t] / equity[t - 1] - 1.0
        b = equity[t + 1] / equity[t] - 1.0
        s0 += a
        s1 += b
        q0 += a * a
        q1 += b * b
        best = a if a > best else best
        worst = a if a < worst else worst
        best = b if b > best else best
        worst = b if b < worst else worst
        t += 2
    if t < stop:
        a = equity[t] / equity[t - 1] - 1.0
        s0 += a
        q0 += a * a
        best = a if a > best else best
        worst = a if a < worst else worst
    sums[0] += s0 + s1
    sums[1] += q0 + q1
    sums[2] = best
    sums[3] = worst


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _sum_up(
    equity: cython.double[::1],
    ends: cython.const[cython.longlong][::1],
    count: cython.Py_ssize_t,
    bars: cython.Py_ssize_t,
    trips: cython.const[cython.longlong][:, ::1],
    found: cython.Py_ssize_t,
    first: cython.Py_ssize_t,
    sums: cython.double[::1],
    figures: cython.double[::1],
) -> cython.void:
    """Write mean and variance of the returns over sessions, and their range; uses equity up."""
    i: cython.Py_ssize_t
    begin: cython.Py_ssize_t
    held: cython.Py_ssize_t = 0
    sums[0] = 0.0
    sums[1] = 0.0
    sums[2] = -1.0
    sums[3] = 1e300
    if count == bars:
        # A session a bar: without a position the return is exactly 0, and adds nothing.
        for i in range(found):
            begin = trips[0, i] - first
            if begin < 1:
                begin = 1
            _add_returns(equity, begin, trips[1, i] - first + 1, sums)
            held += trips[1, i] - first + 1 - begin
        if held < count - 1:
            sums[2] = sums[2] if sums[2] > 0.0 else 0.0
            sums[3] = sums[3] if sums[3] < 0.0 else 0.0
    else:
        for i in range(count):
            equity[i] = equity[ends[i]]
        _add_returns(equity, 1, count, sums)
    figures[7] = NAN
    figures[8] = NAN
    figures[9] = NAN
    if count > 2:
        figures[7] = sums[0] / (count - 1)
        figures[8] = (sums[1] - sums[0] * figures[7]) / (count - 2)
        figures[9] = sums[2] - sums[3]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _trial(
    kind: cython.int,
    prices: cython.const[cython.double][:, ::1],
    fills_at: cython.const[cython.double][:, ::1],
    rows: cython.const[cython.longlong][::1],
    signals: cython.const[cython.double][:, ::1],
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
    count: cython.Py_ssize_t
    found: cython.Py_ssize_t
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
                prices, rows[0], rows[1], signals, levels[0], levels[1], money, of_equity,
                state, intents, targets,
            )  # fmt: skip
        else:
            made = _decide_sma(prices, rows[0], signals, money, of_equity, state, intents, targets)
        filled += _fill(
            fills_at, rows, intents, targets, 0, made, fee_rate, slippage_rate,
            ledger, state[4:], where[:, filled:], fills[:, filled:],
        )  # fmt: skip
    ledger[: 1 + legs] = 0.0
    ledger[0] = capital
    figures[3:5] = 0.0
    ruin = _mark(prices, rows, where, fills, filled, first, ledger, equity, figures[3:])
    if ruin < n:
        # Nothing after the ruin is counted: neither bars nor fills.
        while filled > 0 and where[0, filled - 1] > ruin:
            filled -= 1
        n = ruin + 1
    count = ends.shape[0]
    while count > 0 and ends[count - 1] >= n - first:
        count -= 1
    found = _find_trips(where, fills, filled, legs, n - 1, ledger, intents)
    figures[0] = found
    figures[1] = filled
    figures[2] = equity[n - 1 - first]
    figures[5] = 1.0 if ruin < prices.shape[1] else 0.0
    figures[6] = state[4]
    figures[10] = _drawdown(equity, intents, found, first, capital)
    figures[11] = n - first
    _sum_up(equity, ends, count, n - first, intents, found, first, targets, figures)


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
    for i in range(ends.shape[0]):
        if not 0 <= ends[i] < n - first or (i > 0 and ends[i] <= ends[i - 1]):
            raise ValueError("ends must be bars of the run, rising")
    with cython.nogil:
        for i in range(levels.shape[0]):
            _trial(
                kind, prices, fills_at, rows, signals, levels[i], of_equity, first, capital,
                fee_rate, slippage_rate, ends, state, intents, targets, where, fills,
                ledger, equity, figures[i],
            )  # fmt: skip
