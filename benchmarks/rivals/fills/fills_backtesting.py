"""backtesting.py: what each strategy fills, one symbol at a time, so no pairs.

Nor is it asked for stops: the stop and target of its trades may fill in the bar of the entry.
"""

import json
import sys
import warnings

import pandas as pd
from backtesting import Backtest, Strategy
from words import SmaRules, read

SHARES = 100
SKIPPED = ("pairs", "stops")
warnings.simplefilter("ignore")


class Sma(Strategy):
    def init(self):
        self.rules = SmaRules()

    def next(self):
        # It begins at the second bar: the rules are shown the first one, too.
        if len(self.data) == 2:
            self.rules.decide(self.data.Close[0])
        wanted = self.rules.decide(self.data.Close[-1])
        if wanted is None:
            return
        if wanted[0]:
            self.buy(size=wanted[0])
        else:
            self.position.close()


class Dips(Strategy):
    def init(self):
        self.bars_held = 0

    def next(self):
        for order in self.orders:
            order.cancel()
        if not self.position:
            self.bars_held = 0
            self.buy(size=SHARES, limit=0.98 * self.data.Close[-1])
            return
        self.bars_held += 1
        if self.bars_held == 5:
            self.position.close()


def run(name, prices, days):
    index = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[ns]"))
    rows = []
    for leg in range(prices["close"].shape[0]):
        frame = pd.DataFrame(
            {field.title(): values[leg] for field, values in prices.items()}, index=index
        )
        kind = Sma if name == "sma" else Dips
        stats = Backtest(frame, kind, cash=1e6, commission=0.0, finalize_trades=True).run()
        for trade in stats["_trades"].itertuples():
            rows.append((int(trade.EntryBar), leg, trade.Size, trade.EntryPrice))
            # What is open at the end is closed by it; nobody else does.
            if trade.ExitBar < len(frame) - 1:
                rows.append((int(trade.ExitBar), leg, -trade.Size, trade.ExitPrice))
    return sorted(rows)


if __name__ == "__main__":
    asked = [(name, path) for name, path in json.loads(sys.argv[1]) if name not in SKIPPED]
    print(json.dumps({name: run(name, *read(path)) for name, path in asked}, default=float))
