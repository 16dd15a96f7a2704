"""A gateway keeps its journal within bounds while it trades, and starts from what it has kept."""

import asyncio
import time
from pathlib import Path

import neural_trader as nt
from neural_trader.execution.journal import verify
from tests.order_path import TOKENS, Running, free_port, write_config

ORDERS = 40_000


def test_the_journal_stays_within_its_bounds(tmp_path: Path) -> None:
    venue = Running(tmp_path, "venue", "--port", "0", "--symbols", "KO,PEP")
    config = write_config(tmp_path, free_port(), gateway="retention_mb = 2")
    serve = ("serve", "--config", str(config), "--venue", f"127.0.0.1:{venue.port}")
    gateway = Running(tmp_path, *serve)
    journal = tmp_path / "journal"
    address = f"127.0.0.1:{gateway.port}"

    async def trade() -> None:
        async with nt.Client(address, token=TOKENS["trade"]) as client:
            for _ in range(ORDERS // 100):
                sent = (client.submit("KO", 1, limit="56.00", tif="IOC") for _ in range(100))
                assert {order.status for order in await asyncio.gather(*sent)} == {"filled"}

    try:
        asyncio.run(trade())
        until = time.monotonic() + 30.0
        while len(list(journal.glob("*.log"))) > 2:
            assert time.monotonic() < until, gateway.log.read_text()
            time.sleep(0.05)
        summary = verify(journal)
        assert summary.first_seq > 1
        assert summary.bytes < 3 << 20
        gateway.kill()
        gateway = Running(tmp_path, *serve)
        assert gateway.said["records"] < ORDERS
        with nt.BlockingClient(address, token=TOKENS["trade"]) as client:
            (position,) = client.positions()
            assert position.qty == ORDERS
    finally:
        assert gateway.stop() == 0
        venue.stop()
