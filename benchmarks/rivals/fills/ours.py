"""The four strategies in our engine, and the fills that they make."""

import neural_trader as nt
from examples.own_pairs import OwnPairs
from examples.own_sma_cross import OwnCross

SHARES = 100
WINDOW = 50


class Stops(nt.Strategy):
    """Long above the average of 50 closes, with a stop and a target from the price paid."""

    def on_start(self, ctx: nt.Context) -> None:
        self.averages = {symbol: nt.indicators.SMA(WINDOW) for symbol in ctx.symbols}
        for symbol, average in self.averages.items():
            ctx.track(average, symbol)
        self.exits: dict[str, list[object]] = {}
        self.waiting: set[str] = set()

    def on_bar(self, ctx: nt.Context) -> None:
        for symbol, average in self.averages.items():
            flat = ctx.position(symbol) == 0 and symbol not in self.waiting
            if flat and ctx.close(symbol) > average.value:
                ctx.order(symbol, SHARES)
                self.waiting.add(symbol)

    def on_fill(self, ctx: nt.Context, fill: nt.Fill) -> None:
        symbol = fill.symbol
        if fill.qty > 0:
            self.waiting.discard(symbol)
            stop = ctx.order(symbol, -SHARES, stop=0.95 * fill.price)
            target = ctx.order(symbol, -SHARES, limit=1.1 * fill.price)
            self.exits[symbol] = [stop, target]
        else:
            for order in self.exits.pop(symbol):
                ctx.cancel(order)  # type: ignore[arg-type]


class Dips(nt.Strategy):
    """Bid 2 % below the close for one bar; leave at the market after five."""

    def __init__(self, idle: int = 0) -> None:
        self.idle = idle

    def on_start(self, ctx: nt.Context) -> None:
        self.bars = 0
        self.bars_held = dict.fromkeys(ctx.symbols, 0)

    def on_bar(self, ctx: nt.Context) -> None:
        self.bars += 1
        if self.bars <= self.idle:
            return
        for symbol in ctx.symbols:
            if ctx.position(symbol) == 0:
                self.bars_held[symbol] = 0
                ctx.order(symbol, SHARES, limit=0.98 * ctx.close(symbol), tif="DAY")
                continue
            self.bars_held[symbol] += 1
            if self.bars_held[symbol] == 5:
                ctx.target_qty(symbol, 0)


def run(name: str, bars: nt.Bars, *, touch: bool, idle: int) -> list[tuple[int, int, float, float]]:
    """Return the fills of a strategy: bar, symbol's place, signed shares, price.

    ``touch`` fills limits that are only reached; the first ``idle`` bars of dips do nothing.
    """
    strategy = {
        "sma": OwnCross(), "pairs": OwnPairs(), "stops": Stops(), "dips": Dips(idle),
    }[name]  # fmt: skip
    matching = nt.Matching(limit_fills="touch" if touch else "through")
    done = nt.backtest(strategy, bars, capital=1e6, matching=matching)
    where, fills = done.outcome.where, done.outcome.fills
    rows = zip(*where[:2].tolist(), fills[0].tolist(), fills[2].tolist(), strict=True)
    return sorted(rows)
