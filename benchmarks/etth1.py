"""The accuracy of our N-HiTS on a public task: ETTh1, all seven channels, 96 hours ahead.

    python benchmarks/etth1.py --ett ETTh1.csv

12, 4 and 4 months of hours, every channel standardised on the training part, one network for all
channels, a forecast from every hour of the test part: as Informer, PatchTST and DLinear report it.
Naive, which repeats the last value, stands beside. The file is that of the ETDataset (Zhou et al.,
AAAI 2021, CC BY-ND 4.0), which is not part of this repository.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from neural_trader.forecast import NHiTSConfig
from neural_trader.forecast.baselines import fit_baselines
from neural_trader.forecast.learning import fit
from neural_trader.forecast.predictions import predict
from neural_trader.forecast.windows import origins

HORIZON = 96
TRAIN, VALIDATION, TEST = (months * 30 * 24 for months in (12, 4, 4))
CHANNELS = 7


def config(seed):
    """Return the network: average pools, since levels say more here than peaks."""
    return NHiTSConfig(
        horizon=HORIZON,
        lookback=512,
        values="level",
        layers=1,
        pools=(8, 4, 1),
        knots_every=(8, 4, 1),
        pooling="average",
        levels=(0.5,),
        steps=1_000,
        learning_rate=5e-4,
        check_every=50,
        validation_share=VALIDATION / (TRAIN + VALIDATION),
        seed=seed,
    )


def read(path):
    """Return the channels (7, T), standardised on the training part."""
    count = TRAIN + VALIDATION + TEST
    table = np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(1, CHANNELS + 1))
    if len(table) < count:
        message = f"{path} has {len(table):,} hours; expected {count:,} or more"
        raise SystemExit(message)
    table = table[:count]
    known = table[:TRAIN]
    return np.ascontiguousarray(((table - known.mean(axis=0)) / known.std(axis=0)).T)


def errors(made, source):
    """Return mean squared and mean absolute error."""
    wrong = made.truths - made.forecasts[source]
    return float((wrong**2).mean()), float(np.abs(wrong).mean())


def run(values, seed):
    """Train with one seed, and return what came of it."""
    begun = time.perf_counter()
    wanted = config(seed)
    before = values[:, : TRAIN + VALIDATION]
    trained = fit(before, wanted, device="cpu")
    seconds = time.perf_counter() - begun
    at = origins(wanted.lookback, HORIZON, first=TRAIN + VALIDATION, stop=values.shape[1])
    baselines = fit_baselines(before, wanted.lookback, HORIZON)
    made = predict(values, at, trained.network, trained.normalization, baselines=baselines)
    own, naive = errors(made, "nhits"), errors(made, "naive")
    return {
        "seed": seed,
        "mse": own[0],
        "mae": own[1],
        "naive_mse": naive[0],
        "naive_mae": naive[1],
        "validation_loss": dict(trained.losses)[trained.best_step],
        "best_step": trained.best_step,
        "windows": len(at),
        "seconds": seconds,
    }


def main():
    """Print a line of JSON for each seed, and their mean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ett", type=Path, required=True, metavar="ETTh1.csv")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    values = read(given.ett)
    rows = []
    for seed in range(1, given.seeds + 1):
        rows.append(run(values, seed))
        print(json.dumps(rows[-1]), flush=True)
    names = ("mse", "mae", "naive_mse", "naive_mae")
    print(
        json.dumps({"mean": {name: float(np.mean([row[name] for row in rows])) for name in names}})
    )


if __name__ == "__main__":
    main()
