"""The load of the take-over bench: many clients on one loop, sending at a rate. Its own process.

Run as ``python -m neural_trader.bench.takeover_load`` with what to do as one line of JSON on
standard input. It says ``{"event": "running"}`` once all are in, sends until another line comes,
waits for what is still to come, and prints what it found as JSON.

Every eighth client is slow: it reads four times a second. Every eighth but one cuts its frames in
the middle, so that whenever somebody looks half a request is on its way.
"""

import gc
import json
import os
import select
import socket
import sys
import time
from typing import Any, Final, TextIO

from neural_trader.bench.orders_load import summarize
from neural_trader.core import GatewayError
from neural_trader.execution import ClientSession
from neural_trader.execution import messages as m

# From 128 KB on a buffer may be a mapping of its own, made and given back at every read.
_RECEIVE_BYTES: Final = 1 << 16
_SLOW_NS: Final = 250_000_000
_HALF_NS: Final = 2_000_000
_DRAIN_NS: Final = 5_000_000_000
_IOC: Final = 2
_PRICES: Final = {"KO": 5_700, "PEP": 5_100}


class BenchClient:
    """One client, and what it has seen.

    Attributes
    ----------
    due : dict of order number to nanoseconds
        When each order should have been sent.
    filled : dict of order number to nanoseconds
    """

    def __init__(self, address: tuple[str, int], token: str, number: int) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.session = ClientSession(
            token, os.getpid() * 1_000 + number, on_reply=_ignore, on_event=self.on_event
        )
        self.is_slow = number % 8 == 7
        self.is_cutting = number % 8 == 3
        self.symbol = "KO" if number % 2 else "PEP"
        self.due: dict[int, int] = {}
        self.filled: dict[int, int] = {}
        self.fill_ids: set[int] = set()
        self.doubled = 0
        self.refused = 0
        self.is_lost = False
        self._out = b""
        self._free_at = 0
        self._read_at = 0
        self.session.connected()
        self.socket.sendall(b"".join(self.session.outbox))
        self.session.outbox.clear()
        while not self.session.is_ready:
            self.session.receive(self.socket.recv(_RECEIVE_BYTES))
        self.socket.setblocking(False)

    def on_event(self, event: Any) -> None:  # noqa: ANN401 - one of many events
        """Note what an order became, and when that was decoded."""
        if type(event) is m.Filled:
            self.doubled += event.fill_id in self.fill_ids or event.no in self.filled
            self.fill_ids.add(event.fill_id)
            self.filled[event.no] = time.perf_counter_ns()
        elif type(event) is not m.Accepted:
            self.refused += 1

    def submit(self, due: int) -> None:
        """Put an order into what is to be sent."""
        # Terms differ from order to order, so that none is the double of another.
        count = len(self.due)
        side = 1 if self.symbol == "KO" else -1
        lots = side * (1 + count % 7)
        limit = _PRICES[self.symbol] + side * (count // 7 % 50)
        order = self.session.submit(self.symbol, lots, limit=limit, tif=_IOC)
        self.due[order.no] = due
        self._out += b"".join(self.session.outbox)
        self.session.outbox.clear()

    def send(self, now: int) -> None:
        """Send what waits; one that cuts its frames sends half of it, and the rest a bit later."""
        if not self._out or now < self._free_at or self.is_lost:
            return
        size = len(self._out)
        if self.is_cutting and size > 1:
            size = size // 2 if now - self._free_at > _HALF_NS else size
            self._free_at = now + _HALF_NS
        try:
            self._out = self._out[self.socket.send(self._out[:size]) :]
        except BlockingIOError:
            return
        except OSError:
            self.is_lost = True

    def receive(self, now: int) -> None:
        """Read and decode what is there."""
        if self.is_lost or (self.is_slow and now < self._read_at):
            return
        self._read_at = now + _SLOW_NS
        try:
            data = self.socket.recv(_RECEIVE_BYTES)
            if data:
                self.session.receive(data)
        except BlockingIOError:
            return
        except (OSError, GatewayError):
            data = b""
        self.is_lost = not data

    @property
    def is_done(self) -> bool:
        """Whether every order was filled, or nothing more can come."""
        return self.is_lost or len(self.filled) + self.refused >= len(self.due)


def _ignore(_no: int, _event: object) -> None:
    """Take no notice of a reply: every event is looked at."""


def run(clients: list[BenchClient], rate: float, stop: TextIO) -> float:
    """Send at a rate, one client after the other, until ``stop`` has a line; returns seconds."""
    gap = 1e9 / rate
    began = time.perf_counter_ns()
    sent = 0
    due = began
    end = 0
    quick = [client for client in clients if not client.is_slow]
    slow = [client for client in clients if client.is_slow]
    poll = select.epoll()
    by_fd = {client.socket.fileno(): client for client in quick}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    poll.register(stop.fileno(), select.EPOLLIN)
    while not end or (time.perf_counter_ns() < end and not all(one.is_done for one in clients)):
        now = time.perf_counter_ns()
        while due <= now and not end:
            clients[sent % len(clients)].submit(due)
            sent += 1
            due = began + int(gap * sent)
        for client in clients:
            client.send(now)
        for client in slow:
            client.receive(now)
        for fd, _ in poll.poll(min(max(due - time.perf_counter_ns(), 0) / 1e9, 0.001)):
            if fd in by_fd:
                by_fd[fd].receive(time.perf_counter_ns())
                if by_fd[fd].is_lost:
                    poll.unregister(fd)
            elif not end:
                end = time.perf_counter_ns() + _DRAIN_NS
    return (time.perf_counter_ns() - began) / 1e9


def main() -> None:
    """Do what standard input says."""
    wanted = json.loads(sys.stdin.readline())
    address = wanted["host"], int(wanted["port"])
    clients = [BenchClient(address, token, number) for number, token in enumerate(wanted["tokens"])]
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.stdout.write(json.dumps({"event": "running"}) + "\n")
    sys.stdout.flush()
    seconds = run(clients, float(wanted["rate"]), sys.stdin)
    times = [
        one.filled[no] - due
        for one in clients
        if not one.is_slow and not one.is_cutting
        for no, due in one.due.items()
        if no in one.filled
    ]
    json.dump(
        {
            "sent": sum(len(one.due) for one in clients),
            "lost": sum(len(one.due.keys() - one.filled.keys()) - one.refused for one in clients),
            "doubled": sum(one.doubled for one in clients),
            "rejected": sum(one.refused for one in clients),
            "disconnected": sum(one.is_lost for one in clients),
            "seconds": seconds,
            "fill_us": summarize(times),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
