"""Try several parameters of a pair in one loop: a run takes microseconds.

The best of many is lucky: count the trials before you believe it.
"""

import neural_trader as nt

bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
costs = nt.Costs(fee_bps=5, slippage_bps=5)

runs = [
    nt.backtest(
        nt.Pairs("KO", "PEP", lookback=lookback, entry=entry, exit=leave), bars, costs=costs
    )
    for lookback in range(20, 121, 20)
    for entry in (1.5, 2.0, 2.5)
    for leave in (0.0, 0.5)
]
best = max(runs, key=lambda run: run.final_equity)
profitable = sum(run.final_equity > run.config.capital for run in runs)
print(f"{len(runs)} trials, {profitable} of them profitable")
print("the luckiest:", best.config.strategy, f"{best.final_equity:,.2f}")
