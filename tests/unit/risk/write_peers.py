"""Write ``peers.json``: risk figures by skfolio, QuantLib and arch, for the tests to compare with.

Run it with a Python that has them, none of which neural-trader needs::

    pip install arch==8.0.0 skfolio==1.12.2 QuantLib==1.44
    python tests/unit/risk/write_peers.py

Their conventions are ours where a figure stands here: the lower quantile of the losses and the mean
of the worst 1 - c with a fractional boundary (skfolio), Black-Scholes-Merton (QuantLib), the EWMA
variance of the next period (arch).
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

CONFIDENCES = (0.9, 0.95, 0.975, 0.99)
AGE_WEIGHT = 0.98
OPTIONS = (
    # type, spot, strike, years, volatility, rate, dividend yield
    ("call", 42.0, 40.0, 0.5, 0.20, 0.10, 0.0),
    ("put", 42.0, 40.0, 0.5, 0.20, 0.10, 0.0),
    ("call", 100.0, 120.0, 2.0, 0.35, 0.03, 0.05),
    ("put", 100.0, 60.0, 0.05, 0.50, -0.01, 0.0),
    ("put", 100.0, 180.0, 1.0, 0.15, 0.04, 0.02),
)


def main() -> None:
    """Compute all figures and write them beside this file."""
    from importlib.metadata import version

    drawn = np.random.default_rng(5).standard_t(4, (300, 3)) @ np.diag([0.01, 0.02, 0.015])
    returns = np.round(drawn, 6)
    found = {
        "versions": {name: version(name) for name in ("skfolio", "QuantLib", "arch")},
        "returns": returns.tolist(),
        "skfolio": from_skfolio(returns),
        "quantlib_options": [options_from_quantlib(*terms) for terms in OPTIONS],
        "arch_ewma_variance": [ewma_from_arch(returns[:, k]) for k in range(3)],
    }
    path = Path(__file__).with_name("peers.json")
    path.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")


def from_skfolio(returns: Any) -> list[dict[str, float]]:
    """Return VaR and ES of the sum of the columns, plain and weighted by age."""
    from skfolio.measures import cvar, value_at_risk

    total = returns.sum(axis=1)
    weights = AGE_WEIGHT ** np.arange(len(total) - 1, -1, -1.0)
    return [
        {
            "confidence": level,
            "var": float(value_at_risk(total, beta=level)),
            "es": float(cvar(total, beta=level)),
            "weighted_var": float(value_at_risk(total, beta=level, sample_weight=weights)),
            "weighted_es": float(cvar(total, beta=level, sample_weight=weights)),
        }
        for level in CONFIDENCES
    ]


def options_from_quantlib(kind: str, spot: float, strike: float, *terms: float) -> dict[str, Any]:
    """Return value and greeks of a European option."""
    import QuantLib as ql  # noqa: N813 - as its own examples have it

    years, volatility, rate, dividend = terms
    side = ql.Option.Call if kind == "call" else ql.Option.Put
    found = ql.BlackCalculator(
        ql.PlainVanillaPayoff(side, strike),
        spot * math.exp((rate - dividend) * years),
        volatility * math.sqrt(years),
        math.exp(-rate * years),
    )
    return {
        "terms": [kind, spot, strike, *terms],
        "value": found.value(),
        "delta": found.delta(spot),
        "gamma": found.gamma(spot),
        "vega": found.vega(years),
        "theta": found.theta(spot, years),
    }


def ewma_from_arch(series: Any) -> float:
    """Return the variance of the period after the last."""
    from arch.univariate import EWMAVariance, ZeroMean

    model = ZeroMean(series * 100.0, volatility=EWMAVariance(0.94), rescale=False)
    fitted = model.fit(disp="off")
    return float(fitted.forecast(horizon=1).variance.iloc[-1, 0]) / 1e4


if __name__ == "__main__":
    main()
