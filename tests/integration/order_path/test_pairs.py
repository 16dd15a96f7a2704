"""The orders of the pairs backtest, through client, gateway and paper venue, give its fills."""

import asyncio
import itertools
import time
from decimal import Decimal
from typing import Any

import neural_trader as nt
from neural_trader.execution import Gateway, GatewayServer, Grant, Limits, LiveFill, hash_token
from neural_trader.execution.journal import MemoryJournal
from neural_trader.execution.venues.paper import (
    BarMarket,
    PaperServer,
    PaperVenue,
    ServerConfig,
    make_listings,
    read_bars,
)
from tests.order_path import TOKENS, free_port

SYMBOLS = ("KO", "PEP")
COSTS = nt.Costs(fee_bps=5, slippage_bps=5)
LISTINGS = make_listings(SYMBOLS, tick_size="0.001")
OFF = Limits(
    order_qty_max=0,
    order_notional_max=0,
    position_qty_max=0,
    gross_max=0,
    net_max=0,
    orders_per_second=0,
    collar_bps=0,
    mark_age_ms_max=0,
)


async def replay(orders: list[list[tuple[str, int]]], bars: nt.Bars) -> list[LiveFill]:
    """Play the bars; after bar t send its orders, which bar t + 1 fills."""
    market = BarMarket(LISTINGS, read_bars(bars, SYMBOLS), costs=COSTS)
    # A market that moves when it is told to: a step on its own comes after eleven days.
    config = ServerConfig(port=free_port(), speed=1e-6)
    venue = PaperServer(PaperVenue(market), config, clock=time.time_ns, told=lambda _: None)
    stop = asyncio.Event()
    gateway = Gateway(
        MemoryJournal(),
        [Grant(account="main", scope="trade", sha256=hash_token(TOKENS["trade"]))],
    )
    gateway.start(
        time.time_ns(),
        listings=LISTINGS.values(),
        accounts={"main": 10_000_000},
        limits={"main": OFF},
    )
    server = GatewayServer(gateway, (config.host, config.port))
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    tasks = [
        asyncio.create_task(venue.run(stop)),
        asyncio.create_task(server.run("127.0.0.1", 0, lambda _, port: listening.set_result(port))),
    ]
    fills: list[LiveFill] = []
    async with nt.Client(f"127.0.0.1:{await listening}", token=TOKENS["trade"]) as client:
        while gateway.venue.state != "up":  # noqa: ASYNC110 - a state, not an event
            await asyncio.sleep(0.01)
        # The login has played the first bar.
        for batch in orders:
            sent = [await client.submit(symbol, qty) for symbol, qty in batch]
            venue._send(venue.venue.advance(time.time_ns()))
            for order in sent:
                await asyncio.wait_for(client.wait(order), 5.0)
        stream = client.fills()
        for _ in range(sum(map(len, orders))):
            fill = await asyncio.wait_for(anext(stream), 5.0)
            fills.append(fill)
        account = await client.account()
    assert account["cash"] == sum(_cash(fill) for fill in fills) + 100_000
    server.stop()
    stop.set()
    await asyncio.gather(*tasks)
    return fills


def _cash(fill: LiveFill) -> Decimal:
    return (-fill.value if fill.qty > 0 else fill.value) - fill.fee


def test_the_orders_of_the_pairs_backtest_give_its_fills() -> None:
    bars = nt.load("sp500-closes", symbols=SYMBOLS)
    strategy = nt.Pairs(*SYMBOLS, lookback=60, entry=2.0, exit=0.5, gross=20_000.0)
    wanted = nt.backtest(strategy, bars, costs=COSTS).fills.to_dicts()
    assert len(wanted) == 420
    stamps = {int(ts): place for place, ts in enumerate(bars["KO"].ts_close_ns.tolist())}
    times = nt.backtest(strategy, bars, costs=COSTS).fills["time"].to_physical().to_list()
    orders: list[list[tuple[str, int]]] = [[] for _ in range(len(stamps) - 1)]
    for row, ts in zip(wanted, times, strict=True):
        orders[stamps[ts] - 1].append((row["symbol"], int(_signed(row))))
    fills = asyncio.run(replay(orders, bars))
    assert len(fills) == len(wanted)
    before = itertools.chain([100_000.0], (row["cash"] for row in wanted))
    for fill, row, cash in zip(fills, wanted, before, strict=False):
        assert (fill.symbol, float(fill.qty)) == (row["symbol"], _signed(row))
        assert LISTINGS["KO"].nearest_ticks(row["price"]) == int(fill.price / Decimal("0.001"))
        assert abs(float(_cash(fill)) - (row["cash"] - cash)) <= 0.01


def _signed(row: dict[str, Any]) -> float:
    """Return the quantity of a fill with its sign."""
    qty = abs(float(row["qty"]))
    return qty if row["side"] == "buy" else -qty
