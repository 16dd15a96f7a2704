"""Every strategy of the library on twenty stocks, with costs, side by side.

The screening at its end needs statsmodels: pip install 'neural-trader[screening]'.
Twenty survivors over 33 years flatter whatever buys: compare the rules, not their gains.
"""

import neural_trader as nt

lib = nt.library
bars = nt.load("sp500-closes")
costs = nt.Costs(fee_bps=5, slippage_bps=5)
capital = 1_000_000.0

rules = {
    "averages, simple": lib.SmaCross(20, 100, size="4%"),
    "averages, exponential": lib.EmaCross(20, 100, size="1% volatility"),
    "Bollinger reversion": lib.BollingerReversion(20, 2.0, short=True, size="4%"),
    "RSI reversion": lib.RsiReversion(14, 30, 70, short=True, size="4%"),
    "Donchian breakout": lib.DonchianBreakout(20, 10, size="100 shares"),
    "time-series momentum": lib.TimeSeriesMomentum(252, 21),
    "cross-sectional momentum": lib.CrossSectionalMomentum(252, 21, part=0.25, size="80%"),
    "pairs": lib.PairsBook(
        "KO/PEP,HD/WMT,CVX/XOM,BAC/JPM",
        hedge="entry",
        spread="held",
        stop=4.0,
        longest=60,
        cooldown=5,
        size="20%",
    ),
    "ensemble": lib.Ensemble(
        [lib.EmaCross(20, 100), lib.RsiReversion(), lib.PairsBook("KO/PEP")], size="4%"
    ),
}

print(f"{'':26}{'trades':>8}{'final equity':>16}{'Sharpe':>8}{'drawdown':>10}")
for name, rule in rules.items():
    run = nt.backtest(rule, bars, capital=capital, costs=costs)
    sharpe, drawdown = run.metrics["sharpe"], run.metrics["max_drawdown"]
    print(f"{name:26}{run.trades:8,}{run.final_equity:16,.0f}{sharpe:8.2f}{drawdown:10.1%}")

found = lib.screen_pairs(bars, ["KO", "PEP", "CVX", "XOM"], end="1999-12-31", p_value=0.1)
print(f"{len(found.candidates)} of {found.tested} pairs pass:")
for pair in found.candidates:
    print(f"{pair.y}/{pair.x}: p {pair.p_value:.3f}, half-life {pair.half_life:.0f} bars")
