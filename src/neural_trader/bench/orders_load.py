"""The load of the orders bench: a client that sends, and times every answer. Its own process.

Run as ``python -m neural_trader.bench.orders_load``, with what to do as JSON on standard input and
what was found as JSON on standard output. Times run from the submission (in an open loop from the
time at which the order was due, sent late or not) to the decoded answer.
"""

import ctypes
import gc
import json
import os
import select
import socket
import sys
import time
from typing import Any, Final

from neural_trader.execution import ClientSession
from neural_trader.execution import messages as m

QUANTILES: Final = (0.5, 0.9, 0.95, 0.99, 0.999)
# From 128 KB on a buffer may be a mapping of its own, made and given back at every read.
_RECEIVE_BYTES: Final = 1 << 16
_DRAIN_S: Final = 5.0
_SET_TIMER_SLACK: Final = 29
_IOC: Final = 2
# Terms differ from order to order, so that none is the double of another; one side a symbol, so
# that none crosses another. Prices reach the market's wherever its walk has gone.
_SYMBOLS: Final = ("KO", "PEP")
_PRICES: Final = (range(5_600, 5_650), range(5_200, 5_150, -1))
_LOTS: Final = ((10, 11, 12, 13), (-10, -11, -12, -13))


class Load:
    """A client on one socket, and what it has seen."""

    def __init__(self, address: tuple[str, int], token: str, room: int) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.session = ClientSession(token, os.getpid(), on_reply=_ignore, on_event=self.on_event)
        self.due = [0] * room
        self.acked = [0] * room
        self.filled = [0] * room
        self.sent = 0
        self.done = 0
        self.doubled = 0
        self.refused = 0
        self.session.connected()
        self.flush()
        while not self.session.is_ready:
            self.session.receive(self.socket.recv(_RECEIVE_BYTES))
        self.first = self.session.next_no

    def on_event(self, event: Any) -> None:  # noqa: ANN401 - one of many events
        """Note when an answer was decoded."""
        now = time.perf_counter_ns()
        place = event.no - self.first
        kind = type(event)
        if kind is m.Accepted:
            if self.acked[place]:
                self.doubled += 1
            self.acked[place] = now
        elif kind is m.Filled:
            if self.filled[place]:
                self.doubled += 1
            else:
                self.done += 1
            self.filled[place] = now
        else:
            self.refused += 1
            self.done += 1

    def submit(self, due: int) -> None:
        """Put the next order into the outbox."""
        at = self.sent
        self.due[at] = due
        self.sent = at + 1
        side = at & 1
        lots = _LOTS[side][(at >> 1) & 3]
        limit = _PRICES[side][(at >> 3) % 50]
        self.session.submit(_SYMBOLS[side], lots, limit=limit, tif=_IOC)

    def flush(self) -> None:
        """Send the outbox."""
        outbox = self.session.outbox
        self.socket.sendall(outbox[0] if len(outbox) == 1 else b"".join(outbox))
        outbox.clear()

    def receive(self) -> None:
        """Read and decode what is there, waiting for something."""
        data = self.socket.recv(_RECEIVE_BYTES)
        if not data:
            raise ConnectionResetError
        self.session.receive(data)


def _ignore(_no: int, _event: object) -> None:
    """Take no notice of a reply: every event is timed."""


def run_window(load: Load, window: int, orders: int) -> float:
    """Keep so many orders on their way; returns seconds."""
    begun = time.perf_counter_ns()
    while load.done < orders:
        while load.sent - load.done < window and load.sent < orders:
            load.submit(time.perf_counter_ns())
        if load.session.outbox:
            load.flush()
        load.receive()
    return (time.perf_counter_ns() - begun) / 1e9


def run_open(load: Load, rate: float, orders: int) -> float:
    """Send at a rate, whatever comes back; returns seconds."""
    ctypes.CDLL(None).prctl(_SET_TIMER_SLACK, 1, 0, 0, 0)
    gap = 1e9 / rate
    begun = time.perf_counter_ns()
    due = begun
    sockets = [load.socket]
    end = begun + int(gap * orders + _DRAIN_S * 1e9)
    while load.done < orders:
        now = time.perf_counter_ns()
        while due <= now and load.sent < orders:
            load.submit(due)
            due = begun + int(gap * load.sent)
        if load.session.outbox:
            load.flush()
            continue
        wait = (due if load.sent < orders else end) - now
        if load.sent >= orders and now > end:
            break
        if select.select(sockets, [], [], max(wait, 0) / 1e9)[0]:
            load.receive()
    return (time.perf_counter_ns() - begun) / 1e9


def summarize(times: list[int]) -> dict[str, float] | None:
    """Return quantiles, maximum and mean in microseconds, or None for no times."""
    if not times:
        return None
    times.sort()
    found = {f"p{share * 100:g}": times[int(len(times) * share)] / 1e3 for share in QUANTILES}
    return found | {"max": times[-1] / 1e3, "mean": sum(times) / len(times) / 1e3}


def main() -> None:
    """Do what standard input says."""
    wanted = json.load(sys.stdin)
    orders, warmup = int(wanted["orders"]), int(wanted["warmup"])
    load = Load((wanted["host"], wanted["port"]), wanted["token"], orders + warmup)
    gc.collect()
    gc.freeze()
    gc.disable()
    run_window(load, max(1, min(64, warmup)), warmup)
    load.first = load.session.next_no
    load.sent = load.done = 0
    # What the warm-up left behind is not to be counted.
    load.acked, load.filled = [0] * orders, [0] * orders
    if wanted["rate"]:
        seconds = run_open(load, float(wanted["rate"]), orders)
    else:
        seconds = run_window(load, int(wanted["window"]), orders)
    sent = range(load.sent)
    json.dump(
        {
            "sent": load.sent,
            "lost": sum(1 for at in sent if not load.filled[at]) - load.refused,
            "doubled": load.doubled,
            "rejected": load.refused,
            "seconds": seconds,
            "rate": load.done / seconds,
            "ack_us": summarize([load.acked[at] - load.due[at] for at in sent if load.acked[at]]),
            "fill_us": summarize(
                [load.filled[at] - load.due[at] for at in sent if load.filled[at]]
            ),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
