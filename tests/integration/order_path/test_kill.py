"""The gateway is killed under load, again and again: nothing is lost, nothing happens twice."""

import asyncio
import random
from pathlib import Path

import pytest

import neural_trader as nt
from neural_trader.execution import LiveFill
from neural_trader.execution import messages as m
from neural_trader.execution.journal import walk
from tests.order_path import TOKENS, Running, free_port, write_config

KILLS = 20
AT_ONCE = 8


async def trade(client: nt.Client, stop: asyncio.Event, acked: dict[int, str], at: int) -> None:
    """Send orders until told to stop; write down what was answered."""
    while not stop.is_set():
        symbol = ("KO", "PEP")[at % 2]
        # One side a symbol, so that no order meets another of its own account.
        qty, limit = (1, "56.00") if symbol == "KO" else (-1, "52.00")
        order = await client.submit(symbol, qty, limit=limit, tif="IOC")
        assert order.no not in acked
        acked[order.no] = order.status
        if order.status == "denied":
            await asyncio.sleep(0.01)


@pytest.mark.slow
def test_twenty_kills_under_load_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    rng = random.Random(7)
    port = free_port()
    venue = Running(tmp_path, "venue", "--port", "0", "--symbols", "KO,PEP")
    config = write_config(tmp_path, port)
    serve = ("serve", "--config", str(config), "--venue", f"127.0.0.1:{venue.port}")
    acked: dict[int, str] = {}
    fills: list[LiveFill] = []

    async def run() -> tuple[object, object]:
        gateway = Running(tmp_path, *serve)
        stop = asyncio.Event()
        async with nt.Client(f"127.0.0.1:{port}", token=TOKENS["trade"], next_seq=1) as client:

            async def collect() -> None:
                async for fill in client.fills():
                    fills.append(fill)  # noqa: PERF401 - it is read while it grows

            collector = asyncio.create_task(collect())
            traders = [asyncio.create_task(trade(client, stop, acked, at)) for at in range(AT_ONCE)]
            for _ in range(KILLS):
                await asyncio.sleep(rng.uniform(0.05, 0.4))
                await asyncio.to_thread(gateway.kill)
                gateway = await asyncio.to_thread(Running, tmp_path, *serve)
            await asyncio.sleep(1.0)
            stop.set()
            await asyncio.gather(*traders)
            await asyncio.sleep(0.3)
            positions = await client.positions()
            open_orders = await client.open_orders()
            collector.cancel()
        assert gateway.said["epoch"] == KILLS + 1
        assert await asyncio.to_thread(gateway.stop) == 0
        return positions, open_orders

    try:
        positions, open_orders = asyncio.run(run())
    finally:
        venue.stop()
    records = [m.decode_record(payload) for _, payload in walk(tmp_path / "journal")]
    recorded = {r.no for r in records if isinstance(r, m.Submitted)}
    denied = {r.no for r in records if isinstance(r, m.Denied)}
    assert {no for no, status in acked.items() if status != "denied"} <= recorded
    assert {no for no, status in acked.items() if status == "denied"} <= denied
    assert len(acked) > 200
    # Every fill once: in the journal, at the client, and in the positions.
    booked = [r for r in records if isinstance(r, m.Filled)]
    assert len({r.fill_id for r in booked}) == len(booked)
    assert [fill.fill_id for fill in fills] == [r.fill_id for r in booked]
    held = {p.symbol: int(p.qty) for p in positions}  # type: ignore[attr-defined]
    assert held == {s: sum(r.qty for r in booked if r.symbol == s) for s in held}
    assert open_orders == []
    assert not [r for r in records if isinstance(r, m.OrphanFilled)]
    print(f"{len(acked):,} orders, {len(fills):,} fills, {KILLS} kills")
