"""An order path as it is written in an afternoon: asyncio streams, JSON lines, an SQLite journal.

Client, gateway and venue are three processes. The gateway checks limits, writes every order to
SQLite and commits before it leaves for the venue, writes the fill, and answers the client.
``synchronous`` is SQLite's: NORMAL survives the end of the process, FULL that of the power.
"""

import asyncio
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from neural_trader.bench.baseline.timing import present

QTY_MAX, NOTIONAL_MAX, POSITION_MAX = 1_000, 1_000_000.0, 1_000_000
TABLES = """
create table orders (id integer primary key, symbol text, qty integer, price real);
create table fills (id integer primary key, qty integer, price real);
"""


def line_of(message: dict[str, Any]) -> bytes:
    """Return a message as a line."""
    return json.dumps(message).encode() + b"\n"


async def serve(handler: Any) -> None:  # noqa: ANN401 - a coroutine of reader and writer
    """Listen on a free port of this machine, say which, and serve until the end."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


async def venue() -> None:
    """Fill every order at its price."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            order = json.loads(line)
            writer.write(line_of(order | {"type": "filled"}))
            await writer.drain()

    await serve(handle)


async def gateway(venue_port: int, journal: str, synchronous: str) -> None:
    """Check, write down, pass on; write down the fill, answer."""
    database = sqlite3.connect(journal)
    database.execute("pragma journal_mode = wal")
    database.execute(f"pragma synchronous = {synchronous}")
    database.executescript(TABLES)
    upstream, downstream = await asyncio.open_connection("127.0.0.1", venue_port)
    clients: dict[int, asyncio.StreamWriter] = {}
    positions: dict[str, int] = {}

    def refusal(order: dict[str, Any]) -> str | None:
        if order["id"] in clients:
            return "the id was used before"
        if not 0 < abs(order["qty"]) <= QTY_MAX:
            return "quantity"
        if abs(order["qty"]) * order["price"] > NOTIONAL_MAX:
            return "notional"
        if abs(positions.get(order["symbol"], 0) + order["qty"]) > POSITION_MAX:
            return "position"
        return None

    async def from_venue() -> None:
        while line := await upstream.readline():
            fill = json.loads(line)
            values = (fill["id"], fill["qty"], fill["price"])
            database.execute("insert into fills values (?, ?, ?)", values)
            database.commit()
            positions[fill["symbol"]] = positions.get(fill["symbol"], 0) + fill["qty"]
            writer = clients[fill["id"]]
            writer.write(line)
            await writer.drain()

    async def from_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            order = json.loads(line)
            reason = refusal(order)
            if reason is not None:
                writer.write(line_of({"type": "rejected", "id": order["id"], "reason": reason}))
                continue
            values = (order["id"], order["symbol"], order["qty"], order["price"])
            database.execute("insert into orders values (?, ?, ?, ?)", values)
            database.commit()
            clients[order["id"]] = writer
            downstream.write(line)
            await downstream.drain()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(from_venue())
        tasks.create_task(serve(from_client))


async def client(port: int, orders: int, window: int) -> dict[str, Any]:
    """Keep ``window`` orders on their way until all are filled; return times and the position."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent: dict[int, float] = {}
    times, position, rejected = [], 0, 0
    began = time.perf_counter()
    for number in range(1, orders + window + 1):
        if number > window:
            message = json.loads(await reader.readline())
            times.append(time.perf_counter() - sent[message["id"]])
            rejected += message["type"] == "rejected"
            position += message["qty"] if message["type"] == "filled" else 0
        if number <= orders:
            qty = 1 + number % 4
            sent[number] = time.perf_counter()
            order = {"type": "order", "id": number, "symbol": "KO", "qty": qty, "price": 56.0}
            writer.write(line_of(order))
            await writer.drain()
    took = time.perf_counter() - began
    writer.close()
    cuts = statistics.quantiles(times, n=1_000, method="inclusive")
    names = {"p50_us": 499, "p90_us": 899, "p95_us": 949, "p99_us": 989, "p999_us": 998}
    figures = {name: cuts[place] * 1e6 for name, place in names.items()}
    figures |= {"mean_us": statistics.fmean(times) * 1e6, "orders_per_s": orders / took}
    return {
        "figures": {"time_ms": took * 1e3} | figures,
        "filled": len(times) - rejected,
        "rejected": rejected,
        "position": position,
    }


def prepare(
    orders: int = 2_000, window: int = 1, synchronous: str = "NORMAL", folder: str | None = None
) -> dict[str, Any]:
    """Return how many orders, how many at a time, and what the journal survives."""
    if synchronous not in {"NORMAL", "FULL"}:
        message = f"synchronous is {synchronous!r}; expected NORMAL or FULL"
        raise ValueError(message)
    return {"orders": orders, "window": window, "synchronous": synchronous, "folder": folder}


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Start a process of this file and return it with the port that it says."""
    command = [sys.executable, "-m", "neural_trader.bench.baseline.orders", "--role", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    port = process.stdout.readline().strip() if process.stdout else ""
    return process, port


def run(orders: int, window: int, synchronous: str, folder: str | None) -> dict[str, Any]:
    """Start venue and gateway, send, and check the journal."""
    running = []
    with tempfile.TemporaryDirectory(dir=folder) as place:
        journal = str(Path(place) / "journal.sqlite")
        try:
            process, port = start("venue")
            running.append(process)
            process, port = start("gateway", port, journal, synchronous)
            running.append(process)
            answer = asyncio.run(client(int(port), orders, window))
        finally:
            for process in reversed(running):
                process.terminate()
            for process in running:
                process.communicate()
        with sqlite3.connect(journal) as database:
            counts = "select (select count(*) from orders), (select count(*) from fills)"
            answer["journalled"] = list(database.execute(counts).fetchone())
        database.close()
    return answer


if __name__ == "__main__":
    if sys.argv[1:2] == ["--role"]:
        role, *given = sys.argv[2:]
        asyncio.run(venue() if role == "venue" else gateway(int(given[0]), given[1], given[2]))
    else:
        present("orders", prepare, run, runs=1)
