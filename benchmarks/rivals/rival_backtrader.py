"""backtrader: one PandasData feed a symbol, a Python strategy, market orders.

Bars have one price, so the open of the next bar, where backtrader fills, is the close that the work
asks for. Nothing else differs. The observers that draw its charts are off; equity is noted down at
every bar.
"""

import backtrader as bt
import pandas as pd
from work import Answer

PACKAGE = "backtrader"


class Trader(bt.Strategy):
    params = {"work": None}

    def __init__(self):
        self.rules = self.p.work.rules()
        self.targets = [0] * len(self.datas)
        self.fills, self.equity = [], []

    def notify_order(self, order):
        if order.status == order.Completed:
            self.fills.append((self.datas.index(order.data), order.executed.size))

    def next(self):
        self.equity.append(self.broker.getvalue())
        wanted = self.rules.decide(*(data.close[0] for data in self.datas))
        if wanted is None:
            return
        for data, target, held in zip(self.datas, wanted, self.targets, strict=True):
            if target > held:
                self.buy(data, size=target - held)
            elif target < held:
                self.sell(data, size=held - target)
        self.targets = wanted


def prepare(work):
    index = pd.DatetimeIndex(work.days.astype("datetime64[D]").astype("datetime64[ns]"))
    return [
        pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close), index=index)
        for close in work.closes
    ]


def run(prices, work):
    engine = bt.Cerebro(stdstats=False)
    for frame in prices:
        engine.adddata(bt.feeds.PandasData(dataname=frame, volume=None, openinterest=None))
    engine.addstrategy(Trader, work=work)
    engine.broker.setcash(work.capital)
    engine.broker.setcommission(commission=work.fee)
    # Slippage holds beyond the bar's range too: the range of a bar with one price is a point.
    engine.broker.set_slippage_perc(work.slippage, slip_open=True, slip_match=True, slip_out=True)
    return engine.run()[0]


def read(result):
    return Answer(result.fills, result.equity)
