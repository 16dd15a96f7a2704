"""Backtest a pair on bundled prices, look at what it did, and write a report.

Run it: python examples/pairs_on_real_prices.py [FOLDER]
"""

import sys
from pathlib import Path

import neural_trader as nt

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
result = nt.backtest(
    nt.Pairs("KO", "PEP", lookback=60, entry=2.0, exit=0.5, gross=20_000),
    bars,
    capital=100_000,
    costs=nt.Costs(fee_bps=5, slippage_bps=5),
    start="2010-01-01",  # earlier bars only warm the indicators up
)

print(result)
print(result.round_trips.select("entry_time", "side", "z_score_entry", "gross_pnl", "pnl").tail(5))
lost = result.metrics["trade_converged_but_lost"]
print(f"{lost:.0f} of {result.trades} round trips converged but lost; what a fill may cost:")
print(f"{result.metrics['break_even_cost_bps']:.2f} bps")
print("report:", nt.report(result, folder / "pairs.html"))
