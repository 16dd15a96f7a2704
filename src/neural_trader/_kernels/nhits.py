"""N-HiTS kernel: the forward pass of a folded network, and a whole forecast with its interval.

Oracle: ``neural_trader.forecast.forward`` in NumPy, to 1e-6 relative (float32).

Arrays (C-contiguous): ``plan`` int64 IN and ``weights`` float32 IN, both as ``forecast.packing``
lays them out; ``windows`` float32 IN, B normalized windows one after the other; ``values`` float64
IN, one window as it came; ``offsets`` float64 IN, lower then upper of each step, in units of
the volatility; ``scratch`` float32 and ``work`` float64, any content; ``out`` OUT.
Directives: as in ``pairs``. The loops run without the GIL, allocate nothing and raise nothing.
Cost: one multiplication and addition a weight and window; weights are read once a window.

Order of summation (part of the contract): bias first, then the inputs from first to last. Outputs
lie side by side in the inner loop, so that the compiler may take as many at once as the machine
has room for without changing any sum. Locals that are float are float64 when interpreted: the
interpreted form differs in the last bits.
"""

import cython
from cython.cimports.libc.math import exp, log, sqrt

# The answers of `forecast` to a window that cannot be forecast.
NOT_FINITE = 1
CONSTANT = 2
NOT_POSITIVE = 3
# What `forecast` does to a window: only the terms given; its last value off; logarithms as well.
GIVEN = 0
LEVEL = 1
LOG = 2

HEADER = cython.declare(cython.Py_ssize_t, 5)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _dense(
    x: cython.float[::1],
    weights: cython.const[cython.float][::1],
    at: cython.Py_ssize_t,
    rectify: cython.bint,
    out: cython.float[::1],
) -> cython.Py_ssize_t:
    """Write ``x @ weight + bias``, its negatives as 0 if wanted; return what comes after it."""
    inputs: cython.Py_ssize_t = x.shape[0]
    outputs: cython.Py_ssize_t = out.shape[0]
    bias: cython.Py_ssize_t = at + inputs * outputs
    i: cython.Py_ssize_t = 0
    j: cython.Py_ssize_t
    b: cython.Py_ssize_t = at + outputs
    c: cython.Py_ssize_t = at + 2 * outputs
    d: cython.Py_ssize_t = at + 3 * outputs
    p: cython.float
    q: cython.float
    r: cython.float
    s: cython.float
    for j in range(outputs):
        out[j] = weights[bias + j]
    # Four inputs a pass: a sum stays in its register for four additions.
    while i + 4 <= inputs:
        p = x[i]
        q = x[i + 1]
        r = x[i + 2]
        s = x[i + 3]
        for j in range(outputs):
            out[j] = (
                ((out[j] + p * weights[at + j]) + q * weights[b + j]) + r * weights[c + j]
            ) + s * weights[d + j]
        at += 4 * outputs
        b += 4 * outputs
        c += 4 * outputs
        d += 4 * outputs
        i += 4
    while i < inputs:
        p = x[i]
        for j in range(outputs):
            out[j] = out[j] + p * weights[at + j]
        at += outputs
        i += 1
    if rectify:
        for j in range(outputs):
            out[j] = out[j] if out[j] > 0.0 else 0.0
    return bias + outputs


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _pool(
    x: cython.float[::1], width: cython.Py_ssize_t, average: cython.bint, out: cython.float[::1]
) -> cython.void:
    """Pool windows of ``width`` side by side; the last one takes what is left."""
    j: cython.Py_ssize_t
    i: cython.Py_ssize_t
    first: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    value: cython.float
    for j in range(out.shape[0]):
        first = j * width
        stop = first + width if first + width < x.shape[0] else x.shape[0]
        value = x[first]
        if average:
            for i in range(first + 1, stop):
                value = value + x[i]
            value = value / (stop - first)
        else:
            for i in range(first + 1, stop):
                value = x[i] if x[i] > value else value
        out[j] = value


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _forward(
    plan: cython.const[cython.longlong][::1],
    weights: cython.const[cython.float][::1],
    scratch: cython.float[::1],
    heads: cython.float[::1],
) -> cython.void:
    """Write the heads of the window that stands at the beginning of the scratch."""
    lookback: cython.Py_ssize_t = plan[0]
    count: cython.Py_ssize_t = plan[1]
    blocks: cython.Py_ssize_t = plan[3]
    widest: cython.Py_ssize_t = plan[4]
    window: cython.float[::1] = scratch[:lookback]
    near: cython.float[::1] = scratch[lookback : lookback + widest]
    far: cython.float[::1] = scratch[lookback + widest : lookback + 2 * widest]
    spare: cython.float[::1]
    block: cython.Py_ssize_t
    layer: cython.Py_ssize_t
    j: cython.Py_ssize_t
    place: cython.Py_ssize_t = HEADER
    at: cython.Py_ssize_t = 0
    taken: cython.Py_ssize_t
    given: cython.Py_ssize_t
    layers: cython.Py_ssize_t
    back: cython.Py_ssize_t
    for j in range(count):
        heads[j] = 0.0
    for block in range(blocks):
        taken = plan[place + 1]
        layers = plan[place + 3]
        _pool(window, plan[place], plan[place + 2] != 0, near[:taken])
        place += 4
        for layer in range(layers):
            given = plan[place + layer]
            at = _dense(near[:taken], weights, at, True, far[:given])
            spare = near
            near = far
            far = spare
            taken = given
        place += layers
        # What the last block explains of the window nobody reads: it was not packed.
        back = lookback if block + 1 < blocks else 0
        at = _dense(near[:taken], weights, at, False, far[: back + count])
        for j in range(back):
            window[j] = window[j] - far[j]
        for j in range(count):
            heads[j] = heads[j] + far[back + j]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _transform(
    values: cython.const[cython.double][::1], logarithms: cython.bint, out: cython.double[::1]
) -> cython.int:
    """Write transformed values; return 0, or why the window cannot be forecast."""
    i: cython.Py_ssize_t
    low: cython.double = values[0]
    high: cython.double = values[0]
    total: cython.double = 0.0
    for i in range(values.shape[0]):
        # Stays 0 while all are finite.
        total += values[i] * 0.0
        low = values[i] if values[i] < low else low
        high = values[i] if values[i] > high else high
        out[i] = values[i]
    if total != 0.0 or total != total:
        return 1
    if not high > low:
        return 2
    if logarithms:
        if not low > 0.0:
            return 3
        for i in range(values.shape[0]):
            out[i] = log(out[i])
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _volatility(values: cython.double[::1], decay: cython.double) -> cython.double:
    """Return the exponentially weighted size of a change from one value to the next."""
    i: cython.Py_ssize_t
    change: cython.double
    squares: cython.double = 0.0
    whole: cython.double = 0.0
    for i in range(1, values.shape[0]):
        change = values[i] - values[i - 1]
        squares = decay * squares + change * change
        whole = decay * whole + 1.0
    return sqrt(squares / whole) if whole > 0.0 else 0.0


