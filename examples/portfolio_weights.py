"""Weights of twenty stocks by five methods, and what each came to when it was followed.

The first table is what every method would hold now; the second a backtest that finds the weights
anew every month from the year before, with costs. Twenty survivors flatter them all: compare the
methods, not their gains.
"""

import neural_trader as nt
from neural_trader.data import returns_of
from neural_trader.portfolio.optimizers import Constraints, estimate_moments, optimize

METHODS = ("min-variance", "max-sharpe", "mean-variance", "risk-parity", "hrp")
MOST = 0.2

bars = nt.load("sp500-closes", start="2014-01-01")
year = returns_of(nt.load("sp500-closes", start="2022-01-01"))
moments = estimate_moments(
    year.table, series=year.series, ts_close_ns=year.ts_close_ns, covariance="ledoit-wolf"
)

print(f"{'':15}{'held':>6}{'largest':>16}{'volatility':>12}{'most of the risk':>20}")
for method in METHODS:
    found = optimize(moments, method, constraints=Constraints(max_weight=MOST))
    held = int((found.weights > 1e-6).sum())
    largest, riskiest = found.weights.argmax(), found.contributions.argmax()
    print(
        f"{method:15}{held:6}{found.series[largest]:>9}{found.weights[largest]:7.1%}"
        f"{found.volatility:12.1%}{found.series[riskiest]:>13}{found.contributions[riskiest]:7.1%}"
    )

print(f"\n{'':15}{'final equity':>14}{'Sharpe':>8}{'drawdown':>10}{'turnover':>12}{'costs':>10}")
costs = nt.Costs(fee_bps=5, slippage_bps=5)
for method in METHODS:
    rule = nt.library.Rebalance(method, every="month", lookback_bars=252, max_weight=MOST)
    run = nt.backtest(rule, bars, costs=costs, start="2015-01-02")
    figures = run.metrics
    print(
        f"{method:15}{run.final_equity:14,.0f}{figures['sharpe']:8.2f}"
        f"{figures['max_drawdown']:10.1%}{figures['turnover']:10.2f} x"
        f"{figures['fees'] + figures['slippage']:10,.0f}"
    )
