"""Have one package do the work of ``bench risk``: ``python measure_risk.py NAME BOOK.npz``.

The work: 10,000 scenarios of 50 symbols' normal returns, value at risk and expected shortfall at
99 %, and the expected shortfall's components. Prints what was measured as a JSON list. The answer
is compared with the closed form before a time is printed.
"""

import importlib.metadata
import json
import math
import statistics
import sys
import time

import numpy as np

SCENARIOS = 10_000
CONFIDENCE = 0.99
RUNS = 15


def main():
    """Answer the request on the command line."""
    name, path = sys.argv[1:]
    with np.load(path) as arrays:
        request = {key: arrays[key] for key in arrays.files}
    package, run = {"quantlib": ("QuantLib", quantlib), "skfolio": ("skfolio", skfolio)}[name]
    program = run(request["positions"], request["mean"], request["covariance"])
    var, es, components = program(7)
    for found, wanted in zip((var, es), request["expected"], strict=True):
        if not abs(found / wanted - 1.0) < 0.1:
            sys.exit(f"{package} finds {found}; expected {wanted}")
    if not abs(components.sum() / es - 1.0) < 1e-2:
        sys.exit(f"the components of {package} sum to {components.sum()}, not to {es}")
    times = []
    for seed in range(RUNS):
        began = time.perf_counter()
        program(seed + 1)
        times.append((time.perf_counter() - began) * 1e3)
    version = importlib.metadata.version(package)
    row = {"engine": package, "version": version, "quantity": "time", "unit": "ms"}
    print(json.dumps([row | {"value": statistics.median(times)}]))


def quantlib(positions, mean, covariance):
    """QuantLib's Gaussian sequences; the rest, which it leaves to its user, in NumPy."""
    import QuantLib

    def run(seed):
        generator = QuantLib.UniformRandomSequenceGenerator(
            len(mean), QuantLib.UniformRandomGenerator(seed=seed)
        )
        gaussian = QuantLib.GaussianRandomSequenceGenerator(generator)
        normals = np.array([gaussian.nextSequence().value() for _ in range(SCENARIOS)])
        factor = np.linalg.cholesky(covariance)
        losses = -(normals @ (positions @ factor) + positions @ mean)
        place = math.ceil(SCENARIOS * CONFIDENCE) - 1
        order = np.argpartition(losses, place)
        tail = order[place + 1 :]
        returns = mean + factor @ normals[tail].mean(axis=0)
        return losses[order[place]], losses[tail].mean(), -positions * returns

    return run


def skfolio(positions, mean, covariance):
    """Scenarios that NumPy draws as a portfolio of skfolio: its measures and contributions."""
    from skfolio import Portfolio, RiskMeasure

    gross = np.abs(positions).sum()

    def run(seed):
        rng = np.random.default_rng(seed)
        returns = rng.standard_normal((SCENARIOS, len(mean))) @ np.linalg.cholesky(covariance).T
        portfolio = Portfolio(
            X=returns + mean,
            weights=positions / gross,
            value_at_risk_beta=CONFIDENCE,
            cvar_beta=CONFIDENCE,
        )
        components = portfolio.contribution(measure=RiskMeasure.CVAR)
        return portfolio.value_at_risk * gross, portfolio.cvar * gross, components * gross

    return run


if __name__ == "__main__":
    main()
