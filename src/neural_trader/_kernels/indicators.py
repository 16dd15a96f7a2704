"""Indicator kernels: one step a bar, called from Python as the bars come, or over whole columns.

Oracle: plain-Python definitions in ``tests/differential/test_indicators.py``; text:
``docs/indicators.md``.

A class holds the state of one indicator. ``update`` takes one bar and is the streaming way; ``run``
takes the same step for every bar of a column, float64 IN, and writes its outputs, float64 (rows, n)
OUT. ``scratch`` float64 is given at construction, any content.
Directives: no bounds checks and no wraparound, because a window's size is checked against its
scratch once and places in a block lie below it; cdivision, because every divisor is made NaN or
known to be positive first. Steps run without the GIL, allocate and raise nothing.
Cost: O(1) a bar, amortized; no indicator looks at its whole window at every bar.

Order of summation (part of the contract, ``docs/adr/0001``): values are cut into blocks of the
window's length, counted from the first. A window is the *older* part, in the block before, summed
from its newest value to its oldest, plus the *newer* part, summed from its oldest to its newest,
all relative to the block's first value. A NaN spoils the windows that hold it and no other.
"""

import cython
from cython.cimports.libc.math import sqrt

NAN = cython.declare(cython.double, float("nan"))


def _check(window: int, scratch: object, rows: int, at_least: int) -> None:
    if window < at_least:
        raise ValueError(f"window is {window}; expected {at_least} or more")
    if scratch.shape[0] < rows or scratch.shape[1] < window:
        raise ValueError(f"scratch must be {rows} x {window}")


@cython.cclass
class Window:
    """Sum and sum of squares of the last values, relative to ``origin``; see the stub."""

    size: cython.Py_ssize_t
    at: cython.Py_ssize_t
    blocks: cython.Py_ssize_t
    origin: cython.double
    newer: cython.double
    newer_squares: cython.double
    total: cython.double
    squares: cython.double
    weight: cython.double
    scratch: cython.double[:, ::1]
    value = cython.declare(cython.double, visibility="readonly")

    def __init__(self, size: cython.Py_ssize_t, scratch: cython.double[:, ::1]) -> None:
        _check(size, scratch, 3, 1)
        self.size = size
        self.scratch = scratch
        self.weight = 1.0 / size
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self.at = 0
        self.blocks = 0
        self.value = NAN
        self.total = NAN
        self.squares = NAN
        self.newer = 0.0
        self.newer_squares = 0.0
        self.origin = NAN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _open_block(self, x: cython.double) -> cython.void:
        """Begin a block at x: sum the older parts of the windows that will end in it."""
        j: cython.Py_ssize_t
        d: cython.double
        total: cython.double = 0.0
        squares: cython.double = 0.0
        last: cython.Py_ssize_t = self.size - 1
        self.origin = x
        self.newer = 0.0
        self.newer_squares = 0.0
        for j in range(last):
            # Row 0 still holds the values of the block before: they are read before they go.
            if self.blocks == 0:
                self.scratch[1, j] = NAN
                self.scratch[2, j] = NAN
            else:
                d = self.scratch[0, last - j] - x
                total += d
                squares += d * d
                self.scratch[1, last - 1 - j] = total
                self.scratch[2, last - 1 - j] = squares
        self.scratch[1, last] = 0.0
        self.scratch[2, last] = 0.0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _push(self, x: cython.double) -> cython.void:
        """Take a value; total and squares are those of the window that ends with it."""
        j: cython.Py_ssize_t = self.at
        d: cython.double
        if j == 0:
            self._open_block(x)
        d = x - self.origin
        self.newer += d
        self.newer_squares += d * d
        self.total = self.scratch[1, j] + self.newer
        self.squares = self.scratch[2, j] + self.newer_squares
        self.scratch[0, j] = x
        j += 1
        if j == self.size:
            j = 0
            self.blocks += 1
        self.at = j

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _variance(self, freedom: cython.double) -> cython.double:
        """Return the variance of the window, NaN where nothing moves."""
        variance: cython.double = (self.squares - self.total * self.total * self.weight) * freedom
        return variance if variance > 0.0 else NAN


