"""Event kernel: the market as a strategy in Python sees it, and the loop that shows it bar by bar.

Oracle: ``neural_trader.backtesting.reference_events``; text: ``docs/semantics.md``, "Event
strategies".

A :class:`Desk` holds what is known at the close of the present slice and nothing later: bars are
copied into ``history`` float64 (F, S, n), rows close, then open, high and low, then volume, and
``stamps`` int64 (S, n), when their slice is reached, and these columns grow as bars arrive.
:func:`replay` alone sees the columns that the bars come from.
Directives: no bounds checks and no wraparound, because replay checks every shape before its loop,
and the desk makes room before it writes; cdivision, because equity is positive where it divides.
The loop holds the GIL: it calls the strategy. Cost: O(S) a slice beside the strategy's own.
Order of summation: equity is cash plus quantity times close, leg by leg.
"""

import cython


@cython.cclass
class Desk:
    """The present of a run; see the stub."""

    legs: dict
    unknown: object
    ledger: cython.const[cython.double][::1]
    history: cython.double[:, :, ::1]
    stamps: cython.longlong[:, ::1]
    lengths: cython.longlong[::1]
    last: cython.double[::1]
    fresh: cython.longlong[::1]
    ts_close_ns = cython.declare(cython.longlong, visibility="readonly")
    now = cython.declare(cython.longlong, visibility="readonly")
    equity = cython.declare(cython.double, visibility="readonly")
    is_warming_up = cython.declare(cython.bint, visibility="readonly")

    def __init__(self, legs: dict, ledger: cython.const[cython.double][::1]) -> None:
        if ledger.shape[0] != len(legs) + 1:
            raise ValueError("ledger must hold cash and every leg")
        self.legs = legs
        self.ledger = ledger
        self.ts_close_ns = 0
        self.now = -1
        self.equity = ledger[0]
        self.is_warming_up = True

    def adopt(
        self,
        history: cython.double[:, :, ::1],
        stamps: cython.longlong[:, ::1],
        lengths: cython.longlong[::1],
        last: cython.double[::1],
        fresh: cython.longlong[::1],
    ) -> None:
        """Take the columns that bars are copied into; see the stub."""
        legs: cython.Py_ssize_t = self.ledger.shape[0] - 1
        if history.shape[0] < 1 or history.shape[1] != legs or stamps.shape[0] != legs:
            raise ValueError("history must be fields x legs x n and stamps legs x n")
        if history.shape[2] != stamps.shape[1]:
            raise ValueError("history and stamps must be equally long")
        if lengths.shape[0] != legs or last.shape[0] != legs or fresh.shape[0] != legs:
            raise ValueError("lengths, last and fresh must hold a number for every leg")
        self.history = history
        self.stamps = stamps
        self.lengths = lengths
        self.last = last
        self.fresh = fresh

    def grow(self) -> None:
        """Make room for more bars; the run's own class knows how."""
        raise NotImplementedError

    def refuse(self, symbol: object) -> None:
        """Raise for a symbol that is not traded; the run's own class says it better."""
        raise KeyError(symbol)

    def close(self, symbol: object) -> float:
        """Return the last close of a symbol; NaN before its first bar."""
        leg: object = self.legs.get(symbol)
        place: cython.Py_ssize_t
        if leg is None:
            self.refuse(symbol)
        place = leg
        return self.last[place]

    def position(self, symbol: object) -> float:
        """Return the signed quantity held."""
        leg: object = self.legs.get(symbol)
        place: cython.Py_ssize_t
        if leg is None:
            self.refuse(symbol)
        place = leg
        return self.ledger[1 + place]

    def has_bar(self, symbol: object) -> bool:
        """Return whether a symbol has a bar in the present slice."""
        leg: object = self.legs.get(symbol)
        place: cython.Py_ssize_t
        if leg is None:
            self.refuse(symbol)
        place = leg
        return self.fresh[place] != 0

    @property
    def cash(self) -> float:
        """Money on hand."""
        return self.ledger[0]


