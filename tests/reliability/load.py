"""A client that sends at a rate, comes back after every loss, and keeps account in a few bytes."""

import select
import socket
import time
from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from neural_trader.core.errors import GatewayError
from neural_trader.execution import ClientSession
from neural_trader.execution import messages as m
from neural_trader.execution.client.session import account_of

# From 128 KB on a buffer may be a mapping of its own, made and given back at every read.
_RECEIVE_BYTES: Final = 1 << 16
_BACK_S: Final = 0.02
_SETTLE_S: Final = 60.0
_IOC: Final = 2
_PRICES: Final = {"KO": 5_600, "PEP": 5_200}
_SIDES: Final = {"KO": 1, "PEP": -1}
_SENT, _FILLED, _ENDED = 1, 2, 3


class Load:
    """One client of the account ``main``.

    Parameters
    ----------
    address : (host, port)
    token : str

    Attributes
    ----------
    held, cash : Counter, int
        What the fills come to: lots by symbol, and minor units.
    ended : Counter
        Orders that ended without a fill, by reason.
    """

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self.sent = 0
        self.filled = 0
        self.doubled = 0
        self.reconnects = -1
        self.held: Counter[str] = Counter()
        self.cash = 0
        self.ended: Counter[str] = Counter()
        self._address = address
        self._session = ClientSession(token, 77, on_reply=_ignore, on_event=self._on_event)
        self._session.next_seq = 1
        self._socket: socket.socket | None = None
        self._poll = select.poll()
        self._out = b""
        self._back_at = 0.0
        # By place: what an order came to; microseconds from its due time to its answer, its fill.
        self._state = bytearray()
        self._acked = array("f")
        self._took = array("f")
        self._places: dict[int, int] = {}
        self._rate = 0.0
        self._orders = 0
        self._began = 0.0
        self._last_fill = 0

    # ------------------------------------------------------------------------------------ sending
    def begin(self, rate: float, orders: int) -> None:
        """Start the clock."""
        self._rate, self._orders = rate, orders
        self._state = bytearray(orders)
        self._acked = array("f", bytes(4 * orders))
        self._took = array("f", bytes(4 * orders))
        while self._socket is None or not self._session.is_ready:
            self._exchange(0.01)
        self._began = time.perf_counter()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._began

    @property
    def is_over(self) -> bool:
        """Whether all orders were sent and answered, or nothing has come for too long."""
        is_late = self.elapsed > self._orders / self._rate + _SETTLE_S
        return (self.sent == self._orders and not self._places) or is_late

    def step(self) -> None:
        """Send what is due, and take what has come."""
        due = min(int(self.elapsed * self._rate) + 1, self._orders)
        # While nobody listens orders wait here, as they would with any client.
        while self.sent < due and len(self._places) < 20_000 and self._session.welcome is not None:
            self._submit()
        self._exchange(0.0005)

    def _submit(self) -> None:
        place = self.sent
        symbol = "KO" if place % 2 else "PEP"
        side = _SIDES[symbol]
        limit = _PRICES[symbol] + side * (place // 14 % 50)
        order = self._session.submit(symbol, side * (1 + place // 2 % 7), limit=limit, tif=_IOC)
        self._places[order.no] = place
        self._state[place] = _SENT
        self.sent += 1

    def _exchange(self, wait_s: float) -> None:
        if self._socket is None:
            self._connect()
            if self._socket is None:
                time.sleep(wait_s)
                return
        try:
            self._out += b"".join(self._session.outbox)
            self._session.outbox.clear()
            if self._out:
                self._send(self._socket)
            if self._poll.poll(wait_s * 1e3):
                data = self._socket.recv(_RECEIVE_BYTES)
                if not data:
                    self._lose()
                    return
                self._session.receive(data)
        except (OSError, GatewayError):
            self._lose()

    def _send(self, one: socket.socket) -> None:
        try:
            self._out = self._out[one.send(self._out) :]
        except BlockingIOError:
            return

    def _connect(self) -> None:
        if time.perf_counter() < self._back_at:
            return
        self._back_at = time.perf_counter() + _BACK_S
        one = socket.socket()
        try:
            one.connect(self._address)
        except OSError:
            one.close()
            return
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.setblocking(False)
        self._socket = one
        self._poll = select.poll()
        self._poll.register(one.fileno(), select.POLLIN)
        self.reconnects += 1
        self._session.connected()

    def _lose(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._session.is_ready = False
        self._session.outbox.clear()
        self._out = b""

    # ------------------------------------------------------------------------------------ hearing
    def _on_event(self, event: Any) -> None:
        kind = type(event)
        if kind is m.Filled:
            self._on_filled(event)
        elif kind is m.Accepted:
            place = self._places.get(event.no)
            if place is None or self._acked[place]:
                self.doubled += 1
            else:
                self._acked[place] = self._age_us(place)
        elif kind is m.Denied or kind is m.Rejected or kind is m.Canceled:
            place = self._places.pop(event.no, None)
            if place is None:
                self.doubled += 1
                return
            if self._took[place] == 0.0:
                self.ended[f"{kind.__name__.lower()}: {event.reason}"] += 1
                self._state[place] = _ENDED

    def _on_filled(self, fill: m.Filled) -> None:
        if fill.fill_id <= self._last_fill:
            self.doubled += 1
        self._last_fill = fill.fill_id
        self.held[fill.symbol] += fill.qty
        self.cash -= fill.fee + (fill.value if fill.qty > 0 else -fill.value)
        place = self._places.get(fill.no)
        if place is None:
            self.doubled += 1
            return
        self._took[place] = self._age_us(place)
        lots = 1 + place // 2 % 7
        if abs(fill.filled) == lots:
            del self._places[fill.no]
            self._state[place] = _FILLED
            self.filled += 1

    def _age_us(self, place: int) -> float:
        """Return the microseconds since an order was due, sent late or not."""
        return (self.elapsed - place / self._rate) * 1e6

    # ------------------------------------------------------------------------------------ the end
    @property
    def lost(self) -> int:
        """Orders of which nothing was ever heard."""
        return self._state.count(_SENT)

    def faults(self) -> list[str]:
        """Return what must not be."""
        found = []
        if self.lost:
            found.append(f"{self.lost} orders are lost")
        if self.doubled:
            found.append(f"{self.doubled} events came twice")
        if self.sent != self._orders:
            found.append(f"{self.sent} of {self._orders} orders were sent")
        return found

    def ask(self) -> tuple[dict[str, int], int]:
        """Return positions in lots, and cash in minor units, as the gateway has them."""
        self._session.ask("positions")
        until = time.perf_counter() + _SETTLE_S
        while not self._session.answers and time.perf_counter() < until:
            self._exchange(0.01)
        answer: Any = self._session.answers.popleft().message
        cash = account_of(self._session, answer)["cash"]
        return {one.symbol: one.qty for one in answer.positions if one.qty}, int(cash * 100)

    def close(self) -> None:
        """Close the connection."""
        self._lose()

    def latencies(self, begin_s: float, end_s: float) -> dict[str, dict[str, float]]:
        """Return percentiles in microseconds, of answers and of fills, for orders due meanwhile."""
        first, stop = int(begin_s * self._rate), int(end_s * self._rate)
        return {
            "ack": _summed_up(self._acked[first:stop]),
            "fill": _summed_up(self._took[first:stop]),
        }


def _summed_up(times: Iterable[float]) -> dict[str, float]:
    took = sorted(one for one in times if one)
    if not took:
        return {"p50": 0.0, "p99": 0.0, "count": 0}
    at = {name: took[int(len(took) * share)] for name, share in (("p50", 0.5), ("p99", 0.99))}
    return {name: round(value, 1) for name, value in at.items()} | {"count": len(took)}


def _ignore(_no: int, _reply: object) -> None:
    """Take no notice of a reply: every event is looked at."""
