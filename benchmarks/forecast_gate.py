"""How often the gate of an evaluation card lets a network pass: with nothing to find, and with.

    python benchmarks/forecast_gate.py --seeds 100

Every seed makes new series, trains and judges as ``neural-trader neural train`` does, and counts
whether any series passed. On random walks the gate should open in 5 % of the seeds or fewer; on
series with a signal that can be traded or seen, nearly always.
"""

import argparse
import json

import numpy as np

from neural_trader.forecast import EvaluationConfig, NHiTSConfig, train
from neural_trader.forecast.windows import panel_from

DAY_NS = 86_400_000_000_000
CONFIG = NHiTSConfig(horizon=5, lookback=32, width=32, pools=(4, 1), knots_every=(4, 1), steps=200)
EVALUATION = EvaluationConfig(folds=2, draws=1_000)


def random_walk(rng, bars, series):
    """Make no signal: steps of constant size, with a drift that differs from series to series."""
    return rng.normal(rng.normal(0.0, 2e-4, series), 0.01, (bars, series))


def volatile_walk(rng, bars, series):
    """Make no signal: steps of fat tails whose size comes in clusters, moved by one market."""
    steps, variance = np.empty((bars, series)), np.full(series, 1e-4)
    for bar in range(bars):
        shock = rng.standard_t(5, series) + rng.standard_t(5)
        steps[bar] = np.sqrt(variance) * shock / 1.83
        variance = 2e-6 + 0.08 * steps[bar] ** 2 + 0.90 * variance
    return steps


def autoregressive(rng, bars, series):
    """Make a signal: returns that follow the last one with a coefficient of 0.5."""
    steps = rng.normal(0.0, 0.01, (bars, series))
    for bar in range(1, bars):
        steps[bar] += 0.5 * steps[bar - 1]
    return steps


def seasonal(rng, bars, series):
    """Make a signal: a wave of 20 bars below noise of the same size."""
    phase = rng.uniform(0.0, 2.0 * np.pi, series)
    wave = np.sin(2.0 * np.pi * np.arange(bars)[:, None] / 20.0 + phase)
    return np.diff(0.02 * wave, axis=0, prepend=0.0) + rng.normal(0.0, 0.005, (bars, series))


KINDS = {
    "random-walk": random_walk,
    "volatile-walk": volatile_walk,
    "autoregressive": autoregressive,
    "seasonal": seasonal,
}


def passed(kind, seed, bars, series):
    """Return how many series pass, of one made-up panel."""
    rng = np.random.default_rng(seed)
    prices = 100.0 * np.exp(np.cumsum(KINDS[kind](rng, bars, series), axis=0))
    names = tuple(f"S{place}" for place in range(series))
    stamps = (np.arange(bars, dtype=np.int64) + 10_000) * DAY_NS
    panel = panel_from(names, stamps, prices, name=kind)
    return len(train(panel, CONFIG, EVALUATION, device="cpu").card["gate"]["passed"])


def main():
    """Print one line of JSON for each kind of series."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--bars", type=int, default=1_500)
    parser.add_argument("--series", type=int, default=5)
    parser.add_argument("--kinds", default=",".join(KINDS))
    given = parser.parse_args()
    for kind in given.kinds.split(","):
        counts = [
            passed(kind, seed, given.bars, given.series)
            for seed in range(given.first, given.first + given.seeds)
        ]
        opened = sum(count > 0 for count in counts)
        print(
            json.dumps(
                {
                    "kind": kind,
                    "seeds": given.seeds,
                    "opened": opened,
                    "part": opened / given.seeds,
                    "mean_passed": float(np.mean(counts)),
                    "series": given.series,
                    "bars": given.bars,
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
