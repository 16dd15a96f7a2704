"""Order book kernel: working orders of one account, matched against one symbol's bar at a time.

Oracle: ``neural_trader.backtesting.reference_book``; text: ``docs/semantics.md``, "Orders".

Orders stand in columns: ``floats`` float64 (6, n), rows quantity, filled, limit, stop, fee due, fee
paid (NaN: no limit, no stop); ``ints`` int64 (7, n), rows leg, slice after which it works, session,
next order of the leg, time in force, status, triggered. ``ledger`` float64 IN/OUT, cash and then
the quantity of each leg. ``where`` int64 (3, n) OUT, bar, leg and order of each fill; ``fills``
float64 (5, n) OUT, quantity, reference price, price, fee, cash afterwards.
Directives: no bounds checks and no wraparound, because orders are reached only through the lists of
their legs, legs are checked where they come in, and room for fills is made before a bar is matched;
cdivision, because lots, ticks and steps are known to be positive where they divide.
The matching runs without the GIL and allocates nothing; it takes the GIL to tell a listener of a
fill. A listener may place, cancel and replace: no column is kept in a local over that call.
Cost: O(orders that work at the symbol) a bar. Order of summation: as in the oracle, term by term.
"""

import cython
from cython.cimports.libc.math import ceil, fabs, floor

