"""Measure one package on the portfolio bench's returns: ``python measure_portfolio.py NAME FILE``.

FILE is an ``.npz`` of ``returns`` (T, S) and ``benchmark`` (T,), daily. The answer is JSON on
standard output: the median time of a run, how many metrics it computed, and, under our names, those
that stand for the same by the same convention. The clock starts with returns in the form in which
the package's users hold them and stops with every figure.
"""

import importlib
import importlib.metadata
import json
import logging
import statistics
import sys
import time
import warnings

import numpy as np

SECONDS = 0.5
RUNS_MIN, RUNS_MAX = 3, 200


def main():
    """Answer the request on the command line."""
    name, path = sys.argv[1:]
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    rival = importlib.import_module(f"portfolio_{name}")
    with np.load(path) as file:
        held = rival.prepare(file["returns"], file["benchmark"])
    result = rival.run(held)
    answer = {
        key: [float(value) for value in np.ravel(values)]
        for key, values in rival.read(result).items()
    }
    times = []
    while len(times) < RUNS_MIN or (sum(times) < SECONDS and len(times) < RUNS_MAX):
        began = time.perf_counter()
        rival.run(held)
        times.append(time.perf_counter() - began)
    measured = {
        "package": rival.PACKAGE,
        "version": importlib.metadata.version(rival.PACKAGE),
        "metrics": rival.METRICS,
        "runs": len(times),
        "median_ms": statistics.median(times) * 1e3,
        "answer": answer,
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
