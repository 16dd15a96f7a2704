"""Recursive indicator kernels: exponential and Wilder averages and what is made of them.

Oracle: plain-Python definitions in ``tests/differential/test_indicators.py``; text:
``docs/indicators.md``. Shape, directives and cost as in ``_kernels.indicators``.

Each average is seeded with the mean of its first values, added up in their order. A NaN input gives
a NaN at its bar and leaves the state as it was: a gap is passed over.
"""

import cython

NAN = cython.declare(cython.double, float("nan"))


@cython.cclass
class Average:
    """An exponential average, seeded with a mean: EMA, or Wilder's."""

    size: cython.Py_ssize_t
    seen: cython.Py_ssize_t
    seed: cython.double
    gain: cython.double
    is_wilder: cython.bint
    average: cython.double
    value = cython.declare(cython.double, visibility="readonly")

    def __init__(self, size: cython.Py_ssize_t, is_wilder: cython.bint) -> None:
        if size < 1:
            raise ValueError(f"size is {size}; expected 1 or more")
        self.size = size
        self.is_wilder = is_wilder
        self.gain = 2.0 / (size + 1.0)
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self.seen = 0
        self.seed = 0.0
        self.average = NAN
        self.value = NAN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def step(self, x: cython.double) -> cython.double:
        if x != x:
            self.value = NAN
            return NAN
        if self.seen < self.size:
            self.seen += 1
            self.seed += x
            if self.seen == self.size:
                self.average = self.seed / self.size
        elif self.is_wilder:
            self.average = (self.average * (self.size - 1) + x) / self.size
        else:
            self.average = (x - self.average) * self.gain + self.average
        self.value = self.average
        return self.value

    def update(self, x: cython.double) -> float:
        """Take one value and return the average."""
        return self.step(x)

    def run(self, x: cython.const[cython.double][::1], out: cython.double[:, ::1]) -> None:
        """Take a column."""
        t: cython.Py_ssize_t
        _check_out(x.shape[0], out, 1)
        for t in range(x.shape[0]):
            out[0, t] = self.step(x[t])


@cython.cclass
class Strength:
    """Wilder's relative strength index."""

    ups: Average
    downs: Average
    last: cython.double
    value = cython.declare(cython.double, visibility="readonly")

    def __init__(self, size: cython.Py_ssize_t) -> None:
        self.ups = Average(size, True)
        self.downs = Average(size, True)
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self.ups.reset()
        self.downs.reset()
        self.last = NAN
        self.value = NAN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def step(self, x: cython.double) -> cython.double:
        change: cython.double = x - self.last
        up: cython.double
        down: cython.double
        self.value = NAN
        if x != x:
            return NAN
        self.last = x
        if change != change:
            return NAN
        up = self.ups.step(change if change > 0.0 else 0.0)
        down = self.downs.step(-change if change < 0.0 else 0.0)
        if up != up:
            return NAN
        # Without any change there is no strength: TA-Lib says 0, and so do we.
        self.value = 100.0 * (up / (up + down)) if up + down > 0.0 else 0.0
        return self.value

    def update(self, x: cython.double) -> float:
        """Take one close and return the index."""
        return self.step(x)

    def run(self, x: cython.const[cython.double][::1], out: cython.double[:, ::1]) -> None:
        """Take a column."""
        t: cython.Py_ssize_t
        _check_out(x.shape[0], out, 1)
        for t in range(x.shape[0]):
            out[0, t] = self.step(x[t])


@cython.cclass
class Convergence:
    """MACD: a fast less a slow average, and the average of that."""

    fast: Average
    slow: Average
    smooth: Average
    skipped: cython.Py_ssize_t
    seen: cython.Py_ssize_t
    value = cython.declare(cython.double, visibility="readonly")
    signal = cython.declare(cython.double, visibility="readonly")
    histogram = cython.declare(cython.double, visibility="readonly")

    def __init__(
        self, fast: cython.Py_ssize_t, slow: cython.Py_ssize_t, smooth: cython.Py_ssize_t
    ) -> None:
        if not fast < slow:
            raise ValueError(f"fast is {fast} and slow {slow}; expected fast < slow")
        self.fast = Average(fast, False)
        self.slow = Average(slow, False)
        self.smooth = Average(smooth, False)
        self.skipped = slow - fast
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self.fast.reset()
        self.slow.reset()
        self.smooth.reset()
        self.seen = 0
        self.value = NAN
        self.signal = NAN
        self.histogram = NAN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def step(self, x: cython.double) -> cython.double:
        self.value = NAN
        self.signal = NAN
        self.histogram = NAN
        if x != x:
            return NAN
        # The fast average is seeded so late that both begin at one bar, as TA-Lib has it.
        if self.seen < self.skipped:
            self.seen += 1
        else:
            self.fast.step(x)
        self.value = self.fast.value - self.slow.step(x)
        if self.value == self.value:
            self.signal = self.smooth.step(self.value)
            self.histogram = self.value - self.signal
        return self.value

    def update(self, x: cython.double) -> float:
        """Take one close and return the difference of the averages."""
        return self.step(x)

    def run(self, x: cython.const[cython.double][::1], out: cython.double[:, ::1]) -> None:
        """Take a column."""
        t: cython.Py_ssize_t
        _check_out(x.shape[0], out, 3)
        for t in range(x.shape[0]):
            out[0, t] = self.step(x[t])
            out[1, t] = self.signal
            out[2, t] = self.histogram