@cython.cclass
class Mean(Window):
    """Simple moving average."""

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _step(self, x: cython.double) -> cython.double:
        self._push(x)
        self.value = self.origin + self.total * self.weight
        return self.value

    def update(self, x: cython.double) -> float:
        """Take one value and return the average."""
        return self._step(x)

    def run(self, x: cython.const[cython.double][::1], out: cython.double[:, ::1]) -> None:
        """Take a column."""
        t: cython.Py_ssize_t
        _check_out(x.shape[0], out, 1)
        for t in range(x.shape[0]):
            out[0, t] = self._step(x[t])


@cython.cclass
class Deviation(Window):
    """Standard deviation, z-score and bands: what a mean and a deviation give."""

    freedom: cython.double
    width: cython.double
    form: cython.int
    deviation = cython.declare(cython.double, visibility="readonly")
    middle = cython.declare(cython.double, visibility="readonly")
    upper = cython.declare(cython.double, visibility="readonly")
    lower = cython.declare(cython.double, visibility="readonly")

    def __init__(
        self,
        size: cython.Py_ssize_t,
        scratch: cython.double[:, ::1],
        ddof: cython.int,
        width: cython.double,
        form: cython.int,
    ) -> None:
        if not 0 <= ddof < size:
            raise ValueError(f"ddof is {ddof}; expected 0 or more, and less than {size} values")
        if not 0 <= form <= 2:
            raise ValueError(f"form is {form}; expected 0 deviation, 1 z-score, 2 bands")
        self.freedom = 1.0 / (size - ddof)
        self.width = width
        self.form = form
        Window.__init__(self, size, scratch)

    def reset(self) -> None:
        """Forget every value."""
        Window.reset(self)
        self.deviation = NAN
        self.middle = NAN
        self.upper = NAN
        self.lower = NAN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _step(self, x: cython.double) -> cython.double:
        variance: cython.double
        mean: cython.double
        self._push(x)
        mean = self.total * self.weight
        variance = self._variance(self.freedom)
        self.deviation = sqrt(variance)
        if self.form == 1:
            self.value = (x - self.origin - mean) / self.deviation
            return self.value
        # Where nothing moves, the deviation is zero and not unknown; a NaN stays one.
        if variance != variance and mean == mean:
            self.deviation = 0.0
        self.value = self.deviation
        if self.form == 2:
            self.middle = self.origin + mean
            self.upper = self.middle + self.width * self.deviation
            self.lower = self.middle - self.width * self.deviation
            self.value = self.middle
        return self.value

    def update(self, x: cython.double) -> float:
        """Take one value and return the indicator."""
        return self._step(x)

    def run(self, x: cython.const[cython.double][::1], out: cython.double[:, ::1]) -> None:
        """Take a column."""
        t: cython.Py_ssize_t
        _check_out(x.shape[0], out, 3 if self.form == 2 else 1)
        for t in range(x.shape[0]):
            out[0, t] = self._step(x[t])
            if self.form == 2:
                out[1, t] = self.upper
                out[2, t] = self.lower


