"""A gateway keeps its journal within bounds while it trades, and starts from what it has kept."""

import asyncio
import fcntl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import neural_trader as nt
from neural_trader.execution.journal import verify
from tests.order_path import TOKENS, Running, free_port, wait_for_day, write_config

ORDERS = 40_000


def test_the_journal_stays_within_its_bounds(tmp_path: Path) -> None:
    venue = Running(tmp_path, "venue", "--port", "0", "--symbols", "KO,PEP")
    config = write_config(tmp_path, free_port(), gateway="retention_mb = 2")
    serve = ("serve", "--config", str(config), "--venue", f"127.0.0.1:{venue.port}")
    gateway = Running(tmp_path, *serve)
    journal = tmp_path / "journal"
    wait_for_day(journal)
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


@pytest.mark.skipif(
    not Path("/proc/locks").exists(), reason="only Linux tells who waits for a lock"
)
@pytest.mark.parametrize("options", [(), ("--takeover",)])
def test_a_start_waits_for_the_end_of_a_compaction(tmp_path: Path, options: tuple[str]) -> None:
    venue = Running(tmp_path, "venue", "--port", "0", "--symbols", "KO,PEP")
    config = write_config(tmp_path, free_port())
    serve = ("serve", "--config", str(config), "--venue", f"127.0.0.1:{venue.port}")
    first = Running(tmp_path, *serve)
    if not options:
        # Killed, while the compaction that it asked for goes on.
        first.kill()
    lock = tmp_path / "journal" / ".compacting"
    with lock.open("w") as held, ThreadPoolExecutor(1) as pool:
        fcntl.flock(held, fcntl.LOCK_EX)
        starting = pool.submit(Running, tmp_path, *serve, *options)
        until = time.monotonic() + 30.0
        while not is_waited_for(lock):
            assert time.monotonic() < until
            assert not starting.done()
            time.sleep(0.01)
        fcntl.flock(held, fcntl.LOCK_UN)
        second = starting.result()
    assert second.said["epoch"] == 2
    if options:
        assert first.wait() == 0
    assert second.stop() == 0
    venue.stop()


def is_waited_for(path: Path) -> bool:
    """Return whether a process waits for the lock of a file."""
    waiting = [line for line in Path("/proc/locks").read_text().splitlines() if "->" in line]
    return any(line.split()[6].endswith(f":{path.stat().st_ino}") for line in waiting)
