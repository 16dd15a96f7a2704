"""backtesting.py: one symbol only, so SMA alone.

Bars have one price, so the open of the next bar, where it fills, is the close that the work asks
for. Its spread is charged on entries alone, so slippage and fee are one commission on the close:
buying pays and selling saves 0.25 millionths of a fill's value. ``run`` always computes its
statistics.
"""

import backtesting
import pandas as pd
from work import Answer

PACKAGE = "backtesting"
backtesting.backtesting._tqdm = lambda bars, **_: bars  # no progress bar in what is timed


class Trader(backtesting.Strategy):
    work = None

    def init(self):
        close = pd.Series(self.data.Close)
        fast, slow = self.work.fast, self.work.slow
        # Without a NaN at the front next() is called from the start, not one bar after it.
        self.fast = self.I(lambda: close.rolling(fast).mean().fillna(0.0).to_numpy())
        self.slow = self.I(lambda: close.rolling(slow).mean().fillna(float("inf")).to_numpy())
        self.is_long = False

    def next(self):
        above = self.fast[-1] > self.slow[-1]
        if above and not self.is_long:
            self.buy(size=int(self.work.gross / self.data.Close[-1]))
        elif self.is_long and not above:
            self.position.close()
        self.is_long = above


def prepare(work):
    index = pd.DatetimeIndex(work.days.astype("datetime64[D]").astype("datetime64[ns]"))
    columns = dict.fromkeys(("Open", "High", "Low", "Close"), work.closes[0])
    return pd.DataFrame(columns, index=index)


def run(prices, work):
    costs = work.fee + work.slippage
    test = backtesting.Backtest(prices, Trader, cash=work.capital, commission=costs)
    return test.run(work=work)


def read(result):
    done, still = result["_trades"], result["_strategy"].trades
    fills = [(bar, qty) for bar, qty in zip(done.EntryBar, done.Size, strict=True)]
    fills += [(bar, -qty) for bar, qty in zip(done.ExitBar, done.Size, strict=True)]
    fills += [(trade.entry_bar, trade.size) for trade in still]
    return Answer(
        [(0, qty) for _, qty in sorted(fills)], result["_equity_curve"]["Equity"].tolist()
    )