def forward(
    plan: cython.const[cython.longlong][::1],
    weights: cython.const[cython.float][::1],
    windows: cython.const[cython.float][::1],
    scratch: cython.float[::1],
    out: cython.float[::1],
) -> None:
    """Write the heads of every window; see the stub."""
    lookback: cython.Py_ssize_t = plan[0]
    count: cython.Py_ssize_t = plan[1]
    backwards: cython.bint = plan[2] != 0
    rows: cython.Py_ssize_t = out.shape[0] // count
    row: cython.Py_ssize_t
    first: cython.Py_ssize_t
    i: cython.Py_ssize_t
    if windows.shape[0] != rows * lookback or out.shape[0] != rows * count:
        raise ValueError(f"expected windows of {lookback} and {count} heads for each of them")
    if scratch.shape[0] < lookback + 2 * plan[4]:
        raise ValueError(f"scratch must hold {lookback} + 2 x {plan[4]}")
    for row in range(rows):
        first = row * lookback
        for i in range(lookback):
            scratch[i] = windows[first + (lookback - 1 - i if backwards else i)]
        _forward(plan, weights, scratch, out[row * count : (row + 1) * count])


def forecast(
    plan: cython.const[cython.longlong][::1],
    weights: cython.const[cython.float][::1],
    values: cython.const[cython.double][::1],
    offsets: cython.const[cython.double][::1],
    terms: tuple,
    scratch: cython.float[::1],
    work: cython.double[::1],
    out: cython.double[::1],
) -> int:
    """Write forecast, lower and upper end of one window; see the stub."""
    mode: cython.int
    shift: cython.double
    unit: cython.double
    base: cython.double
    decay: cython.double
    lookback: cython.Py_ssize_t = plan[0]
    horizon: cython.Py_ssize_t = plan[1]
    backwards: cython.bint = plan[2] != 0
    heads: cython.Py_ssize_t = lookback + 2 * plan[4]
    problem: cython.int
    volatility: cython.double
    i: cython.Py_ssize_t
    mode, shift, unit, base, decay = terms
    if values.shape[0] != lookback or offsets.shape[0] != 2 * horizon:
        raise ValueError(f"expected {lookback} values and 2 x {horizon} offsets")
    if scratch.shape[0] < heads + horizon or work.shape[0] < lookback:
        raise ValueError(f"scratch must hold {heads} + {horizon}, and work {lookback}")
    if out.shape[0] != 3 * horizon:
        raise ValueError(f"out must hold 3 x {horizon}")
    problem = _transform(values, mode == 2, work)
    if problem != 0:
        return problem
    if mode != 0:
        base = work[lookback - 1]
        shift = base
    for i in range(lookback):
        scratch[i] = cython.cast(
            cython.float, (work[lookback - 1 - i if backwards else i] - shift) / unit
        )
    _forward(plan, weights, scratch, scratch[heads : heads + horizon])
    volatility = _volatility(work[:lookback], decay)
    for i in range(horizon):
        out[i] = base + scratch[heads + i] * unit
        out[horizon + i] = out[i] + offsets[i] * volatility
        out[2 * horizon + i] = out[i] + offsets[horizon + i] * volatility
    if mode == 2:
        for i in range(3 * horizon):
            out[i] = exp(out[i])
    return 0