@cython.cfunc
def _feed(desk: Desk, tracked: list) -> cython.int:
    """Update the tracked indicators whose symbols all have a bar in this slice."""
    item: tuple
    legs: tuple
    rows: tuple
    k: cython.Py_ssize_t
    leg: cython.Py_ssize_t
    row: cython.Py_ssize_t
    for item in tracked:
        legs = item[1]
        rows = item[2]
        values = []
        for k in range(len(legs)):
            leg = legs[k]
            row = rows[k]
            if not desk.fresh[leg]:
                break
            values.append(desk.history[row, leg, desk.lengths[leg] - 1])
        else:
            item[0](*values)
    return 0


@cython.final
@cython.cclass
class _Market:
    """The columns that bars come from; only the loop has them, and no strategy."""

    open: cython.const[cython.double][::1]
    high: cython.const[cython.double][::1]
    low: cython.const[cython.double][::1]
    close: cython.const[cython.double][::1]
    volume: cython.const[cython.double][::1]
    ts_close_ns: cython.const[cython.longlong][::1]
    sessions: cython.const[cython.longlong][::1]
    months: cython.const[cython.longlong][::1]
    bar_at: cython.const[cython.longlong][:, ::1]
    home: cython.const[cython.longlong][::1]
    offset: cython.const[cython.longlong][::1]
    ended: cython.const[cython.longlong][::1]
    working: cython.const[cython.longlong][:, ::1]
    first: cython.Py_ssize_t
    has_range: cython.bint
    has_volume: cython.bint
    legs: cython.Py_ssize_t

    def __init__(self, columns: tuple, slices: tuple, shape: tuple) -> None:
        self.open, self.high, self.low, self.close, self.volume = columns
        self.ts_close_ns, self.sessions, self.months, self.bar_at = slices
        self.home, self.offset, self.ended, self.working = shape[:4]
        self.first = shape[4]
        self.has_range = not shape[5]
        self.has_volume = self.volume.shape[0] > 0
        self.legs = self.home.shape[0]
        self._check()

    @cython.cfunc
    def _check(self) -> cython.void:
        n: cython.Py_ssize_t = self.ts_close_ns.shape[0]
        size: cython.Py_ssize_t = self.close.shape[0]
        leg: cython.Py_ssize_t
        t: cython.Py_ssize_t
        bars: cython.longlong
        if self.open.shape[0] != size or self.high.shape[0] != size or self.low.shape[0] != size:
            raise ValueError("open, high, low and close must be equally long")
        if self.has_volume and self.volume.shape[0] != size:
            raise ValueError("volume must be empty or as long as close")
        if self.sessions.shape[0] != n or self.months.shape[0] != n or self.bar_at.shape[1] != n:
            raise ValueError("stamps, sessions, months and bar_at must be equally long")
        if self.offset.shape[0] != self.legs or self.ended.shape[0] != self.legs:
            raise ValueError("home, offset and ended must hold a number for every leg")
        if self.working.shape[0] != 4 or self.working.shape[1] != self.legs:
            raise ValueError("working must be 4 x legs")
        if not 0 <= self.first <= n:
            raise ValueError(f"the first slice is {self.first} of {n}")
        for leg in range(self.legs):
            if self.home[leg] < 0 or self.home[leg] >= self.bar_at.shape[0]:
                raise ValueError(f"leg {leg} has calendar {self.home[leg]}")
            bars = 0
            for t in range(n):
                if self.bar_at[self.home[leg], t] >= 0:
                    if self.bar_at[self.home[leg], t] != bars:
                        raise ValueError(f"a bar of leg {leg} comes out of turn")
                    bars += 1
            if self.offset[leg] < 0 or self.offset[leg] + bars > size:
                raise ValueError(f"leg {leg} goes beyond its columns")

    @cython.cfunc
    @cython.exceptval(-1)
    def match(
        self, desk: Desk, book: object, t: cython.Py_ssize_t, now: cython.Py_ssize_t
    ) -> cython.int:
        """Match the orders that work in a slice, leg by leg; the book counts it as ``now``."""
        leg: cython.Py_ssize_t
        at: cython.Py_ssize_t
        bar: cython.longlong
        for leg in range(self.legs):
            bar = self.bar_at[self.home[leg], t]
            if bar < 0:
                if self.ended[leg] == t:
                    book.close_out(leg, desk.last[leg], self.months[t], now)
            elif self.working[2, leg] > 0:
                at = self.offset[leg] + bar
                book.match(
                    leg,
                    (
                        self.open[at],
                        self.high[at],
                        self.low[at],
                        self.close[at],
                        self.volume[at] if self.has_volume else 0.0,
                    ),
                    (self.sessions[t], self.months[t]),
                    now,
                )
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def show(self, desk: Desk, t: cython.Py_ssize_t) -> cython.int:
        """Put the bars of a slice, which has closed, on the desk."""
        leg: cython.Py_ssize_t
        at: cython.Py_ssize_t
        k: cython.Py_ssize_t
        bar: cython.longlong
        desk.ts_close_ns = self.ts_close_ns[t]
        for leg in range(self.legs):
            bar = self.bar_at[self.home[leg], t]
            if bar < 0:
                desk.fresh[leg] = 0
                continue
            at = self.offset[leg] + bar
            k = desk.lengths[leg]
            if k == desk.stamps.shape[1]:
                desk.grow()
            desk.fresh[leg] = 1
            desk.last[leg] = self.close[at]
            desk.stamps[leg, k] = self.ts_close_ns[t]
            desk.history[0, leg, k] = self.close[at]
            if self.has_range:
                desk.history[1, leg, k] = self.open[at]
                desk.history[2, leg, k] = self.high[at]
                desk.history[3, leg, k] = self.low[at]
            if self.has_volume:
                desk.history[desk.history.shape[0] - 1, leg, k] = self.volume[at]
            desk.lengths[leg] = k + 1
        return 0


