"""vectorbt: what each strategy fills. It has no resting limits: no dips."""

import json
import sys

import numpy as np
import pandas as pd
import vectorbt
from words import PairsRules, SmaRules, read

SHARES, WINDOW = 100, 50
SKIPPED = ("dips",)


def run(name, prices, days):
    index = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[ns]"))
    frames = {field: pd.DataFrame(values.T, index=index) for field, values in prices.items()}
    portfolio = stops(frames) if name == "stops" else market(name, frames["close"])
    rows = []
    for order in portfolio.orders.records_arr:
        sign = 1 - 2 * int(order["side"])
        rows.append((int(order["idx"]), int(order["col"]), sign * order["size"], order["price"]))
    return sorted(rows)


def market(name, closes):
    """Hand the quantities of the rules over, a bar later: each order fills at that bar's close."""
    rules = SmaRules() if name == "sma" else PairsRules()
    held = np.zeros(closes.shape)
    targets = (0,) * closes.shape[1]
    for t, prices in enumerate(closes.to_numpy()[:-1]):
        targets = rules.decide(*prices) or targets
        held[t + 1] = targets
    sizes = np.diff(held, axis=0, prepend=np.zeros((1, closes.shape[1])))
    sizes[sizes == 0.0] = np.nan
    return vectorbt.Portfolio.from_orders(closes, size=sizes, init_cash=1e6, freq="1D")


def stops(frames):
    """Enter at the open after the signal; leave by the stop or the target of the entry price."""
    close = frames["close"]
    above = close > close.rolling(WINDOW).mean()
    return vectorbt.Portfolio.from_signals(
        close,
        entries=above.shift(1, fill_value=False).to_numpy(),
        exits=np.zeros(close.shape, dtype=bool),
        price=frames["open"],
        open=frames["open"],
        high=frames["high"],
        low=frames["low"],
        size=SHARES,
        sl_stop=0.05,
        tp_stop=0.10,
        stop_entry_price="FillPrice",
        stop_exit_price="StopLimit",
        accumulate=False,
        init_cash=1e6,
        freq="1D",
    )


if __name__ == "__main__":
    asked = [(name, path) for name, path in json.loads(sys.argv[1]) if name not in SKIPPED]
    print(json.dumps({name: run(name, *read(path)) for name, path in asked}, default=float))