@cython.cclass
class Line:
    """Ordinary least squares of y on x, and their correlation, over the last values."""

    size: cython.Py_ssize_t
    at: cython.Py_ssize_t
    blocks: cython.Py_ssize_t
    form: cython.int
    weight: cython.double
    y0: cython.double
    x0: cython.double
    sums: cython.double[:, ::1]
    value = cython.declare(cython.double, visibility="readonly")
    slope = cython.declare(cython.double, visibility="readonly")
    intercept = cython.declare(cython.double, visibility="readonly")
    spread = cython.declare(cython.double, visibility="readonly")
    residual = cython.declare(cython.double, visibility="readonly")

    def __init__(
        self, size: cython.Py_ssize_t, scratch: cython.double[:, ::1], form: cython.int
    ) -> None:
        _check(size, scratch, 8, 2)
        if scratch.shape[1] < 5:
            raise ValueError("scratch must be at least 5 wide")
        if not 0 <= form <= 1:
            raise ValueError(f"form is {form}; expected 0 line, 1 correlation")
        self.size = size
        self.form = form
        self.sums = scratch
        self.weight = 1.0 / size
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self.at = 0
        self.blocks = 0
        self.value = NAN
        self.slope = NAN
        self.intercept = NAN
        self.spread = NAN
        self.residual = NAN
        self.y0 = NAN
        self.x0 = NAN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _open_block(self, y: cython.double, x: cython.double) -> cython.void:
        """Begin a block: sum the older parts; rows 5 and 6 hold y and x of the block before."""
        i: cython.Py_ssize_t
        j: cython.Py_ssize_t
        k: cython.Py_ssize_t
        dy: cython.double
        dx: cython.double
        sy: cython.double = 0.0
        sx: cython.double = 0.0
        sxy: cython.double = 0.0
        sxx: cython.double = 0.0
        syy: cython.double = 0.0
        last: cython.Py_ssize_t = self.size - 1
        self.y0 = y
        self.x0 = x
        for i in range(last):
            j = last - 1 - i
            if self.blocks == 0:
                for k in range(5):
                    self.sums[k, j] = NAN
                continue
            dy = self.sums[5, last - i] - y
            dx = self.sums[6, last - i] - x
            sy += dy
            sx += dx
            sxy += dx * dy
            sxx += dx * dx
            syy += dy * dy
            self.sums[0, j] = sy
            self.sums[1, j] = sx
            self.sums[2, j] = sxy
            self.sums[3, j] = sxx
            self.sums[4, j] = syy
        for k in range(5):
            self.sums[k, last] = 0.0
            # Row 7 holds the five running sums of the newer part.
            self.sums[7, k] = 0.0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _step(self, y: cython.double, x: cython.double) -> cython.double:
        j: cython.Py_ssize_t = self.at
        dy: cython.double
        dx: cython.double
        sy: cython.double
        sx: cython.double
        moves_x: cython.double
        moves_y: cython.double
        together: cython.double
        if j == 0:
            self._open_block(y, x)
        dy = y - self.y0
        dx = x - self.x0
        self.sums[7, 0] += dy
        self.sums[7, 1] += dx
        self.sums[7, 2] += dx * dy
        self.sums[7, 3] += dx * dx
        self.sums[7, 4] += dy * dy
        sy = self.sums[0, j] + self.sums[7, 0]
        sx = self.sums[1, j] + self.sums[7, 1]
        moves_x = self.sums[3, j] + self.sums[7, 3] - sx * sx * self.weight
        moves_y = self.sums[4, j] + self.sums[7, 4] - sy * sy * self.weight
        together = self.sums[2, j] + self.sums[7, 2] - sx * sy * self.weight
        # A price that does not move gives neither a slope nor a correlation.
        if not (moves_x > 0.0 and moves_y > 0.0):
            moves_x = NAN
        self.sums[5, j] = y
        self.sums[6, j] = x
        j += 1
        if j == self.size:
            j = 0
            self.blocks += 1
        self.at = j
        if self.form == 1:
            self.value = together / sqrt(moves_x * moves_y)
            return self.value
        self.slope = together / moves_x
        self.spread = y - self.slope * x
        self.intercept = self.y0 + sy * self.weight - self.slope * (self.x0 + sx * self.weight)
        self.residual = self.spread - self.intercept
        self.value = self.slope
        return self.value

    def update(self, y: cython.double, x: cython.double) -> float:
        """Take one value of each and return the slope, or the correlation."""
        return self._step(y, x)

    def run(
        self,
        y: cython.const[cython.double][::1],
        x: cython.const[cython.double][::1],
        out: cython.double[:, ::1],
    ) -> None:
        """Take two columns."""
        t: cython.Py_ssize_t
        if y.shape[0] != x.shape[0]:
            raise ValueError("y and x must be equally long")
        _check_out(y.shape[0], out, 1 if self.form == 1 else 4)
        for t in range(y.shape[0]):
            out[0, t] = self._step(y[t], x[t])
            if self.form == 0:
                out[1, t] = self.intercept
                out[2, t] = self.spread
                out[3, t] = self.residual