@cython.cclass
class TrueRange:
    """Wilder's average true range."""

    mean: Average
    last: cython.double
    value = cython.declare(cython.double, visibility="readonly")

    def __init__(self, size: cython.Py_ssize_t) -> None:
        self.mean = Average(size, True)
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self.mean.reset()
        self.last = NAN
        self.value = NAN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def step(self, high: cython.double, low: cython.double, close: cython.double) -> cython.double:
        before: cython.double = self.last
        span: cython.double = high - low
        up: cython.double = high - before
        down: cython.double = before - low
        self.value = NAN
        if high != high or low != low or close != close:
            return NAN
        self.last = close
        if before != before:
            return NAN
        if up > span:
            span = up
        if down > span:
            span = down
        self.value = self.mean.step(span)
        return self.value

    def update(self, high: cython.double, low: cython.double, close: cython.double) -> float:
        """Take one bar and return the average."""
        return self.step(high, low, close)

    def run(
        self,
        high: cython.const[cython.double][::1],
        low: cython.const[cython.double][::1],
        close: cython.const[cython.double][::1],
        out: cython.double[:, ::1],
    ) -> None:
        """Take three columns."""
        t: cython.Py_ssize_t
        if high.shape[0] != close.shape[0] or low.shape[0] != close.shape[0]:
            raise ValueError("high, low and close must be equally long")
        _check_out(close.shape[0], out, 1)
        for t in range(close.shape[0]):
            out[0, t] = self.step(high[t], low[t], close[t])


@cython.cclass
class VolumePrice:
    """Volume-weighted average of the typical price, over the last bars."""

    size: cython.Py_ssize_t
    at: cython.Py_ssize_t
    blocks: cython.Py_ssize_t
    origin: cython.double
    newer: cython.double
    newer_volume: cython.double
    scratch: cython.double[:, ::1]
    value = cython.declare(cython.double, visibility="readonly")

    def __init__(self, size: cython.Py_ssize_t, scratch: cython.double[:, ::1]) -> None:
        if size < 1 or scratch.shape[0] < 4 or scratch.shape[1] < size:
            raise ValueError(f"scratch must be 4 x {size}, and the window 1 or more")
        self.size = size
        self.scratch = scratch
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self.at = 0
        self.blocks = 0
        self.origin = NAN
        self.newer = 0.0
        self.newer_volume = 0.0
        self.value = NAN

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def step(
        self,
        high: cython.double,
        low: cython.double,
        close: cython.double,
        volume: cython.double,
    ) -> cython.double:
        price: cython.double = (high + low + close) / 3.0
        j: cython.Py_ssize_t = self.at
        i: cython.Py_ssize_t
        last: cython.Py_ssize_t = self.size - 1
        money: cython.double = 0.0
        shares: cython.double = 0.0
        if j == 0:
            self.origin = price
            self.newer = 0.0
            self.newer_volume = 0.0
            for i in range(last):
                if self.blocks == 0:
                    self.scratch[2, i] = NAN
                    self.scratch[3, i] = NAN
                    continue
                money += (self.scratch[0, last - i] - price) * self.scratch[1, last - i]
                shares += self.scratch[1, last - i]
                self.scratch[2, last - 1 - i] = money
                self.scratch[3, last - 1 - i] = shares
            self.scratch[2, last] = 0.0
            self.scratch[3, last] = 0.0
        self.newer += (price - self.origin) * volume
        self.newer_volume += volume
        shares = self.scratch[3, j] + self.newer_volume
        # Where nothing was traded there is no average.
        shares = shares if shares > 0.0 else NAN
        self.value = self.origin + (self.scratch[2, j] + self.newer) / shares
        self.scratch[0, j] = price
        self.scratch[1, j] = volume
        j += 1
        if j == self.size:
            j = 0
            self.blocks += 1
        self.at = j
        return self.value

    def update(
        self,
        high: cython.double,
        low: cython.double,
        close: cython.double,
        volume: cython.double,
    ) -> float:
        """Take one bar and return the average price."""
        return self.step(high, low, close, volume)

    def run(
        self,
        high: cython.const[cython.double][::1],
        low: cython.const[cython.double][::1],
        close: cython.const[cython.double][::1],
        volume: cython.const[cython.double][::1],
        out: cython.double[:, ::1],
    ) -> None:
        """Take four columns."""
        t: cython.Py_ssize_t
        if high.shape[0] != close.shape[0] or low.shape[0] != close.shape[0]:
            raise ValueError("high, low and close must be equally long")
        if volume.shape[0] != close.shape[0]:
            raise ValueError("volume must be as long as close")
        _check_out(close.shape[0], out, 1)
        for t in range(close.shape[0]):
            out[0, t] = self.step(high[t], low[t], close[t], volume[t])


@cython.cfunc
def _check_out(
    bars: cython.Py_ssize_t, out: cython.double[:, ::1], rows: cython.int
) -> cython.void:
    if out.shape[0] < rows or out.shape[1] != bars:
        raise ValueError(f"out must be {rows} x {bars}")
