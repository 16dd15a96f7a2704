"""A pairs backtest of KO and PEP, as it is written in pandas: rolling columns, then a loop of bars.

The rules are those of docs/semantics.md: the spread over a rolling hedge ratio is sold at a z-score
of ``entry`` and bought at ``-entry``, left at ``exit``; what is decided at a close is filled at the
next close, with slippage and a fee.
"""

from typing import Any

import pandas as pd

from neural_trader.bench.baseline.timing import present

CAPITAL, FEE, SLIPPAGE = 100_000.0, 0.0005, 0.0005


def prepare(start: str = "2021-01-01", end: str = "2021-12-31", **rules: Any) -> dict[str, Any]:  # noqa: ANN401 - the rules by name
    """Return closes of KO and PEP, the rules as they are given."""
    import neural_trader as nt

    bars = nt.load("sp500-closes", symbols=["KO", "PEP"], start=start, end=end)
    closes = {symbol: bars[symbol].close.copy() for symbol in ("KO", "PEP")}
    return {"prices": pd.DataFrame(closes, index=pd.to_datetime(bars["KO"].ts_close_ns)), **rules}


def find_signals(prices: pd.DataFrame, lookback: int) -> pd.DataFrame:
    """Return hedge ratio and z-score of every bar."""
    rolling_y, rolling_x = prices["KO"].rolling(lookback), prices["PEP"].rolling(lookback)
    hedge_ratio = rolling_y.cov(prices["PEP"]) / rolling_x.var()
    moves = (rolling_y.max() > rolling_y.min()) & (rolling_x.max() > rolling_x.min())
    hedge_ratio = hedge_ratio.where(moves)
    spread = prices["KO"] - hedge_ratio * prices["PEP"]
    rolling = spread.rolling(lookback)
    return pd.DataFrame(
        {"hedge_ratio": hedge_ratio, "z": (spread - rolling.mean()) / rolling.std()}
    )


def run(  # noqa: PLR0917 - the rules, as a call gives them
    prices: pd.DataFrame,
    lookback: int = 60,
    entry: float = 2.0,
    exit: float = 0.5,  # noqa: A002 - the rule's name
    gross: float = 20_000.0,
) -> dict[str, Any]:
    """Return trades, fills and final equity of the backtest."""
    signals = find_signals(prices, lookback)
    cash, side, held, wanted = CAPITAL, 0, [0, 0], None
    trades = fills = 0
    equity = []
    bars = zip(prices["KO"], prices["PEP"], signals["hedge_ratio"], signals["z"], strict=True)
    for ko, pep, beta, z in bars:
        if wanted is not None:
            for leg, price in enumerate((ko, pep)):
                quantity = wanted[leg] - held[leg]
                if quantity:
                    paid = price * (1 + SLIPPAGE if quantity > 0 else 1 - SLIPPAGE)
                    cash -= quantity * paid + abs(quantity) * paid * FEE
                    fills += 1
            trades += wanted[0] != 0
            held, wanted = wanted, None
        if side == 0:
            new = -1 if z >= entry else 1 if z <= -entry else 0
            if new and beta > 0:
                n = int(gross / (ko + beta * pep))
                m = int(beta * n + 0.5)
                if n and m:
                    side, wanted = new, [new * n, -new * m]
        elif z * side >= -exit:
            side, wanted = 0, [0, 0]
        equity.append(cash + held[0] * ko + held[1] * pep)
    return {"trades": int(trades), "fills": fills, "final_equity": float(equity[-1])}


if __name__ == "__main__":
    present("backtest", prepare, run)
