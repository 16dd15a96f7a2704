"""A client that trades and keeps a book of its own: a process that may die at any time.

Run as ``python trader.py ADDRESS BOOK SEED`` with its token on standard input. It goes on where the
book ends. At SIGTERM it cancels what is open, and prints what its account holds.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import neural_trader as nt
from neural_trader.core import GatewayError, OrderOutcomeUnknown
from neural_trader.execution import SentOrder

TRADERS: Final = 8
HEAL_S: Final = 30.0
# One side a symbol, so that no order meets another of its own account.
SIDES: Final = {"KO": (1, "56.00", ("51.00", "51.50")), "PEP": (-1, "52.00", ("56.50", "57.00"))}


class Book:
    """A file of lines, each written in one call; the last may be half a line after a death."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        data = path.read_bytes()
        # Crash: half a line is what the system took before the end; it was never a line.
        os.ftruncate(self._fd, data.rfind(b"\n") + 1)

    def write(self, *line: Any) -> None:
        """Add a line."""
        os.write(self._fd, json.dumps(line, default=str).encode() + b"\n")

    def lines(self) -> Iterator[list[Any]]:
        """Yield all lines."""
        with self.path.open() as file:
            for line in file:
                yield json.loads(line)

    @property
    def next_seq(self) -> int:
        """The event after the last fill that stands in the book."""
        return max((line[1] for line in self.lines() if line[0] == "fill"), default=0) + 1


class Trader:
    """Some tasks that trade, and one that writes down what is filled."""

    def __init__(self, client: nt.Client, book: Book, seed: int) -> None:
        self.client = client
        self.book = book
        self.rng = Random(seed)
        self.stop = asyncio.Event()

    async def trade(self, symbol: str) -> None:
        """Send orders until told to stop."""
        while not self.stop.is_set():
            try:
                if self.rng.random() < 0.95:
                    await self.cross(symbol)
                else:
                    await self.rest(symbol)
            except OrderOutcomeUnknown as error:
                # What became of it stands in the events that are still to come.
                self.book.write("unanswered", str(error))

    async def cross(self, symbol: str) -> None:
        """Send an order that the market fills at once."""
        side, limit, _ = SIDES[symbol]
        order = await self.client.submit(
            symbol, side * self.rng.randint(1, 3), limit=limit, tif="IOC"
        )
        await self.note(order)

    async def rest(self, symbol: str) -> None:
        """Send an order that waits in the venue's book; change it, cancel it, or leave it there."""
        side, _, limits = SIDES[symbol]
        order = await self.client.submit(symbol, side * 2, limit=self.rng.choice(limits))
        await self.note(order)
        await asyncio.sleep(self.rng.uniform(0.0, 0.01))
        if order.is_open and self.rng.random() < 0.5:
            why = await self.client.replace(order, qty=side * self.rng.randint(1, 4))
            self.book.write("replaced", order.no, why)
        if order.is_open and self.rng.random() < 0.9:
            self.book.write("canceled", order.no, await self.client.cancel(order))

    async def note(self, order: SentOrder) -> None:
        """Write an answer down; make a pause if it was no."""
        self.book.write("ack", order.no, order.status, order.reason)
        if order.status == "denied":
            await asyncio.sleep(0.01)

    async def collect(self) -> None:
        """Write every fill down."""
        async for fill in self.client.fills():
            self.book.write("fill", *fill)

    async def settle(self) -> dict[str, Any]:
        """Cancel what is open, and return what the account holds once nothing moves any more."""
        client = self.client
        async with asyncio.timeout(HEAL_S):
            while True:
                try:
                    account = await client.account()
                    orders = await client.open_orders()
                    if not orders and client.next_seq >= account["next_seq"]:
                        held = await client.positions()
                        break
                    await asyncio.gather(*(client.cancel(order) for order in orders))
                except (GatewayError, OrderOutcomeUnknown) as error:
                    print(f"not settled yet: {error}", file=sys.stderr)
                await asyncio.sleep(0.05)
        return {
            "cash": str(account["cash"]),
            "is_killed": account["is_killed"],
            "next_seq": account["next_seq"],
            "positions": {item.symbol: str(item.qty) for item in held},
        }


async def main(address: str, book: Book, seed: int, token: str) -> None:
    """Trade until SIGTERM."""
    client = nt.Client(address, token=token, next_seq=book.next_seq, reply_timeout_s=HEAL_S)
    async with client:
        trader = Trader(client, book, seed)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, trader.stop.set)
        print(json.dumps({"event": "trading", "port": 0}), flush=True)
        collector = asyncio.create_task(trader.collect())
        async with asyncio.TaskGroup() as group:
            for at in range(TRADERS):
                group.create_task(trader.trade(tuple(SIDES)[at % len(SIDES)]))
        end = await trader.settle()
    # The end of the client ends its fills, after the last of them.
    await collector
    print(json.dumps(end), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Book(Path(sys.argv[2])), int(sys.argv[3]), input()))
