"""Backtest a moving-average crossover on prices of your own: here a CSV file made on the spot.

Run it: python examples/own_prices.py [FOLDER]
"""

import sys
from datetime import date, timedelta
from math import sin
from pathlib import Path

import neural_trader as nt

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
path = folder / "WAVE.csv"

# Any file with a date and a close will do; its name is the symbol.
rows = ["Date,Open,High,Low,Close,Volume"]
for day in range(750):
    close = 50.0 + 0.01 * day + 8.0 * sin(day / 40.0)
    stamp = date(2020, 1, 1) + timedelta(days=day)
    rows.append(f"{stamp},{close - 0.1:.2f},{close + 0.4:.2f},{close - 0.5:.2f},{close:.2f},1000")
path.write_text("\n".join(rows) + "\n")

bars = nt.load(path)
result = nt.backtest(
    nt.SmaCross("WAVE", fast=10, slow=30, gross="50%"),  # half of equity at each entry
    bars,
    costs=nt.Costs(fee_bps=10, slippage_bps=2),
)
print(result)
for note in result.notes:
    print("-", note)
print(result.fills.head(4))