@cython.cclass
class Range:
    """Highest high and lowest low of the last values, by block suffixes and prefixes."""

    size: cython.Py_ssize_t
    at: cython.Py_ssize_t
    blocks: cython.Py_ssize_t
    form: cython.int
    highest: cython.double
    lowest: cython.double
    scratch: cython.double[:, ::1]
    value = cython.declare(cython.double, visibility="readonly")
    upper = cython.declare(cython.double, visibility="readonly")
    lower = cython.declare(cython.double, visibility="readonly")
    middle = cython.declare(cython.double, visibility="readonly")

    def __init__(
        self, size: cython.Py_ssize_t, scratch: cython.double[:, ::1], form: cython.int
    ) -> None:
        _check(size, scratch, 4, 1)
        if not 0 <= form <= 2:
            raise ValueError(f"form is {form}; expected 0 channel, 1 highest, 2 lowest")
        self.size = size
        self.form = form
        self.scratch = scratch
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self.at = 0
        self.blocks = 0
        self.value = NAN
        self.upper = NAN
        self.lower = NAN
        self.middle = NAN
        self.highest = NAN
        self.lowest = NAN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _step(self, high: cython.double, low: cython.double) -> cython.double:
        j: cython.Py_ssize_t = self.at
        i: cython.Py_ssize_t
        last: cython.Py_ssize_t = self.size - 1
        if j == 0:
            # Rows 0 and 1 hold the values of the block before, 2 and 3 become their suffixes.
            for i in range(last):
                if self.blocks == 0:
                    self.scratch[2, i] = NAN
                    self.scratch[3, i] = NAN
                elif i == 0:
                    self.scratch[2, last - 1] = self.scratch[0, last]
                    self.scratch[3, last - 1] = self.scratch[1, last]
                else:
                    self.scratch[2, last - 1 - i] = _higher(
                        self.scratch[2, last - i], self.scratch[0, last - i]
                    )
                    self.scratch[3, last - 1 - i] = _lower(
                        self.scratch[3, last - i], self.scratch[1, last - i]
                    )
            self.highest = high
            self.lowest = low
        else:
            self.highest = _higher(self.highest, high)
            self.lowest = _lower(self.lowest, low)
        self.upper = self.highest
        self.lower = self.lowest
        if j < last:
            self.upper = _higher(self.scratch[2, j], self.highest)
            self.lower = _lower(self.scratch[3, j], self.lowest)
        self.scratch[0, j] = high
        self.scratch[1, j] = low
        j += 1
        if j == self.size:
            j = 0
            self.blocks += 1
        self.at = j
        self.middle = (self.upper + self.lower) * 0.5
        self.value = self.middle
        if self.form == 1:
            self.value = self.upper
        elif self.form == 2:
            self.value = self.lower
        return self.value

    def update(self, high: cython.double, low: cython.double) -> float:
        """Take one bar and return the middle, the highest or the lowest."""
        return self._step(high, low)

    def run(
        self,
        high: cython.const[cython.double][::1],
        low: cython.const[cython.double][::1],
        out: cython.double[:, ::1],
    ) -> None:
        """Take two columns."""
        t: cython.Py_ssize_t
        if high.shape[0] != low.shape[0]:
            raise ValueError("high and low must be equally long")
        _check_out(high.shape[0], out, 3 if self.form == 0 else 1)
        for t in range(high.shape[0]):
            out[0, t] = self._step(high[t], low[t])
            if self.form == 0:
                out[1, t] = self.upper
                out[2, t] = self.lower


@cython.cclass
class Extreme(Range):
    """The highest or the lowest of one column."""

    def update(self, x: cython.double) -> float:
        """Take one value and return the extreme."""
        return self._step(x, x)

    def run(self, x: cython.const[cython.double][::1], out: cython.double[:, ::1]) -> None:
        """Take a column."""
        t: cython.Py_ssize_t
        _check_out(x.shape[0], out, 1)
        for t in range(x.shape[0]):
            out[0, t] = self._step(x[t], x[t])


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _higher(a: cython.double, b: cython.double) -> cython.double:
    """Return the larger; NaN if one is."""
    if a != a:
        return a
    return a if a > b else b


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _lower(a: cython.double, b: cython.double) -> cython.double:
    """Return the smaller; NaN if one is."""
    if a != a:
        return a
    return a if a < b else b


@cython.cfunc
def _check_out(
    bars: cython.Py_ssize_t, out: cython.double[:, ::1], rows: cython.int
) -> cython.void:
    if out.shape[0] < rows or out.shape[1] != bars:
        raise ValueError(f"out must be {rows} x {bars}")
