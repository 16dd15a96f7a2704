"""A pairs strategy of one's own, bar by bar: the fills of nt.Pairs, to the cent.

python examples/own_pairs.py
neural-trader backtest --strategy examples/own_pairs.py --data sp500-closes
"""

import math

import neural_trader as nt


class OwnPairs(nt.Strategy):
    """Short the spread of KO and PEP when it is high, buy it when it is low."""

    symbols = ("KO", "PEP")

    def __init__(
        self, lookback: int = 60, entry: float = 2.0, leave: float = 0.5, gross: float = 20_000.0
    ) -> None:
        self.lookback, self.entry, self.leave, self.gross = lookback, entry, leave, gross

    def on_start(self, ctx: nt.Context) -> None:
        self.line = nt.indicators.OLS(self.lookback)
        self.score = nt.indicators.ZScore(self.lookback)
        ctx.track(self.line, *self.symbols)
        self.side = 0

    def on_bar(self, ctx: nt.Context) -> None:
        # The indicator has read this bar; what is ordered here fills at the next one.
        z = self.score.update(self.line.spread)
        if self.side != 0:
            if self.side * z >= -self.leave:
                self.side = 0
                self.hold(ctx, 0, 0)
        # A comparison with NaN is false: before both windows are full, nothing happens.
        elif abs(z) >= self.entry and not ctx.is_warming_up:
            self.enter(ctx, z, self.line.value)

    def enter(self, ctx: nt.Context, z: float, hedge_ratio: float) -> None:
        if not hedge_ratio > 0.0:
            return
        y, x = (ctx.close(symbol) for symbol in self.symbols)
        units_y = math.floor(self.gross / (y + hedge_ratio * x))
        units_x = math.floor(hedge_ratio * units_y + 0.5)
        if units_y > 0 and units_x > 0:
            self.side = -1 if z > 0 else 1
            self.hold(ctx, self.side * units_y, -self.side * units_x)

    def hold(self, ctx: nt.Context, *units: int) -> None:
        for symbol, qty in zip(self.symbols, units, strict=True):
            ctx.target_qty(symbol, qty)


if __name__ == "__main__":
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    costs = nt.Costs(fee_bps=5, slippage_bps=5)
    own = nt.backtest(OwnPairs(), bars, costs=costs)
    theirs = nt.backtest(nt.Pairs("KO", "PEP"), bars, costs=costs)
    for name, run in (("own", own), ("nt.Pairs", theirs)):
        print(f"{name:10}{run.trades:5} trades{run.fill_count:5} fills{run.final_equity:15,.4f}")
