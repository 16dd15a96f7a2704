"""Order book kernel: working orders of one account, matched against one symbol's bar at a time.

Oracle: ``neural_trader.backtesting.reference_book``; text: ``docs/semantics.md``, "Orders".

Orders stand in rows: ``floats`` float64 (n, 6), quantity, filled, limit, stop, fee due, fee paid
(NaN: no limit, no stop); ``ints`` int64 (n, 8), leg, slice after which it works, session, next
order of the leg, time in force, status, triggered, id. Where nobody can ask for an order again, as
for those of a frame, the row of one that is done is used anew. ``ledger`` float64 IN/OUT, cash and
then the quantity of each leg. ``where`` int64 (3, n) OUT, bar, leg and order of each fill;
``fills`` float64 (5, n) OUT, quantity, reference price, price, fee, cash afterwards.
Directives: no bounds checks and no wraparound, because orders are reached only through the lists of
their legs, legs are checked where they come in, and room for fills is made before a bar is matched;
cdivision, because lots, ticks and steps are known to be positive where they divide.
The matching runs without the GIL and allocates nothing; it takes the GIL to tell a listener of a
fill. A listener may place, cancel and replace: no column is kept in a local over that call.
Cost: O(orders that work at the symbol) a bar. Order of summation: as in the oracle, term by term.
"""

import cython
from cython.cimports.libc.math import ceil, fabs, floor

FLOATS = 6
INTS = 8
FILL_ROWS = 5

QTY = cython.declare(cython.int, 0)
FILLED = cython.declare(cython.int, 1)
LIMIT = cython.declare(cython.int, 2)
STOP = cython.declare(cython.int, 3)
FEE_DUE = cython.declare(cython.int, 4)
FEE_PAID = cython.declare(cython.int, 5)

LEG = cython.declare(cython.int, 0)
PLACED = cython.declare(cython.int, 1)
SESSION = cython.declare(cython.int, 2)
NEXT = cython.declare(cython.int, 3)
TIF = cython.declare(cython.int, 4)
STATUS = cython.declare(cython.int, 5)
TRIGGERED = cython.declare(cython.int, 6)
ID = cython.declare(cython.int, 7)

# Places in core/orders.py; a test holds them to it.
DAY = cython.declare(cython.int, 1)
IOC = cython.declare(cython.int, 2)
FOK = cython.declare(cython.int, 3)
PARTIALLY_FILLED = cython.declare(cython.int, 1)
FILLED_WHOLE = cython.declare(cython.int, 2)
CANCELED = cython.declare(cython.int, 3)
EXPIRED = cython.declare(cython.int, 4)

TICK_SLACK = cython.declare(cython.double, 1.0 - 1e-6)
SLACK = cython.declare(cython.double, 1e-9)
INFINITE = cython.declare(cython.double, float("inf"))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _grid_value(
    steps: cython.double, step: cython.double, per_unit: cython.double
) -> cython.double:
    """Return the value of a number of steps; divide where a unit holds a whole number."""
    return steps / per_unit if per_unit > 0.0 else steps * step


