"""Lanes: what the kernels over many series share, four of which walk through time side by side.

Value ``t`` of lane ``k`` stands at ``4 t + k``, so that one instruction works on two or four series
at once while each of them is summed in its own order, first return to last. Series of different
spans take all four lanes of a walk alone: more work, the same bits. Loops over lanes have a literal
4, which the compiler has to see.

Oracle: ``neural_trader.portfolio.reference``, value at risk, expected shortfall, conditional
drawdown and quantiles. Arrays as in ``performance``. Directives: as in ``pairs``. The loops run
without the GIL, allocate nothing and raise nothing. Cost: O(n) a series on average.
"""

import cython
from cython.cimports.libc.math import ceil, floor, sqrt

LANES = 4
TILE = 16


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _gather(
    returns: cython.const[cython.double][:, :],
    begin: cython.Py_ssize_t,
    tile: cython.double[::1],
) -> cython.void:
    """Lay a tile of four groups of series out in lanes; behind the last series it is repeated.

    All groups are read in one go: a row of many series is a page of its own, and a page that is
    asked for twice may be gone.
    """
    rows: cython.Py_ssize_t = returns.shape[0]
    last: cython.Py_ssize_t = returns.shape[1] - 1
    groups: cython.Py_ssize_t = (last + 4 - begin) // 4
    group: cython.Py_ssize_t
    t: cython.Py_ssize_t
    k: cython.Py_ssize_t
    s: cython.Py_ssize_t
    groups = groups if groups < 4 else 4
    for t in range(rows):
        for group in range(groups):
            for k in range(4):
                s = begin + 4 * group + k
                tile[4 * (group * rows + t) + k] = returns[t, s if s < last else last]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _is_one_span(spans: cython.const[cython.longlong][:, ::1], s: cython.Py_ssize_t) -> cython.bint:
    """Return whether the series of a group begin and end together."""
    k: cython.Py_ssize_t
    for k in range(s + 1, s + 4 if s + 4 < spans.shape[1] else spans.shape[1]):
        if spans[0, k] != spans[0, s] or spans[1, k] != spans[1, s]:
            return False
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _select(
    values: cython.double[::1], n: cython.Py_ssize_t, rank: cython.Py_ssize_t
) -> cython.double:
    """Return the value that would stand at ``rank`` of the sorted values; reorders them.

    Hoare's selection, by the middle value: what is before the place is no greater, what is behind
    it no less.
    """
    low: cython.Py_ssize_t = 0
    high: cython.Py_ssize_t = n - 1
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    pivot: cython.double
    other: cython.double
    while low < high:
        pivot = values[(low + high) >> 1]
        i = low
        j = high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                other = values[i]
                values[i] = values[j]
                values[j] = other
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return values[rank]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _least_of(
    values: cython.double[::1], start: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.double:
    """Return the least of some values."""
    i: cython.Py_ssize_t
    least: cython.double = values[start]
    for i in range(start + 1, stop):
        least = values[i] if values[i] < least else least
    return least


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _greatest_of(values: cython.double[::1], stop: cython.Py_ssize_t) -> cython.double:
    """Return the greatest of the first values."""
    i: cython.Py_ssize_t
    greatest: cython.double = values[0]
    for i in range(1, stop):
        greatest = values[i] if values[i] > greatest else greatest
    return greatest


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _least(
    x: cython.double[::1],
    n: cython.Py_ssize_t,
    k: cython.Py_ssize_t,
    sign: cython.double,
    most: cython.Py_ssize_t,
    low: cython.double,
    step: cython.double,
    into: cython.double[::1],
) -> cython.Py_ssize_t:
    """Gather the least of ``sign * x`` of a lane in their order, at least ``most``.

    Thresholds from ``low`` upwards by ``step`` are tried until enough lie below one, four of them
    before all are taken. Returns how many there are.
    """
    count: cython.Py_ssize_t = 0
    tries: cython.Py_ssize_t = 0
    t: cython.Py_ssize_t
    v: cython.double
    while count < most:
        if tries == 4:
            # No threshold any more: sums that are beyond what a float holds have made it NaN.
            for t in range(n):
                into[t] = sign * x[4 * t + k]
            return n
        count = 0
        for t in range(n):
            v = sign * x[4 * t + k]
            into[count] = v
            count += v <= low
        low += step
        tries += 1
    return count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _beyond(n: cython.Py_ssize_t, confidence: cython.double) -> cython.Py_ssize_t:
    """Return how many values stand at or beyond the order statistic ceil(n c)."""
    place: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, ceil(n * confidence - 1e-9))
    return n - place + 1 if place > 1 else n


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _shortfall(
    least: cython.double[::1],
    count: cython.Py_ssize_t,
    boundary: cython.double,
    whole: cython.double,
) -> cython.double:
    """Return the mean loss of the worst ``whole`` values: those beyond the boundary, and it."""
    i: cython.Py_ssize_t
    total: cython.double = 0.0
    beyond: cython.double = 0.0
    for i in range(count):
        total += -least[i] if least[i] < boundary else 0.0
        beyond += 1.0 if least[i] < boundary else 0.0
    return (total + -boundary * (whole - beyond)) / whole


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _copied(
    values: cython.double[::1], count: cython.Py_ssize_t, into: cython.double[::1]
) -> cython.void:
    i: cython.Py_ssize_t
    for i in range(count):
        into[i] = values[i]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _cdar(
    falls: cython.double[::1],
    n: cython.Py_ssize_t,
    k: cython.Py_ssize_t,
    confidence: cython.double,
    least: cython.double[::1],
    work: cython.double[::1],
    sheet: cython.double[::1],
) -> cython.void:
    """Write conditional drawdown at risk."""
    count: cython.Py_ssize_t
    beyond: cython.Py_ssize_t = _beyond(n, confidence)
    mean: cython.double = sheet[116 + k]
    spread: cython.double = sheet[112 + k] * sheet[112 + k] - mean * mean
    spread = sqrt(spread) if spread > 0.0 else 0.0
    count = _least(falls, n, k, -1.0, beyond, -mean - 1.3 * spread, 0.4 * spread, least)
    _copied(least, count, work)
    sheet[128 + k] = _shortfall(
        least, count, _select(work, count, beyond - 1), n * (1.0 - confidence)
    )


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _tails(
    x: cython.double[::1],
    n: cython.Py_ssize_t,
    k: cython.Py_ssize_t,
    confidence: cython.double,
    least: cython.double[::1],
    work: cython.double[::1],
    sheet: cython.double[::1],
) -> cython.void:
    """Write value at risk, expected shortfall and tail ratio."""
    step: cython.double = 0.2 * sheet[52 + k]
    mean: cython.double = sheet[8 + k]
    low_at: cython.double = 0.05 * (n - 1)
    high_at: cython.double = 0.95 * (n - 1)
    low_place: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, floor(low_at))
    high_place: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, floor(high_at))
    beyond: cython.Py_ssize_t = _beyond(n, confidence)
    most: cython.Py_ssize_t = low_place + 2 if low_place + 2 < n else n
    count: cython.Py_ssize_t
    low: cython.double
    high: cython.double
    after: cython.double
    boundary: cython.double
    if beyond > most:
        most = beyond
    # Of a normal series a twelfth is 1.4 deviations away; what is not takes another look.
    count = _least(x, n, k, 1.0, most, mean - 7.0 * step, step, least)
    _copied(least, count, work)
    low = _select(work, count, low_place)
    after = _least_of(work, low_place + 1, count) if low_place + 1 < count else low
    if beyond == low_place + 1:
        boundary = low
    elif beyond == low_place + 2:
        boundary = after
    else:
        boundary = _select(work, count, beyond - 1)
    sheet[120 + k] = -boundary
    sheet[124 + k] = _shortfall(least, count, boundary, n * (1.0 - confidence))
    low = low + (low_at - low_place) * (after - low)
    most = n - high_place
    count = _least(x, n, k, -1.0, most, -mean - 7.0 * step, step, work)
    high = _select(work, count, most - 1)
    after = _greatest_of(work, most - 1) if most > 1 else high
    high = -high + (high_at - high_place) * (high - after)
    if low != 0.0:
        sheet[88 + k] = (high if high > 0.0 else -high) / (low if low > 0.0 else -low)