@cython.cfunc
@cython.exceptval(check=False)
def _value(desk: Desk, t: cython.Py_ssize_t, peak: cython.double[::1]) -> cython.void:
    """Value the account at the last closes, and follow the peak leverage."""
    value: cython.double = desk.ledger[0]
    gross: cython.double = 0.0
    signed: cython.double
    leg: cython.Py_ssize_t
    for leg in range(desk.last.shape[0]):
        if desk.ledger[1 + leg] != 0.0:
            signed = desk.ledger[1 + leg] * desk.last[leg]
            value += signed
            gross += abs(signed)
            if not desk.fresh[leg]:
                peak[2] += 1.0
    desk.equity = value
    # Multiplied out, so that a division is paid for only where the peak moves.
    if value > 0.0 and gross > peak[0] * value:
        peak[0] = gross / value
        peak[1] = t


def replay(
    desk: Desk,
    book: object,
    calls: tuple,
    columns: tuple,
    slices: tuple,
    shape: tuple,
    equity: cython.double[::1],
    peak: cython.double[::1],
    begin: cython.Py_ssize_t = 0,
) -> int:
    """Show a strategy the bars one slice at a time; return the slice of ruin or N; see the stub."""
    market: _Market = _Market(columns, slices, shape)
    on_bar: object = calls[0]
    tracked: list = calls[1]
    has_tracked: cython.bint = len(tracked) > 0
    n: cython.Py_ssize_t = market.ts_close_ns.shape[0]
    t: cython.Py_ssize_t
    if equity.shape[0] != n - market.first or peak.shape[0] < 3:
        raise ValueError("equity must hold one number for every slice from first on, and peak 3")
    if begin < 0:
        raise ValueError(f"the slices begin at {begin}")
    if desk.history.shape[0] != 1 + 3 * market.has_range + market.has_volume:
        raise ValueError("history must have a row for each field of the market")
    if market.legs != desk.last.shape[0]:
        raise ValueError(f"the desk has {desk.last.shape[0]} legs and the market {market.legs}")
    for t in range(n):
        desk.is_warming_up = t < market.first
        # Orders that a fill calls forth belong to this slice, and work from the next one on.
        desk.now = begin + t
        if t >= market.first:
            market.match(desk, book, t, begin + t)
        market.show(desk, t)
        if t >= market.first:
            _value(desk, begin + t, peak)
            equity[t - market.first] = desk.equity
            if desk.equity <= 0.0:
                return t
        if has_tracked:
            _feed(desk, tracked)
        on_bar(desk)
    return n
