"""A moving-average crossover of one's own: bar by bar, and as a frame of intents.

python examples/own_sma_cross.py
neural-trader backtest --strategy examples/own_sma_cross.py --data sp500-closes --set fast=10
"""

import math

import neural_trader as nt


class OwnCross(nt.Strategy):
    """Hold KO while its fast average is above its slow one."""

    symbols = ("KO",)

    def __init__(self, fast: int = 20, slow: int = 50, gross: float = 20_000.0) -> None:
        self.fast, self.slow, self.gross = fast, slow, gross

    def on_start(self, ctx: nt.Context) -> None:
        (self.symbol,) = ctx.symbols
        self.averages = [nt.indicators.SMA(window) for window in (self.fast, self.slow)]
        for average in self.averages:
            ctx.track(average, self.symbol)
        self.is_long = False

    def on_bar(self, ctx: nt.Context) -> None:
        fast, slow = (average.value for average in self.averages)
        above = fast > slow
        if above != self.is_long and not ctx.is_warming_up:
            units = math.floor(self.gross / ctx.close(self.symbol)) if above else 0
            ctx.target_qty(self.symbol, units)
            self.is_long = above


def make_intents(bars: nt.Bars, fast: int = 20, slow: int = 50) -> nt.Intents:
    """Return the same decisions for all bars at once: rows only where the mind changes."""
    import numpy as np

    ko = bars["KO"]
    above = nt.indicators.SMA(fast).batch(ko.close) > nt.indicators.SMA(slow).batch(ko.close)
    changes = np.flatnonzero(np.diff(above.astype(int), prepend=0))
    units = np.where(above[changes], np.floor(20_000.0 / ko.close[changes]), 0.0)
    times = ko.ts_close_ns[changes].astype("datetime64[ns]")
    return nt.Intents({"time": times, "symbol": ["KO"] * len(changes), "target_qty": units})


if __name__ == "__main__":
    bars = nt.load("sp500-closes", symbols=["KO"])
    costs = nt.Costs(fee_bps=5, slippage_bps=5)
    runs = {
        "own": nt.backtest(OwnCross(), bars, costs=costs),
        "intents": nt.backtest(make_intents(bars), bars, costs=costs),
        "SmaCross": nt.backtest(nt.SmaCross("KO"), bars, costs=costs),
    }
    for name, run in runs.items():
        print(f"{name:10}{run.trades:5} trades{run.fill_count:5} fills{run.final_equity:15,.4f}")
