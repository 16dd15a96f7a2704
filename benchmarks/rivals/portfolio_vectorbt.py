"""vectorbt: its accessor of returns, all series at once, on its compiled (Rust) engine.

Left out of the comparison: value at risk and what is beyond it (interpolated, negative), drawdown
(from a peak that leaves out the start).
"""

import pandas as pd
import vectorbt

PACKAGE = "vectorbt"
NAMES = (
    *("total", "annualized", "annualized_volatility", "sharpe_ratio", "sortino_ratio"),
    *("calmar_ratio", "omega_ratio", "max_drawdown", "downside_risk", "tail_ratio"),
    *("value_at_risk", "cond_value_at_risk", "common_sense_ratio"),
)
METRICS = len(NAMES)
SAME = {"total": "total_return", "annualized_volatility": "volatility", "sharpe_ratio": "sharpe"}
vectorbt.settings["engine"] = "rust"


def prepare(returns, benchmark):  # noqa: ARG001 - all of them are called alike
    index = pd.bdate_range("2021-01-04", periods=len(returns))
    frame = pd.DataFrame(returns, index=index)
    return frame.vbt.returns(freq="D", year_freq="252 days")


def run(accessor):
    return {name: getattr(accessor, name)() for name in NAMES}


def read(result):
    return {ours: result[name] for name, ours in SAME.items()}