@cython.final
@cython.cclass
class Book:
    """Orders, cash and quantities of one account; see the stub."""

    allocate: object
    listener: object
    ledger: cython.double[::1]
    rates: cython.const[cython.double][::1]
    tiers: cython.const[cython.double][:, ::1]
    grid: cython.const[cython.double][:, ::1]
    volume_share: cython.double
    touch: cython.bint
    floats: cython.double[:, ::1]
    ints: cython.longlong[:, ::1]
    lists: cython.longlong[:, ::1]
    where: cython.longlong[:, ::1]
    fills: cython.double[:, ::1]
    legs: cython.Py_ssize_t
    n_orders: cython.Py_ssize_t
    n_working: cython.Py_ssize_t
    n_rows: cython.Py_ssize_t
    free: cython.Py_ssize_t
    recycles: cython.bint
    n_fills: cython.Py_ssize_t
    n_ambiguous: cython.Py_ssize_t
    open: cython.double
    high: cython.double
    low: cython.double
    close: cython.double
    bar_month: cython.longlong
    now: cython.longlong
    listening: cython.bint
    month: cython.longlong
    traded: cython.double
    available: cython.double

    def __init__(
        self,
        ledger: cython.double[::1],
        rates: cython.const[cython.double][::1],
        tiers: cython.const[cython.double][:, ::1],
        grid: cython.const[cython.double][:, ::1],
        matching: tuple,
        lists: cython.longlong[:, ::1],
        allocate: object,
    ) -> None:
        self.legs = ledger.shape[0] - 1
        if self.legs < 1 or grid.shape[0] < 4 or grid.shape[1] != self.legs:
            raise ValueError("ledger must hold cash and every leg, and grid 4 rows for each leg")
        if rates.shape[0] != 5 or tiers.shape[0] < 2:
            raise ValueError("rates must hold 5 numbers and tiers 2 rows")
        self.ledger = ledger
        self.rates = rates
        self.tiers = tiers
        self.grid = grid
        self.volume_share = matching[0]
        self.touch = matching[1]
        self.allocate = allocate
        self.listener = None
        self.n_orders = 0
        self.n_working = 0
        self.n_rows = 0
        self.free = -1
        self.recycles = False
        self.n_fills = 0
        self.n_ambiguous = 0
        self.month = -1
        self.traded = 0.0
        self.available = 0.0
        # Rows: first and last order of each leg's list, its length, and the last target's order.
        if lists.shape[0] != 4 or lists.shape[1] != self.legs:
            raise ValueError("lists must be 4 x legs")
        self.lists = lists
        leg: cython.Py_ssize_t
        for leg in range(self.legs):
            self.lists[0, leg] = -1
            self.lists[1, leg] = -1
            self.lists[2, leg] = 0
            self.lists[3, leg] = -1
        self.floats = allocate((64, FLOATS), "float64")
        self.ints = allocate((64, INTS), "int64")
        self.where = allocate((3, 64), "int64")
        self.fills = allocate((FILL_ROWS, 64), "float64")

    def listen(self, listener: object) -> None:
        """Have a function called with the number of every fill that ``match`` makes."""
        self.listener = listener

    def fill(self, k: cython.Py_ssize_t) -> tuple:
        """Return a fill: bar, leg, order, quantity, reference price, price, fee, cash."""
        if k < 0 or k >= self.n_fills:
            raise ValueError(f"fill {k} of {self.n_fills}")
        return (
            self.where[0, k],
            self.where[1, k],
            self.where[2, k],
            self.fills[0, k],
            self.fills[1, k],
            self.fills[2, k],
            self.fills[3, k],
            self.fills[4, k],
        )

    def filled(self) -> tuple:
        """Return where, fills, and how many of their columns are used."""
        return self.where, self.fills, self.n_fills

    def counts(self) -> tuple:
        """Return how many orders there were, and in how many bars their sequence was unknown."""
        return self.n_orders, self.n_ambiguous

    # --------------------------------------------------------------------------------------- room
    def reserve_orders(self, count: cython.Py_ssize_t) -> None:
        """Make room for so many orders in all."""
        used: cython.Py_ssize_t = self.n_rows
        room: cython.Py_ssize_t = max(count, 2 * self.floats.shape[0])
        if count <= self.floats.shape[0]:
            return
        floats: cython.double[:, ::1] = self.allocate((room, FLOATS), "float64")
        ints: cython.longlong[:, ::1] = self.allocate((room, INTS), "int64")
        floats[:used] = self.floats[:used]
        ints[:used] = self.ints[:used]
        self.floats = floats
        self.ints = ints

    def reserve_fills(self, count: cython.Py_ssize_t) -> None:
        """Make room for so many fills in all."""
        used: cython.Py_ssize_t = self.n_fills
        room: cython.Py_ssize_t = max(count, 2 * self.fills.shape[1])
        if count <= self.fills.shape[1]:
            return
        where: cython.longlong[:, ::1] = self.allocate((3, room), "int64")
        fills: cython.double[:, ::1] = self.allocate((FILL_ROWS, room), "float64")
        where[:, :used] = self.where[:, :used]
        fills[:, :used] = self.fills[:, :used]
        self.where = where
        self.fills = fills

    # --------------------------------------------------------------------------------- quantities
    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _on_grid(self, leg: cython.Py_ssize_t, qty: cython.double) -> cython.double:
        lot: cython.double = self.grid[2, leg]
        if lot == 0.0:
            return qty
        return _grid_value(floor(qty / lot + 0.5), lot, self.grid[3, leg])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _whole_lots(self, leg: cython.Py_ssize_t, qty: cython.double) -> cython.double:
        lot: cython.double = self.grid[2, leg]
        units: cython.double
        if lot == 0.0:
            return qty
        units = _grid_value(floor(fabs(qty) / lot + SLACK), lot, self.grid[3, leg])
        return units if qty > 0.0 else -units

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _passive(
        self, leg: cython.Py_ssize_t, price: cython.double, down: cython.bint
    ) -> cython.double:
        tick: cython.double = self.grid[0, leg]
        if tick == 0.0 or price != price:
            return price
        if down:
            return _grid_value(floor(price / tick + SLACK), tick, self.grid[1, leg])
        return _grid_value(ceil(price / tick - SLACK), tick, self.grid[1, leg])

    # ------------------------------------------------------------------------------------- orders
    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _is_open(self, i: cython.Py_ssize_t) -> cython.bint:
        return self.ints[i, STATUS] <= PARTIALLY_FILLED

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _place(
        self,
        leg: cython.Py_ssize_t,
        qty: cython.double,
        limit: cython.double,
        stop: cython.double,
        tif: cython.longlong,
        now: cython.longlong,
    ) -> cython.Py_ssize_t:
        """Append an order to its leg's list; there must be room."""
        i: cython.Py_ssize_t = self.free
        if i >= 0:
            self.free = self.ints[i, NEXT]
        else:
            i = self.n_rows
            self.n_rows += 1
        self.ints[i, ID] = self.n_orders
        self.n_orders += 1
        self.floats[i, QTY] = qty
        self.floats[i, FILLED] = 0.0
        self.floats[i, LIMIT] = self._passive(leg, limit, qty > 0.0)
        self.floats[i, STOP] = self._passive(leg, stop, qty < 0.0)
        self.floats[i, FEE_DUE] = 0.0
        self.floats[i, FEE_PAID] = 0.0
        self.ints[i, LEG] = leg
        self.ints[i, PLACED] = now
        self.ints[i, SESSION] = -1
        self.ints[i, NEXT] = -1
        self.ints[i, TIF] = tif
        self.ints[i, STATUS] = 0
        self.ints[i, TRIGGERED] = 0
        if self.lists[0, leg] < 0:
            self.lists[0, leg] = i
        else:
            self.ints[self.lists[1, leg], NEXT] = i
        self.lists[1, leg] = i
        self.lists[2, leg] += 1
        self.n_working += 1
        return i

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _target(
        self, leg: cython.Py_ssize_t, qty: cython.double, now: cython.longlong, nan: cython.double
    ) -> cython.void:
        """Order what is missing to a quantity; what an earlier target has open is canceled."""
        i: cython.Py_ssize_t = self.lists[3, leg]
        missing: cython.double
        if i >= 0 and self._is_open(i):
            self.ints[i, STATUS] = CANCELED
        self.lists[3, leg] = -1
        missing = self._on_grid(leg, self._whole_lots(leg, qty) - self.ledger[1 + leg])
        if missing != 0.0:
            self.lists[3, leg] = self._place(leg, missing, nan, nan, 0, now)

    def place(
        self,
        leg: cython.Py_ssize_t,
        qty: cython.double,
        limit: cython.double,
        stop: cython.double,
        tif: cython.longlong,
        now: cython.longlong,
    ) -> int:
        """Take an order and return its id; see the stub."""
        if leg < 0 or leg >= self.legs or not 0 <= tif <= 3 or qty == 0.0:
            raise ValueError(f"an order of {qty} for leg {leg}, time in force {tif}")
        self.reserve_orders(self.n_rows + 1)
        return self._place(leg, qty, limit, stop, tif, now)

    def cancel(self, i: cython.Py_ssize_t) -> bool:
        """Cancel an order; return whether it was open."""
        self._check_order(i)
        if not self._is_open(i):
            return False
        self.ints[i, STATUS] = CANCELED
        return True

    def replace(
        self,
        i: cython.Py_ssize_t,
        qty: cython.double,
        limit: cython.double,
        stop: cython.double,
        now: cython.longlong,
    ) -> None:
        """Change an open order; see the stub."""
        self._check_order(i)
        leg: cython.Py_ssize_t = self.ints[i, LEG]
        self.floats[i, QTY] = qty
        self.ints[i, PLACED] = now
        if limit == limit:
            self.floats[i, LIMIT] = self._passive(leg, limit, qty > 0.0)
        if stop == stop:
            self.floats[i, STOP] = self._passive(leg, stop, qty < 0.0)

    @cython.cfunc
    def _check_order(self, i: cython.Py_ssize_t) -> cython.void:
        if i < 0 or i >= self.n_orders:
            raise ValueError(f"order {i} of {self.n_orders}")

    def order(self, i: cython.Py_ssize_t) -> tuple:
        """Return quantity, filled, limit, stop, leg, time in force, status; see the stub."""
        self._check_order(i)
        return (
            self.floats[i, QTY],
            self.floats[i, FILLED],
            self.floats[i, LIMIT],
            self.floats[i, STOP],
            self.ints[i, LEG],
            self.ints[i, TIF],
            self.ints[i, STATUS],
        )

    def status(self, i: cython.Py_ssize_t) -> int:
        """Return the place of an order's status in ``core.orders.STATUSES``."""
        self._check_order(i)
        return self.ints[i, STATUS]

    def open_ids(self) -> list:
        """Return the ids of the orders that may still fill, in the order of their making."""
        found: list = []
        leg: cython.Py_ssize_t
        i: cython.Py_ssize_t
        for leg in range(self.legs):
            i = self.lists[0, leg]
            while i >= 0:
                if self._is_open(i):
                    found.append(self.ints[i, ID])
                i = self.ints[i, NEXT]
        return sorted(found)

    def count_placed(self, now: cython.longlong) -> int:
        """Return how many open orders were placed, or changed last, in a slice."""
        count: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        leg: cython.Py_ssize_t
        for leg in range(self.legs):
            i = self.lists[0, leg]
            while i >= 0:
                if self._is_open(i) and self.ints[i, PLACED] == now:
                    count += 1
                i = self.ints[i, NEXT]
        return count

    # ----------------------------------------------------------------------------------- matching
    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _rate(self) -> cython.double:
        rate: cython.double = self.rates[0]
        k: cython.Py_ssize_t
        if self.bar_month != self.month:
            self.month = self.bar_month
            self.traded = 0.0
        for k in range(self.tiers.shape[1]):
            if self.traded >= self.tiers[0, k]:
                rate = self.tiers[1, k]
        return rate

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _slipped(self, reference: cython.double, buying: cython.bint) -> cython.double:
        price: cython.double
        if buying:
            return reference * (1.0 + self.rates[3]) + self.rates[4]
        price = reference * (1.0 - self.rates[3]) - self.rates[4]
        return price if price > 0.0 else 0.0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _is_through(self, i: cython.Py_ssize_t, price: cython.double) -> cython.bint:
        beyond: cython.double
        if self.floats[i, QTY] > 0.0:
            beyond = self.floats[i, LIMIT] - price
        else:
            beyond = price - self.floats[i, LIMIT]
        if self.touch:
            return beyond >= 0.0
        return beyond > 0.0 and beyond >= self.grid[0, self.ints[i, LEG]] * TICK_SLACK

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _works(self, i: cython.Py_ssize_t) -> cython.bint:
        return self.ints[i, STATUS] <= PARTIALLY_FILLED and self.ints[i, PLACED] < self.now

    @cython.cfunc
    @cython.with_gil
    @cython.exceptval(-1)
    def _tell(self) -> cython.int:
        """Tell the listener of the last fill."""
        k: cython.Py_ssize_t = self.n_fills - 1
        self.listener(k)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _execute(
        self, i: cython.Py_ssize_t, reference: cython.double, price: cython.double
    ) -> cython.int:
        """Fill what the volume allows; return 1 if anything filled."""
        leg: cython.Py_ssize_t = self.ints[i, LEG]
        rest: cython.double = self._on_grid(leg, self.floats[i, QTY] - self.floats[i, FILLED])
        units: cython.double = fabs(rest)
        qty: cython.double = rest
        value: cython.double
        due: cython.double
        fee: cython.double
        k: cython.Py_ssize_t = self.n_fills
        if units > self.available:
            if self.ints[i, TIF] == FOK or self.available == 0.0:
                return 0
            units = self.available
            qty = units if rest > 0.0 else -units
            self.floats[i, FILLED] = self._on_grid(leg, self.floats[i, FILLED] + qty)
            self.ints[i, STATUS] = PARTIALLY_FILLED
        else:
            self.floats[i, FILLED] = self.floats[i, QTY]
            self.ints[i, STATUS] = FILLED_WHOLE
        self.available -= units
        value = units * price
        self.floats[i, FEE_DUE] += self._rate() * value + self.rates[1] * units
        self.traded += value
        due = self.floats[i, FEE_DUE]
        if due < self.rates[2]:
            due = self.rates[2]
        fee = due - self.floats[i, FEE_PAID]
        self.floats[i, FEE_PAID] = due
        self.ledger[0] = self.ledger[0] - qty * price - fee
        self.ledger[1 + leg] = self._on_grid(leg, self.ledger[1 + leg] + qty)
        self.where[0, k] = self.now
        self.where[1, k] = leg
        self.where[2, k] = self.ints[i, ID]
        self.fills[0, k] = qty
        self.fills[1, k] = reference
        self.fills[2, k] = price
        self.fills[3, k] = fee
        self.fills[4, k] = self.ledger[0]
        self.n_fills = k + 1
        if self.listening:
            self._tell()
        return 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _at_the_open(self, i: cython.Py_ssize_t) -> cython.int:
        """Fill what the first price of the bar fills."""
        buying: cython.bint = self.floats[i, QTY] > 0.0
        stop: cython.double = self.floats[i, STOP]
        if stop == stop and not self.ints[i, TRIGGERED]:
            if not (self.open >= stop if buying else self.open <= stop):
                return 0
            self.ints[i, TRIGGERED] = 1
        if self.floats[i, LIMIT] != self.floats[i, LIMIT]:
            return self._execute(i, self.open, self._slipped(self.open, buying))
        if self._is_through(i, self.open):
            return self._execute(i, self.open, self.open)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _during_stop(self, i: cython.Py_ssize_t) -> cython.int:
        """Fill a stop whose trigger lies within the bar; return 1 if it filled."""
        buying: cython.bint = self.floats[i, QTY] > 0.0
        stop: cython.double = self.floats[i, STOP]
        limit: cython.double = self.floats[i, LIMIT]
        price: cython.double
        if stop != stop or self.ints[i, TRIGGERED]:
            return 0
        if not (self.high >= stop if buying else self.low <= stop):
            return 0
        self.ints[i, TRIGGERED] = 1
        price = self._slipped(stop, buying)
        if limit != limit:
            return self._execute(i, stop, price)
        if stop <= limit if buying else stop >= limit:
            if buying:
                price = limit if limit < price else price
            else:
                price = limit if limit > price else price
            return self._execute(i, stop, price)
        # The price had passed the limit when the order woke up: only the close is later.
        if self._is_through(i, self.close):
            return self._execute(i, limit, limit)
        self.ints[i, PLACED] = self.now
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _during_limit(self, i: cython.Py_ssize_t) -> cython.int:
        """Fill a limit that the bar trades through; return 1 if it filled."""
        limit: cython.double = self.floats[i, LIMIT]
        if limit != limit:
            return 0
        if self.floats[i, STOP] == self.floats[i, STOP] and not self.ints[i, TRIGGERED]:
            return 0
        if not self._is_through(i, self.low if self.floats[i, QTY] > 0.0 else self.high):
            return 0
        return self._execute(i, limit, limit)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _prune(self, leg: cython.Py_ssize_t) -> cython.void:
        """Drop what is no longer open from the list of a leg."""
        i: cython.Py_ssize_t = self.lists[0, leg]
        after: cython.Py_ssize_t
        last: cython.Py_ssize_t = -1
        count: cython.Py_ssize_t = 0
        self.lists[0, leg] = -1
        while i >= 0:
            after = self.ints[i, NEXT]
            if self._is_open(i):
                if last < 0:
                    self.lists[0, leg] = i
                else:
                    self.ints[last, NEXT] = i
                last = i
                count += 1
            elif self.recycles:
                if self.lists[3, leg] == i:
                    self.lists[3, leg] = -1
                self.ints[i, NEXT] = self.free
                self.free = i
            i = after
        if last >= 0:
            self.ints[last, NEXT] = -1
        self.lists[1, leg] = last
        self.n_working -= self.lists[2, leg] - count
        self.lists[2, leg] = count

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _open_session(self, leg: cython.Py_ssize_t, session: cython.longlong) -> cython.void:
        """Note the session in which an order first works, and expire those of an earlier day."""
        i: cython.Py_ssize_t = self.lists[0, leg]
        while i >= 0:
            if self.ints[i, PLACED] < self.now:
                if self.ints[i, SESSION] < 0:
                    self.ints[i, SESSION] = session
                elif self.ints[i, TIF] == DAY and self.ints[i, SESSION] != session:
                    if self._is_open(i):
                        self.ints[i, STATUS] = EXPIRED
            i = self.ints[i, NEXT]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _match(
        self, leg: cython.Py_ssize_t, volume: cython.double, session: cython.longlong
    ) -> cython.int:
        """Match the bar that stands in open, high, low and close: its open, stops, limits."""
        i: cython.Py_ssize_t
        stopped: cython.bint = False
        limited: cython.bint = False
        self.available = INFINITE
        if self.volume_share > 0.0:
            self.available = self._whole_lots(leg, self.volume_share * volume)
        self._open_session(leg, session)
        i = self.lists[0, leg]
        while i >= 0:
            if self._works(i):
                self._at_the_open(i)
                if self._is_open(i) and self.ints[i, TIF] >= IOC:
                    self.ints[i, STATUS] = CANCELED
            i = self.ints[i, NEXT]
        i = self.lists[0, leg]
        while i >= 0:
            if self._works(i) and self._during_stop(i):
                stopped = True
            i = self.ints[i, NEXT]
        i = self.lists[0, leg]
        while i >= 0:
            if self._works(i) and self._during_limit(i):
                limited = True
            i = self.ints[i, NEXT]
        if stopped and limited:
            self.n_ambiguous += 1
        self._prune(leg)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _close_out(self, leg: cython.Py_ssize_t, nan: cython.double) -> cython.int:
        """Expire the orders of a leg and close it at the close; there must be room."""
        i: cython.Py_ssize_t = self.lists[0, leg]
        held: cython.double = self.ledger[1 + leg]
        while i >= 0:
            if self._is_open(i):
                self.ints[i, STATUS] = EXPIRED
            i = self.ints[i, NEXT]
        self._prune(leg)
        if held == 0.0:
            return 0
        self.available = INFINITE
        i = self._place(leg, -held, nan, nan, 0, self.now - 1)
        self._execute(i, self.close, self._slipped(self.close, held < 0.0))
        self._prune(leg)
        return 0

    def match(self, leg: cython.Py_ssize_t, bar: tuple, days: tuple, now: cython.longlong) -> None:
        """Match one bar of one leg and tell the listener of its fills; see the stub."""
        if leg < 0 or leg >= self.legs:
            raise ValueError(f"leg {leg} of {self.legs}")
        self.reserve_fills(self.n_fills + self.lists[2, leg])
        self.open, self.high, self.low, self.close = bar[0], bar[1], bar[2], bar[3]
        self.bar_month = days[1]
        self.now = now
        self.listening = True
        self._match(leg, bar[4], days[0])

    def close_out(
        self,
        leg: cython.Py_ssize_t,
        close: cython.double,
        month: cython.longlong,
        now: cython.longlong,
    ) -> None:
        """Close a leg whose prices have ended; see the stub."""
        nan: cython.double = float("nan")
        if leg < 0 or leg >= self.legs:
            raise ValueError(f"leg {leg} of {self.legs}")
        self.reserve_fills(self.n_fills + 1)
        self.reserve_orders(self.n_rows + 1)
        self.close = close
        self.bar_month = month
        self.now = now
        self.listening = True
        self._close_out(leg, nan)

    # ------------------------------------------------------------------------------------ intents
    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _intend(
        self,
        leg: cython.Py_ssize_t,
        way: cython.longlong,
        size: cython.double,
        equity: cython.double,
        last: cython.double,
        limit: cython.double,
        stop: cython.double,
        tif: cython.longlong,
        nan: cython.double,
    ) -> cython.int:
        """Make the order of one intent; return 1 if it is denied for want of a price."""
        qty: cython.double = size
        if way == 0:
            qty = self._on_grid(leg, self._whole_lots(leg, size))
            if qty != 0.0:
                self._place(leg, qty, limit, stop, tif, self.now)
            return 0
        if way > 1:
            if last != last:
                return 1
            qty = size * (equity if way == 3 else 1.0) / last
        self._target(leg, qty, self.now, nan)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _value(
        self,
        close: cython.const[cython.double][::1],
        bar_at: cython.const[cython.longlong][:, ::1],
        shape: cython.const[cython.longlong][:, ::1],
        current: cython.longlong[::1],
        peak: cython.double[::1],
    ) -> cython.double:
        """Value the account at the last closes, and follow the peak leverage and stale marks."""
        value: cython.double = self.ledger[0]
        gross: cython.double = 0.0
        signed: cython.double
        home: cython.longlong
        leg: cython.Py_ssize_t
        for leg in range(self.legs):
            if self.ledger[1 + leg] != 0.0:
                home = shape[0, leg]
                signed = self.ledger[1 + leg] * close[shape[1, leg] + current[home]]
                value += signed
                gross += fabs(signed)
                if bar_at[home, self.now] < 0:
                    peak[2] += 1.0
        # Multiplied out, so that a division is paid for only where the peak moves.
        if value > 0.0 and gross > peak[0] * value:
            peak[0] = gross / value
            peak[1] = self.now
        return value

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-2)
    def _run(
        self,
        open_: cython.const[cython.double][::1],
        high: cython.const[cython.double][::1],
        low: cython.const[cython.double][::1],
        close: cython.const[cython.double][::1],
        volume: cython.const[cython.double][::1],
        days: cython.const[cython.longlong][:, ::1],
        bar_at: cython.const[cython.longlong][:, ::1],
        shape: cython.const[cython.longlong][:, ::1],
        slices: cython.const[cython.longlong][::1],
        chosen: cython.const[cython.longlong][::1],
        times: cython.const[cython.longlong][::1],
        sizes: cython.const[cython.double][::1],
        limits: cython.const[cython.double][::1],
        stops: cython.const[cython.double][::1],
        way: cython.longlong,
        cursor: cython.longlong[::1],
        current: cython.longlong[::1],
        equity: cython.double[::1],
        peak: cython.double[::1],
    ) -> cython.Py_ssize_t:
        """Go on from the slice at the cursor; return N, the slice of ruin, or -1 for more room."""
        n: cython.Py_ssize_t = bar_at.shape[1]
        count: cython.Py_ssize_t = slices.shape[0]
        is_plain: cython.bint = limits.shape[0] == 0
        first: cython.Py_ssize_t = cursor[2]
        k: cython.Py_ssize_t = cursor[1]
        t: cython.Py_ssize_t
        leg: cython.Py_ssize_t
        at: cython.Py_ssize_t
        home: cython.longlong
        more: cython.Py_ssize_t
        value: cython.double
        nan: cython.double = INFINITE - INFINITE
        for t in range(cursor[0], n):
            more = self.legs
            while k + more - self.legs < count and slices[k + more - self.legs] == t:
                more += 1
            if (
                self.n_fills + self.n_working + self.legs > self.fills.shape[1]
                or self.n_rows + more > self.floats.shape[0]
            ):
                cursor[0] = t
                cursor[1] = k
                cursor[3] = more
                return -1
            self.now = t
            self.bar_month = days[1, t]
            for home in range(bar_at.shape[0]):
                if bar_at[home, t] >= 0:
                    current[home] = bar_at[home, t]
            if t < first:
                continue
            for leg in range(self.legs):
                home = shape[0, leg]
                if bar_at[home, t] < 0:
                    if shape[2, leg] == t:
                        self.close = close[shape[1, leg] + current[home]]
                        self._close_out(leg, nan)
                elif self.lists[2, leg] > 0:
                    at = shape[1, leg] + current[home]
                    self.open = open_[at]
                    self.high = high[at]
                    self.low = low[at]
                    self.close = close[at]
                    self._match(leg, volume[at] if volume.shape[0] > 0 else 0.0, days[0, t])
            value = self._value(close, bar_at, shape, current, peak)
            equity[t - first] = value
            if value <= 0.0:
                return t
            while k < count and slices[k] == t:
                leg = chosen[k]
                home = shape[0, leg]
                peak[3] += self._intend(
                    leg,
                    way,
                    sizes[k],
                    value,
                    nan if current[home] < 0 else close[shape[1, leg] + current[home]],
                    nan if is_plain else limits[k],
                    nan if is_plain else stops[k],
                    0 if is_plain else times[k],
                    nan,
                )
                k += 1
        return n

    def run(
        self,
        market: tuple,
        intents: tuple,
        way: cython.longlong,
        first: cython.Py_ssize_t,
        equity: cython.double[::1],
        peak: cython.double[::1],
    ) -> int:
        """Turn intents into orders and match them; return the slice of ruin or N; see the stub."""
        open_: cython.const[cython.double][::1] = market[0]
        high: cython.const[cython.double][::1] = market[1]
        low: cython.const[cython.double][::1] = market[2]
        close: cython.const[cython.double][::1] = market[3]
        volume: cython.const[cython.double][::1] = market[4]
        days: cython.const[cython.longlong][:, ::1] = market[5]
        bar_at: cython.const[cython.longlong][:, ::1] = market[6]
        shape: cython.const[cython.longlong][:, ::1] = market[7]
        size: cython.Py_ssize_t = close.shape[0]
        slices: cython.const[cython.longlong][::1] = intents[0]
        chosen: cython.const[cython.longlong][::1] = intents[1]
        sizes: cython.const[cython.double][::1] = intents[2]
        limits: cython.const[cython.double][::1] = intents[3]
        stops: cython.const[cython.double][::1] = intents[4]
        times: cython.const[cython.longlong][::1] = intents[5]
        count: cython.Py_ssize_t = slices.shape[0]
        cursor: cython.longlong[::1] = self.allocate(4, "int64")
        current: cython.longlong[::1] = self.allocate(bar_at.shape[0], "int64")
        stop: cython.Py_ssize_t = -1
        i: cython.Py_ssize_t
        n: cython.Py_ssize_t = bar_at.shape[1]
        if open_.shape[0] != size or high.shape[0] != size or low.shape[0] != size:
            raise ValueError("open, high, low and close must be equally long")
        if volume.shape[0] not in (0, size):
            raise ValueError("volume must be empty or as long as close")
        _check_calendars(size, days, bar_at, shape, self.legs)
        if chosen.shape[0] != count or sizes.shape[0] != count or not 0 <= way <= 3:
            raise ValueError("slices, legs and sizes must be equally long, and way 0 to 3")
        if limits.shape[0] not in (0, count) or stops.shape[0] != limits.shape[0]:
            raise ValueError("limits and stops must be empty, or as long as sizes")
        if times.shape[0] != limits.shape[0]:
            raise ValueError("times in force must be as many as limits")
        if not 0 <= first <= n or equity.shape[0] != n - first or peak.shape[0] < 4:
            raise ValueError("equity must hold a number for every slice from first on, and peak 4")
        for i in range(count):
            if slices[i] < first or slices[i] >= n or (i > 0 and slices[i] < slices[i - 1]):
                raise ValueError(f"intent {i} is at slice {slices[i]}")
            if not 0 <= chosen[i] < self.legs:
                raise ValueError(f"intent {i} is for leg {chosen[i]}")
            if limits.shape[0] > 0 and not 0 <= times[i] <= 3:
                raise ValueError(f"intent {i} has time in force {times[i]}")
        self.listening = False
        self.recycles = True
        cursor[0] = 0
        cursor[1] = 0
        cursor[2] = first
        for i in range(bar_at.shape[0]):
            current[i] = -1
        while stop == -1:
            stop = self._run(
                open_, high, low, close, volume, days, bar_at, shape,
                slices, chosen, times, sizes, limits, stops, way,
                cursor, current, equity, peak,
            )  # fmt: skip
            if stop == -1:
                self.reserve_fills(self.n_fills + self.n_working + self.legs)
                self.reserve_orders(self.n_rows + cursor[3])
        return stop