FLOAT_ROWS = 6
INT_ROWS = 7
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
        self.floats = allocate((FLOAT_ROWS, 64), "float64")
        self.ints = allocate((INT_ROWS, 64), "int64")
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
        used: cython.Py_ssize_t = self.n_orders
        room: cython.Py_ssize_t = max(count, 2 * self.floats.shape[1])
        if count <= self.floats.shape[1]:
            return
        floats: cython.double[:, ::1] = self.allocate((FLOAT_ROWS, room), "float64")
        ints: cython.longlong[:, ::1] = self.allocate((INT_ROWS, room), "int64")
        floats[:, :used] = self.floats[:, :used]
        ints[:, :used] = self.ints[:, :used]
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
        return self.ints[STATUS, i] <= PARTIALLY_FILLED

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
        i: cython.Py_ssize_t = self.n_orders
        self.n_orders += 1
        self.floats[QTY, i] = qty
        self.floats[FILLED, i] = 0.0
        self.floats[LIMIT, i] = self._passive(leg, limit, qty > 0.0)
        self.floats[STOP, i] = self._passive(leg, stop, qty < 0.0)
        self.floats[FEE_DUE, i] = 0.0
        self.floats[FEE_PAID, i] = 0.0
        self.ints[LEG, i] = leg
        self.ints[PLACED, i] = now
        self.ints[SESSION, i] = -1
        self.ints[NEXT, i] = -1
        self.ints[TIF, i] = tif
        self.ints[STATUS, i] = 0
        self.ints[TRIGGERED, i] = 0
        if self.lists[0, leg] < 0:
            self.lists[0, leg] = i
        else:
            self.ints[NEXT, self.lists[1, leg]] = i
        self.lists[1, leg] = i
        self.lists[2, leg] += 1
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
            self.ints[STATUS, i] = CANCELED
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
        self.reserve_orders(self.n_orders + 1)
        return self._place(leg, qty, limit, stop, tif, now)

    def cancel(self, i: cython.Py_ssize_t) -> bool:
        """Cancel an order; return whether it was open."""
        self._check_order(i)
        if not self._is_open(i):
            return False
        self.ints[STATUS, i] = CANCELED
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
        leg: cython.Py_ssize_t = self.ints[LEG, i]
        self.floats[QTY, i] = qty
        self.ints[PLACED, i] = now
        if limit == limit:
            self.floats[LIMIT, i] = self._passive(leg, limit, qty > 0.0)
        if stop == stop:
            self.floats[STOP, i] = self._passive(leg, stop, qty < 0.0)

    @cython.cfunc
    def _check_order(self, i: cython.Py_ssize_t) -> cython.void:
        if i < 0 or i >= self.n_orders:
            raise ValueError(f"order {i} of {self.n_orders}")

    def order(self, i: cython.Py_ssize_t) -> tuple:
        """Return quantity, filled, limit, stop, leg, time in force, status; see the stub."""
        self._check_order(i)
        return (
            self.floats[QTY, i],
            self.floats[FILLED, i],
            self.floats[LIMIT, i],
            self.floats[STOP, i],
            self.ints[LEG, i],
            self.ints[TIF, i],
            self.ints[STATUS, i],
        )

    def status(self, i: cython.Py_ssize_t) -> int:
        """Return the place of an order's status in ``core.orders.STATUSES``."""
        self._check_order(i)
        return self.ints[STATUS, i]

    def open_ids(self) -> list:
        """Return the ids of the orders that may still fill, in the order of their making."""
        found: list = []
        leg: cython.Py_ssize_t
        i: cython.Py_ssize_t
        for leg in range(self.legs):
            i = self.lists[0, leg]
            while i >= 0:
                if self._is_open(i):
                    found.append(i)
                i = self.ints[NEXT, i]
        return sorted(found)

    def count_placed(self, now: cython.longlong) -> int:
        """Return how many open orders were placed, or changed last, in a slice."""
        count: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        for i in self.open_ids():
            if self.ints[PLACED, i] == now:
                count += 1
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
        if self.floats[QTY, i] > 0.0:
            beyond = self.floats[LIMIT, i] - price
        else:
            beyond = price - self.floats[LIMIT, i]
        if self.touch:
            return beyond >= 0.0
        return beyond > 0.0 and beyond >= self.grid[0, self.ints[LEG, i]] * TICK_SLACK

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _works(self, i: cython.Py_ssize_t) -> cython.bint:
        return self.ints[STATUS, i] <= PARTIALLY_FILLED and self.ints[PLACED, i] < self.now

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
        leg: cython.Py_ssize_t = self.ints[LEG, i]
        rest: cython.double = self._on_grid(leg, self.floats[QTY, i] - self.floats[FILLED, i])
        units: cython.double = fabs(rest)
        qty: cython.double = rest
        value: cython.double
        due: cython.double
        fee: cython.double
        k: cython.Py_ssize_t = self.n_fills
        if units > self.available:
            if self.ints[TIF, i] == FOK or self.available == 0.0:
                return 0
            units = self.available
            qty = units if rest > 0.0 else -units
            self.floats[FILLED, i] = self._on_grid(leg, self.floats[FILLED, i] + qty)
            self.ints[STATUS, i] = PARTIALLY_FILLED
        else:
            self.floats[FILLED, i] = self.floats[QTY, i]
            self.ints[STATUS, i] = FILLED_WHOLE
        self.available -= units
        value = units * price
        self.floats[FEE_DUE, i] += self._rate() * value + self.rates[1] * units
        self.traded += value
        due = self.floats[FEE_DUE, i]
        if due < self.rates[2]:
            due = self.rates[2]
        fee = due - self.floats[FEE_PAID, i]
        self.floats[FEE_PAID, i] = due
        self.ledger[0] = self.ledger[0] - qty * price - fee
        self.ledger[1 + leg] = self._on_grid(leg, self.ledger[1 + leg] + qty)
        self.where[0, k] = self.now
        self.where[1, k] = leg
        self.where[2, k] = i
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
        buying: cython.bint = self.floats[QTY, i] > 0.0
        stop: cython.double = self.floats[STOP, i]
        if stop == stop and not self.ints[TRIGGERED, i]:
            if not (self.open >= stop if buying else self.open <= stop):
                return 0
            self.ints[TRIGGERED, i] = 1
        if self.floats[LIMIT, i] != self.floats[LIMIT, i]:
            return self._execute(i, self.open, self._slipped(self.open, buying))
        if self._is_through(i, self.open):
            return self._execute(i, self.open, self.open)
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _during_stop(self, i: cython.Py_ssize_t) -> cython.int:
        """Fill a stop whose trigger lies within the bar; return 1 if it filled."""
        buying: cython.bint = self.floats[QTY, i] > 0.0
        stop: cython.double = self.floats[STOP, i]
        limit: cython.double = self.floats[LIMIT, i]
        price: cython.double
        if stop != stop or self.ints[TRIGGERED, i]:
            return 0
        if not (self.high >= stop if buying else self.low <= stop):
            return 0
        self.ints[TRIGGERED, i] = 1
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
        self.ints[PLACED, i] = self.now
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1)
    def _during_limit(self, i: cython.Py_ssize_t) -> cython.int:
        """Fill a limit that the bar trades through; return 1 if it filled."""
        limit: cython.double = self.floats[LIMIT, i]
        if limit != limit:
            return 0
        if self.floats[STOP, i] == self.floats[STOP, i] and not self.ints[TRIGGERED, i]:
            return 0
        if not self._is_through(i, self.low if self.floats[QTY, i] > 0.0 else self.high):
            return 0
        return self._execute(i, limit, limit)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _prune(self, leg: cython.Py_ssize_t) -> cython.void:
        """Drop what is no longer open from the list of a leg."""
        i: cython.Py_ssize_t = self.lists[0, leg]
        last: cython.Py_ssize_t = -1
        count: cython.Py_ssize_t = 0
        self.lists[0, leg] = -1
        while i >= 0:
            if self._is_open(i):
                if last < 0:
                    self.lists[0, leg] = i
                else:
                    self.ints[NEXT, last] = i
                last = i
                count += 1
            i = self.ints[NEXT, i]
        if last >= 0:
            self.ints[NEXT, last] = -1
        self.lists[1, leg] = last
        self.lists[2, leg] = count

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _open_session(self, leg: cython.Py_ssize_t, session: cython.longlong) -> cython.void:
        """Note the session in which an order first works, and expire those of an earlier day."""
        i: cython.Py_ssize_t = self.lists[0, leg]
        while i >= 0:
            if self.ints[PLACED, i] < self.now:
                if self.ints[SESSION, i] < 0:
                    self.ints[SESSION, i] = session
                elif self.ints[TIF, i] == DAY and self.ints[SESSION, i] != session:
                    if self._is_open(i):
                        self.ints[STATUS, i] = EXPIRED
            i = self.ints[NEXT, i]

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
                if self._is_open(i) and self.ints[TIF, i] >= IOC:
                    self.ints[STATUS, i] = CANCELED
            i = self.ints[NEXT, i]
        i = self.lists[0, leg]
        while i >= 0:
            if self._works(i) and self._during_stop(i):
                stopped = True
            i = self.ints[NEXT, i]
        i = self.lists[0, leg]
        while i >= 0:
            if self._works(i) and self._during_limit(i):
                limited = True
            i = self.ints[NEXT, i]
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
                self.ints[STATUS, i] = EXPIRED
            i = self.ints[NEXT, i]
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
        self.reserve_orders(self.n_orders + 1)
        self.close = close
        self.bar_month = month
        self.now = now
        self.listening = True
        self._close_out(leg, nan)
