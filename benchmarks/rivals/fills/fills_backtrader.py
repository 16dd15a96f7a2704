"""backtrader: what each strategy fills. Prices come as an .npz of open, high, low, close (S, T)."""

import json
import sys
from types import SimpleNamespace

import backtrader as bt
import pandas as pd
from words import PairsRules, SmaRules, read  # first: it makes the rivals known

from rival_backtrader import Trader  # isort: skip

SHARES, WINDOW = 100, 50


class Noting(bt.Strategy):
    """Notes down every execution."""

    params = {"note": None}

    def notify_order(self, order):
        if order.status == order.Completed:
            leg = self.datas.index(order.data)
            self.p.note.append(
                (len(order.data) - 1, leg, order.executed.size, order.executed.price)
            )
            self.filled(leg, order)

    def filled(self, leg, order):
        """Hear of a fill."""


class Market(Noting, Trader):
    """The timed rival, with every execution noted."""


class Stops(Noting):
    def __init__(self):
        self.averages = [bt.indicators.SMA(data.close, period=WINDOW) for data in self.datas]
        self.waiting = set()

    def next(self):
        for leg, data in enumerate(self.datas):
            flat = self.getposition(data).size == 0 and leg not in self.waiting
            if flat and data.close[0] > self.averages[leg][0]:
                self.buy(data, size=SHARES)
                self.waiting.add(leg)

    def filled(self, leg, order):
        if order.isbuy():
            self.waiting.discard(leg)
            data, price = order.data, order.executed.price
            stop = self.sell(data, size=SHARES, exectype=bt.Order.Stop, price=0.95 * price)
            self.sell(data, size=SHARES, exectype=bt.Order.Limit, price=1.1 * price, oco=stop)


class Dips(Noting):
    def __init__(self):
        self.bids = [None] * len(self.datas)
        self.bars_held = [0] * len(self.datas)

    def next(self):
        for leg, data in enumerate(self.datas):
            # A day order would expire before the next bar: it is canceled by hand after it.
            if self.bids[leg] is not None and self.bids[leg].alive():
                self.cancel(self.bids[leg])
            if self.getposition(data).size == 0:
                self.bars_held[leg] = 0
                bid = 0.98 * data.close[0]
                self.bids[leg] = self.buy(data, size=SHARES, exectype=bt.Order.Limit, price=bid)
                continue
            self.bars_held[leg] += 1
            if self.bars_held[leg] == 5:
                self.close(data)


def run(name, prices, days):
    index = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[ns]"))
    engine = bt.Cerebro(stdstats=False)
    for leg in range(prices["close"].shape[0]):
        frame = pd.DataFrame({field: prices[field][leg] for field in prices}, index=index)
        engine.adddata(bt.feeds.PandasData(dataname=frame, volume=None, openinterest=None))
    note = []
    if name in ("sma", "pairs"):
        rules = SmaRules() if name == "sma" else PairsRules()
        engine.addstrategy(Market, note=note, work=SimpleNamespace(rules=lambda: rules))
    else:
        engine.addstrategy(Stops if name == "stops" else Dips, note=note)
    engine.broker.setcash(1e6)
    engine.run()
    return sorted(note)


if __name__ == "__main__":
    print(json.dumps({name: run(name, *read(path)) for name, path in json.loads(sys.argv[1])}))
