"""raptorbt: its Strategy class on a margin account, typed market orders in shares.

Bars come symbol by symbol. With fills at the close of the bar on which an order is sent, the
strategy keeps a decision until the next bar. A position that is open at the end is closed by the
engine in its list of trades, so fills are counted as they happen. Its functions on arrays are left
out: they size on the fill's price, and have no units for the legs of a pair.
"""

import numpy as np
import raptorbt
from raptorbt.strategy import orders
from work import Answer

PACKAGE = "raptorbt"


class Trader(raptorbt.Strategy):
    def __init__(self, work):
        super().__init__()
        self.legs = {symbol: leg for leg, symbol in enumerate(work.symbols)}
        self.rules, self.closes = work.rules(), [0.0] * len(self.legs)
        self.targets, self.due, self.sent, self.fills = (0,) * len(self.legs), None, {}, []

    def on_order_filled(self, ctx, event):
        leg = self.legs[ctx.symbol]
        sign = self.sent[leg] if event.kind == "order_filled" else -event.direction
        self.fills.append((leg, sign * event.size))

    def on_bar(self, ctx):
        leg = self.legs[ctx.symbol]
        self.closes[leg] = ctx.bar.close
        if self.due is not None:
            self.send(ctx.symbol, leg)
        if leg < len(self.legs) - 1:
            return
        if self.due is not None:
            self.targets = self.due
        self.due = self.rules.decide(*self.closes)

    def send(self, symbol, leg):
        qty = self.due[leg] - self.targets[leg]
        if self.due[leg] == 0:
            self.close_position(symbol=symbol)
        elif qty:
            self.sent[leg] = 1 if qty > 0 else -1
            side = "buy" if qty > 0 else "sell"
            self.submit_order(orders.Market(side=side, units=float(abs(qty))), symbol=symbol)


def prepare(work):
    stamps, volume = work.days * 86_400_000_000_000, np.full(len(work.days), 1e9)
    return {
        symbol: {"timestamps": stamps, "volume": volume}
        | dict.fromkeys(("open", "high", "low", "close"), close)
        for symbol, close in zip(work.symbols, work.closes, strict=True)
    }


def run(prices, work):
    trader = Trader(work)
    config = raptorbt.BacktestConfig(
        initial_capital=work.capital,
        fees=work.fee,
        slippage=work.slippage,
        apply_slippage=True,
        fill_timing="same_bar_close",
    )
    result = raptorbt.run_portfolio_strategy(
        trader, data=prices, config=config, account_type="margin", leverage=1.0
    )
    # It has a value for every symbol's bar: the last one of a day has all closes of the day in it.
    symbols = len(work.symbols)
    return trader, result.result.equity_curve()[symbols - 1 :: symbols]


def read(result):
    trader, equity = result
    return Answer(trader.fills, equity.tolist())
