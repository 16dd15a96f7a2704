"""A feed of trades becomes five-minute bars, with late ones in their place, and is paper traded.

Trades are made up here and arrive up to two seconds late; a simulated clock plays the day at once.
"""

import numpy as np

import neural_trader as nt
from neural_trader import trading
from neural_trader.data import feeds

SECOND = 1_000_000_000
OPENED = 1_704_205_800 * SECOND  # 2024-01-02, 9:30 in New York


def make_trades(count: int = 20_000) -> list[feeds.TradeEvent]:
    """Return a day of trades in the order of their arrival."""
    draw = np.random.default_rng(1)
    prices = np.round(100.0 * np.exp(draw.normal(0.0, 2e-4, count).cumsum()), 2)
    happened = OPENED + np.linspace(0, 6.5 * 3600 * SECOND, count).astype(np.int64)
    arrived = happened + draw.integers(0, 2 * SECOND, count)
    return [
        feeds.TradeEvent(
            symbol="MADE",
            ts_event_ns=int(happened[number]),
            price=float(prices[number]),
            size=100.0,
            id=int(number),
        )
        for number in np.argsort(arrived, kind="stable")
    ]


if __name__ == "__main__":
    clock = feeds.SimulatedClock()
    replay = feeds.Replay(make_trades(), speed=60, clock=clock)
    bars = feeds.Aggregated(replay, "5Min", lateness_s=2, session=feeds.Hours())
    strategy = nt.library.EmaCross(fast=3, slow=9)
    result = trading.run(strategy, bars, costs=nt.Costs(fee_bps=1))
    print(f"{replay.counts['trades']:,} trades in {clock.now_ns() / SECOND:.0f} s of clock")
    print({name: number for name, number in bars.counts.items() if number})
    print(result)