@cython.cfunc
def _check_calendars(
    size: cython.Py_ssize_t,
    days: cython.const[cython.longlong][:, ::1],
    bar_at: cython.const[cython.longlong][:, ::1],
    shape: cython.const[cython.longlong][:, ::1],
    legs: cython.Py_ssize_t,
) -> cython.void:
    """Refuse calendars and columns that do not fit together: the loop reads without looking."""
    n: cython.Py_ssize_t = bar_at.shape[1]
    leg: cython.Py_ssize_t
    calendar: cython.Py_ssize_t
    t: cython.Py_ssize_t
    bars: cython.longlong
    if days.shape[0] != 2 or days.shape[1] != n or shape.shape[0] != 3 or shape.shape[1] != legs:
        raise ValueError("days must be 2 x slices, and shape 3 x legs")
    for calendar in range(bar_at.shape[0]):
        bars = 0
        for t in range(n):
            if bar_at[calendar, t] >= 0:
                if bar_at[calendar, t] != bars:
                    raise ValueError(f"bar {bar_at[calendar, t]} comes out of turn")
                bars += 1
        for leg in range(legs):
            if shape[0, leg] == calendar and not 0 <= shape[1, leg] <= size - bars:
                raise ValueError(f"leg {leg} goes beyond its columns")
    for leg in range(legs):
        if not 0 <= shape[0, leg] < bar_at.shape[0]:
            raise ValueError(f"leg {leg} has calendar {shape[0, leg]}")
