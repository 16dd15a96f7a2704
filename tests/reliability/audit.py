"""Hold the journal, the client's own book, the gateway's word and the venue's to each other."""

import socket
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from neural_trader.execution import messages as m
from neural_trader.execution.framing import REPLY_BYTES_MAX, FrameReader, pack
from neural_trader.execution.journal import walk
from tests.reliability.trader import Book

OPENING_CASH: Final = 10_000_000
ENDS: Final = (m.Rejected, m.Canceled, m.Expired)
_LATER: Final = 1 << 40
_ANSWER_S: Final = 10.0


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
        self._born = 0
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
        # The first record is the first start: the gateway's name at the venue has its time.
        self._born = self._born or event.ts
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

    def hold_venue(self, port: int) -> None:
        """Hold what is booked to what the venue has, which is asked as a later gateway would.

        A venue that was killed knows the fills since its start; whatever it knows must be booked.
        """
        login = m.VenueLogin(m.VERSION, f"neural-trader-{self._born:x}", _LATER, 0)
        reader = FrameReader(REPLY_BYTES_MAX)
        heard: list[Any] = []
        with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_S) as one:
            one.sendall(pack(login) + pack(m.Ping()))
            while not any(isinstance(message, m.Pong) for message in heard):
                data = one.recv(1 << 18)
                if not data:
                    break
                heard += [m.decode_from_venue(payload) for payload in reader.feed(data)]
        if not heard or not isinstance(heard[0], m.VenueWelcome):
            self.faults.append(f"the venue does not say what it has filled: {heard[:1]}")
            return
        fills = [message for message in heard if isinstance(message, m.OrderFilled)]
        self.counts["venue: fills"] += len(fills)
        said = [(f.id, f.fill_id, f.symbol, f.qty, f.value, f.fee) for f in fills]
        booked = [
            (m.order_id(1, f.no), f.fill_id, f.symbol, f.qty, f.value, f.fee)
            for f in self._fills
            if fills and f.fill_id >= fills[0].fill_id
        ]
        if said != booked:
            missing, more = set(said) - set(booked), set(booked) - set(said)
            self.faults.append(
                f"the venue has {len(said)} fills, and {len(booked)} are booked: missing "
                f"{sorted(missing)[:3]}, not there {sorted(more)[:3]}"
            )

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
