"""vectorbt: pandas indicators and ``Portfolio.from_signals``, on its compiled (Rust) engine.

Signals are moved one bar on, so that they fill at the next close. Shares are those of the decision:
a size a bar, read where a signal enters. Nothing else differs.
"""

import numpy as np
import pandas as pd
import vectorbt
from work import Answer

PACKAGE = "vectorbt"
vectorbt.settings["engine"] = "rust"


def prepare(work):
    index = pd.DatetimeIndex(work.days.astype("datetime64[D]").astype("datetime64[ns]"))
    return pd.DataFrame(dict(zip(work.symbols, work.closes, strict=True)), index=index)


def run(prices, work):
    portfolio = (_pairs if work.kind == "pairs" else _sma)(prices, work)
    return portfolio.orders.records_arr, np.asarray(portfolio.value())


def read(result):
    orders, equity = result
    # side 0 buys, 1 sells; records are sorted by column, fills are counted column by column
    fills = [(int(row["col"]), float(row["size"]) * (1 - 2 * row["side"])) for row in orders]
    return Answer(fills, equity.ravel().tolist())


def _pairs(prices, work):
    y, x = (prices[symbol] for symbol in work.symbols)
    ratio = y.rolling(work.lookback).cov(x) / x.rolling(work.lookback).var()
    spread = y - ratio * x
    window = spread.rolling(work.lookback)
    z = ((spread - window.mean()) / window.std()).to_numpy()
    ratio = ratio.to_numpy()
    n = np.floor(work.gross / (y.to_numpy() + ratio * x.to_numpy()))
    m = np.floor(ratio * n + 0.5)
    tradable = (ratio > 0) & (n > 0) & (m > 0)
    buy, sell = _later(tradable & (z <= -work.entry)), _later(tradable & (z >= work.entry))
    leave_long, leave_short = _later(z >= -work.exit), _later(z <= work.exit)
    # What buys the spread buys the first symbol and sells the second.
    return vectorbt.Portfolio.from_signals(
        prices,
        entries=np.column_stack([buy, sell]),
        short_entries=np.column_stack([sell, buy]),
        exits=np.column_stack([leave_long, leave_short]),
        short_exits=np.column_stack([leave_short, leave_long]),
        size=np.column_stack([_later(np.where(tradable, leg, 0.0)) for leg in (n, m)]),
        upon_opposite_entry="ignore",
        upon_dir_conflict="ignore",
        upon_long_conflict="ignore",
        upon_short_conflict="ignore",
        group_by=True,
        cash_sharing=True,
        **_account(work),
    )


def _sma(prices, work):
    close = prices[work.symbols[0]]
    fast = vectorbt.MA.run(close, work.fast).ma.to_numpy()
    slow = vectorbt.MA.run(close, work.slow).ma.to_numpy()
    above = fast > slow
    return vectorbt.Portfolio.from_signals(
        close,
        entries=_later(above),
        exits=_later(~above),
        size=_later(np.floor(work.gross / close.to_numpy())),
        **_account(work),
    )


def _account(work):
    return {
        "size_type": "amount",
        "init_cash": work.capital,
        "fees": work.fee,
        "slippage": work.slippage,
        "freq": "1D",
    }


def _later(column):
    moved = np.zeros_like(column)
    moved[1:] = column[:-1]
    return moved
