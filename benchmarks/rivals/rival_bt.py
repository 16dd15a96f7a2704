"""bt: one Algo of our own that transacts whole shares.

bt trades at the close of the bar on which its algos are called, so the Algo keeps a decision until
the next call. It has no slippage: the commission function charges slippage and fee together, which
leaves the same cash. Its statistics (``bt.run``) are not computed.
"""

import bt
import pandas as pd
from work import Answer

PACKAGE = "bt"


class Trader(bt.Algo):
    def __init__(self, work):
        super().__init__()
        self.symbols, self.rules = work.symbols, work.rules()
        self.targets, self.due, self.fills = (0,) * len(work.symbols), None, []

    def __call__(self, target):
        closes = target.universe.loc[target.now]
        if self.due is not None:
            for leg, symbol in enumerate(self.symbols):
                qty = self.due[leg] - self.targets[leg]
                if qty:
                    target.transact(qty, child=symbol)
                    self.fills.append((leg, qty))
            self.targets, self.due = self.due, None
        self.due = self.rules.decide(*(closes[symbol] for symbol in self.symbols))
        return True


def prepare(work):
    index = pd.DatetimeIndex(work.days.astype("datetime64[D]").astype("datetime64[ns]"))
    return pd.DataFrame(dict(zip(work.symbols, work.closes, strict=True)), index=index)


def run(prices, work):
    def commission(qty, price):
        sign = 1.0 if qty > 0 else -1.0
        return abs(qty) * price * (work.slippage + work.fee * (1.0 + sign * work.slippage))

    strategy = bt.Strategy("trader", [Trader(work)], list(work.symbols))
    test = bt.Backtest(
        strategy,
        prices,
        initial_capital=work.capital,
        commissions=commission,
        integer_positions=True,
        progress_bar=False,
    )
    test.run()
    return test


def read(result):
    trader = result.strategy.stack.algos[0]  # bt runs a copy of the strategy that it was given
    # bt puts a row in front of the first bar.
    return Answer(trader.fills, result.strategy.values.iloc[1:].tolist())
