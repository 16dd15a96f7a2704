"""Hold the journal, the client's own book and what the gateway says to each other."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from neural_trader.execution import messages as m
from neural_trader.execution.journal import walk
from tests.reliability.trader import Book

OPENING_CASH: Final = 10_000_000
ENDS: Final = (m.Rejected, m.Canceled, m.Expired)


class Order:
    """What the journal says of an order."""

    def __init__(self, submitted: m.Submitted) -> None:
        self.no = submitted.no
        self.qty = submitted.qty
        self.filled = 0
        self.accepted = 0
        self.ends = 0
        self.is_unknown = False

    def apply(self, event: Any) -> None:
        """Follow an event."""
        kind = type(event)
        self.is_unknown = kind is m.Unknown or (self.is_unknown and kind is m.CancelRequested)
        if kind is m.Accepted:
            self.accepted += 1
        elif kind is m.Filled:
            self.filled += event.qty
        elif kind is m.Replaced:
            self.qty = event.qty
        elif kind in ENDS:
            self.ends += 1

    def faults(self) -> list[str]:
        """Return what cannot be of an order that is over."""
        is_filled = self.filled == self.qty
        found = []
        if self.accepted > 1:
            found.append(f"order {self.no} was accepted {self.accepted} times")
        if self.ends + is_filled != 1:
            found.append(f"order {self.no} ended {self.ends + is_filled} times")
        if abs(self.filled) > abs(self.qty):
            found.append(f"order {self.no} for {self.qty} has {self.filled} filled")
        if self.is_unknown:
            found.append(f"order {self.no} is unknown for ever")
        return found


class Audit:
    """What was found.

    Parameters
    ----------
    journal : Path
    book : Book
        Of the only client of the account ``main``.
    end : dict
        What that client was told at the end.

    Attributes
    ----------
    faults : list of str
        Whatever breaks a promise; empty if all is well.
    counts : Counter
        How often what happened.
    """

    def __init__(self, journal: Path, book: Book, end: dict[str, Any]) -> None:
        self.end = end
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self._orders: dict[int, Order] = {}
        self._fills: list[m.Filled] = []
        self._denied: set[int] = set()
        self._seq = 1
        self._last_no = 0
        for _, payload in walk(journal):
            self._read(m.decode_record(payload))
        for order in self._orders.values():
            self.faults += order.faults()
        self._hold_fills()
        self._hold_book(book)
        self._hold_money(end)

    def _read(self, event: Any) -> None:
        kind = type(event)
        self.counts[kind.__name__] += 1
        if getattr(event, "account", 1) != 1:
            return
        if hasattr(event, "seq"):
            if event.seq != self._seq:
                self.faults.append(f"event {event.seq} stands where {self._seq} was next")
            self._seq = event.seq + 1
        if kind is m.Submitted or kind is m.Denied:
            if event.no <= self._last_no:
                self.faults.append(f"number {event.no} was given after {self._last_no}")
            self._last_no = event.no
        if kind is m.Submitted:
            self._orders[event.no] = Order(event)
        elif kind is m.Denied:
            self._denied.add(event.no)
        elif kind is m.OrphanFilled:
            self.faults.append(f"fill {event.fill_id} of order {event.no} found no order")
        elif kind in (*ENDS, m.Accepted, m.Filled, m.Replaced, m.Unknown):
            self._orders[event.no].apply(event)
            if kind is m.Filled:
                self._fills.append(event)
            elif kind in (m.Canceled, m.Rejected):
                self.counts[event.reason] += 1

    def _hold_fills(self) -> None:
        """The venue counts its fills from 1: each of them is booked, and once."""
        ids = [fill.fill_id for fill in self._fills]
        if ids != list(range(1, len(ids) + 1)):
            wrong = [(at, one) for at, one in enumerate(ids, 1) if at != one]
            self.faults.append(f"fills (place, id) were lost, doubled or moved: {wrong[:5]}")

    def _hold_book(self, book: Book) -> None:
        acked: set[int] = set()
        told = []
        for kind, *line in book.lines():
            self.counts[f"book: {kind}"] += 1
            if kind == "ack":
                no, status, _ = line
                if no in acked:
                    self.faults.append(f"order {no} was acknowledged twice")
                acked.add(no)
                if no not in (self._denied if status == "denied" else self._orders):
                    self.faults.append(f"order {no}, acknowledged as {status}, is not in it")
            elif kind == "fill":
                told.append((line[0], line[2], line[3], line[4], Decimal(line[5])))
        wanted = [(f.seq, f.no, f.fill_id, f.symbol, Decimal(f.qty)) for f in self._fills]
        if told != wanted:
            missing, more = set(wanted) - set(told), set(told) - set(wanted)
            self.faults.append(
                f"the client was told {len(told)} fills of {len(wanted)}: missing "
                f"{sorted(missing)[:3]}, not there {sorted(more)[:3]}, twice "
                f"{[one for one, times in Counter(told).items() if times > 1][:3]}"
            )

    def _hold_money(self, end: dict[str, Any]) -> None:
        held: Counter[str] = Counter()
        cash = OPENING_CASH
        for fill in self._fills:
            held[fill.symbol] += fill.qty
            cash -= fill.fee + (fill.value if fill.qty > 0 else -fill.value)
        said = {symbol: int(qty) for symbol, qty in end["positions"].items()}
        if said != dict(held):
            self.faults.append(f"positions are {said}, and the fills come to {dict(held)}")
        if Decimal(end["cash"]) * 100 != cash:
            self.faults.append(f"cash is {end['cash']}, and the fills leave {cash / 100}")
        if end["is_killed"]:
            self.faults.append("the kill switch is on, and nobody turned it")
