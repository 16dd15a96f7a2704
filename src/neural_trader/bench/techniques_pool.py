"""Orders from a pool in the gateway's core, to see whether it would help: the product has none.

The core makes an object for every order and lets it go when the order has ended and 16,384 others
have ended after it. Here it is given back to a pool then, and the next order is the same object.
"""

import time
from typing import Final
from unittest.mock import patch

from neural_trader.bench.data_measure import Figure, Measured
from neural_trader.execution import accounts, core
from neural_trader.execution import messages as m
from neural_trader.execution.accounts import Account
from neural_trader.execution.orders import LiveOrder

_ORDERS: Final = 40_000
_OPEN: Final = 64
_RUNS: Final = 3
_SECOND_NS: Final = 1_000_000_000


class _Pool:
    """Hands out orders that were given back, and makes one where there is none; counts those."""

    def __init__(self) -> None:
        self.made = 0
        self.free: list[LiveOrder] = []

    def take(self, account: int, no: int, client: int, symbol: str) -> LiveOrder:
        """Return an order as if it were new."""
        if not self.free:
            self.made += 1
            return LiveOrder(account, no, client, symbol)
        order = self.free.pop()
        # What a new order has: the core sets the other fields of every order itself.
        order.account = account
        order.no = no
        order.client = client
        order.symbol = symbol
        order.filled = 0
        order.venue_id = 0
        order.fill_ids = ()
        return order


def measure_pool() -> Measured:
    """Time the core with orders of a pool."""
    pool = _Pool()

    class PooledAccount(Account):
        """Gives the order that it forgets back to the pool."""

        __slots__ = ()

        def end(self, order: LiveOrder) -> None:
            if self.open.pop(order.no, None) is None:
                return
            self.ended[order.no] = order
            nos = self.ended_nos
            nos.append(order.no)
            if len(nos) > accounts.ENDED_MAX:
                pool.free.append(self.ended.pop(nos.popleft()))

    with patch.object(core, "LiveOrder", pool.take), patch.object(core, "Account", PooledAccount):
        desk = _Desk()
        made = pool.made
        took = desk.run()
    return _measured(desk, took, (pool.made - made) / _RUNS)


def measure_fresh() -> Measured:
    """Time the core as it is, and count the orders that it makes apart from that."""
    desk = _Desk()
    took = desk.run()
    # Counting takes time: it is done apart, by another core.
    pool = _Pool()
    with patch.object(core, "LiveOrder", pool.take):
        counted = _Desk()
        made = pool.made
        counted.run()
    return _measured(desk, took, (pool.made - made) / _RUNS)


class _Desk:
    """A core with an account, whose orders are submitted, accepted and filled: 64 at a time."""

    def __init__(self) -> None:
        self.core = core.Core()
        self.core.apply(m.Listed(1, "KO", "0.01", "1", "0.01"))
        self.core.apply(m.AccountOpened(1, 1, "bench", 10**11))
        self.account = self.core.accounts[1]
        self.no = 0
        # What is forgotten first must have been remembered: from then on a pool is never empty.
        self._feed(self._events(accounts.ENDED_MAX + _OPEN))

    def run(self) -> float:
        """Return the CPU microseconds of an order: the least of some runs, events made before."""
        taken = []
        for _ in range(_RUNS):
            events = self._events(_ORDERS)
            began = time.process_time()
            self._feed(events)
            taken.append(time.process_time() - began)
        return min(taken) / _ORDERS * 1e6

    def _feed(self, events: list[m.Record]) -> None:
        apply = self.core.apply
        for event in events:
            apply(event)

    def _events(self, orders: int) -> list[m.Record]:
        """Return what happens to so many orders: all of a batch open, then all of it filled."""
        found: list[m.Record] = []
        for begin in range(0, orders, _OPEN):
            batch = range(self.no + 1, self.no + 1 + min(_OPEN, orders - begin))
            self.no = batch[-1]
            for no in batch:
                ts = no * _SECOND_NS // 1_000
                qty = 1 if no % 2 else -1
                found.extend(
                    (
                        m.Submitted(1, ts, no, 1, "KO", qty, 0, 0, 0, 0, False, 5_600),
                        m.Accepted(1, 0, ts, no, 1, no, "KO", qty, 0, 0, 0, 0),
                    )
                )
            for no in batch:
                ts = no * _SECOND_NS // 1_000
                qty = 1 if no % 2 else -1
                found.append(m.Filled(1, 0, ts, no, no, "KO", qty, 5_600, 5_600, 1, qty, ts))
        return found


def _measured(desk: _Desk, took_us: float, made: float) -> Measured:
    account = desk.account
    book = account.book
    figures = [
        Figure("CPU of an order in the core", "us", took_us),
        Figure(f"order objects for {_ORDERS:,} orders", "", made),
    ]
    answer = {
        "cash": [float(book.cash)],
        "last": [float(account.last_no), float(desk.core.last_fill_id)],
        "ended": [float(x) for x in account.ended],
        "filled": [float(one.filled) for one in account.ended.values()],
        "fills": [float(sum(one.fill_ids)) for one in account.ended.values()],
    }
    return Measured(figures, answer)
