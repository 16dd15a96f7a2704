"""The cases of the neural bench: one network, its answer in plain float64, and what is timed.

``python -m neural_trader.bench.neural_cases CASE ENGINE FOLDER`` is a fresh process: it checks the
answers of an engine against the definitions and then prints its times as JSON.
"""

import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from neural_trader.core import BenchError
from neural_trader.forecast import (
    Artefact,
    Baseline,
    Block,
    Dense,
    Forecaster,
    Network,
    NHiTSConfig,
    Normalization,
    Offsets,
    Provenance,
    load_artefact,
)

LOOKBACK: Final = 60
HORIZON: Final = 5
SYMBOL: Final = "KO"
BATCHES: Final = (1, 2, 20, 500)
TOLERANCE: Final = 1e-6
"""On log prices, to the definitions in float64."""

Floats = np.ndarray[Any, np.dtype[np.float64]]


class NeuralCase(NamedTuple):
    """What is timed: its name in words, width of the network, windows at a time, runs, targets."""

    name: str
    words: str
    width: int
    rows: int
    runs: int
    targets: dict[str, float]
    claim: float | None = None


NEURAL_CASES: Final = (
    NeuralCase(
        "one", "one series, 5 bars, interval", 64, 1, 4_000,
        {"compiled": 8.0, "numpy": 45.0, "onnx": 25.0}, 18_000.0,
    ),
    NeuralCase("batch_500", "500 series at once", 64, 500, 150, {"compiled": 550.0}),
    NeuralCase("width_512", "one series, layers of 512", 512, 1, 800, {"compiled": 350.0}),
)  # fmt: skip
"""In microseconds; what an engine without a target reaches is printed all the same."""


def made_artefact(width: int) -> Artefact:
    """Return an artefact of neuralforecast's own shape, with weights drawn from a seed.

    Three blocks that pool 2, 2 and 1 bars, with three layers each: what a default NHITS of that
    width is once it is folded.
    """
    rng = np.random.default_rng(1)

    def dense(inputs: int, outputs: int) -> Dense:
        weight = rng.standard_normal((inputs, outputs)) / math.sqrt(inputs)
        # Without biases a network would give the same for any scale, and hide a wrong one.
        bias = 0.1 * rng.standard_normal(outputs)
        return Dense(weight.astype(np.float32), bias.astype(np.float32))

    blocks = []
    for pool in (2, 2, 1):
        sizes = (-(-LOOKBACK // pool), width, width, width)
        hidden = tuple(dense(*sizes[at : at + 2]) for at in range(3))
        blocks.append(Block(pool, "max", hidden, dense(width, LOOKBACK), dense(width, HORIZON)))
    network = Network(LOOKBACK, HORIZON, (0.5,), "plain", tuple(blocks))
    reach = 1.7 * np.sqrt(np.arange(1.0, HORIZON + 1))
    return Artefact(
        network,
        NHiTSConfig(horizon=HORIZON, lookback=LOOKBACK, width=width, layers=3),
        (SYMBOL,),
        Normalization("log", 0.02),
        Baseline("naive", np.zeros((LOOKBACK, HORIZON)), np.zeros((1, HORIZON))),
        {"nhits": (Offsets(0.9, -reach, reach),)},
        {"gate": {"passed": [SYMBOL]}, "verdict": "Made up, to be timed."},
        Provenance("made up", "", (), "", "", "", ""),
    )


def made_windows(rows: int) -> Floats:
    """Return windows of made-up prices, shape (rows, L)."""
    rng = np.random.default_rng(2)
    return 50.0 * np.exp(np.cumsum(0.012 * rng.standard_normal((rows, LOOKBACK)), axis=1))


def by_definition(artefact: Artefact, window: Floats) -> Floats:
    """Return log forecasts and ends (3, H) of a window, in plain float64."""
    network, scale = artefact.network, artefact.normalization.scale
    x = np.log(window)
    rest, heads = (x - x[-1]) / scale, np.zeros(HORIZON)
    for block in network.blocks:
        y = np.array([max(rest[at : at + block.pool]) for at in range(0, LOOKBACK, block.pool)])
        for layer in block.hidden:
            y = np.maximum(y @ layer.weight.astype(np.float64) + layer.bias, 0.0)
        rest = rest - (y @ block.backcast.weight.astype(np.float64) + block.backcast.bias)
        heads += y @ block.forecast.weight.astype(np.float64) + block.forecast.bias
    weights = 0.94 ** np.arange(LOOKBACK - 2, -1, -1)
    volatility = math.sqrt(float(np.diff(x) ** 2 @ weights / weights.sum()))
    (offsets,) = artefact.offsets["nhits"]
    middle = x[-1] + scale * heads
    return np.stack(
        [middle, middle + volatility * offsets.lower, middle + volatility * offsets.upper]
    )


def check(forecaster: Forecaster, artefact: Artefact) -> None:
    """Compare the answers of an engine with the definitions, one by one and in batches.

    Raises
    ------
    BenchError
        They are further apart than ``TOLERANCE``.
    """
    for rows in BATCHES:
        windows = made_windows(rows)
        found = forecaster.forecast_many(windows, [SYMBOL] * rows)
        one = forecaster.forecast(windows[-1], symbol=SYMBOL)
        for row in sorted({0, rows // 2, rows - 1}):
            wanted = by_definition(artefact, windows[row])
            rowed = (found.forecast, found.lower, found.upper)
            parts = [[np.asarray(part)[row] for part in rowed]]
            if row == rows - 1:
                parts.append([one.forecast, np.asarray(one.lower), np.asarray(one.upper)])
            for answer in parts:
                apart = float(np.abs(np.log(answer) - wanted).max())
                if not apart <= TOLERANCE:
                    message = f"a forecast of {rows} windows is {apart:g} off its definition"
                    raise BenchError(message)


def median_us(work: Callable[[], object], runs: int) -> float:
    """Return the median of many runs in microseconds, after some that warm up."""
    for _ in range(max(3, runs // 20)):
        work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def main() -> None:
    """Check and time one case by one engine."""
    name, engine, folder = sys.argv[1:]
    case = next(case for case in NEURAL_CASES if case.name == name)
    artefact = load_artefact(Path(folder))
    forecaster = Forecaster(artefact, engine=engine)
    check(forecaster, artefact)
    windows = made_windows(case.rows)
    symbols = [SYMBOL] * case.rows
    if case.rows == 1:
        value = median_us(lambda: forecaster.forecast(windows[0], symbol=SYMBOL), case.runs)
    else:
        value = median_us(lambda: forecaster.forecast_many(windows, symbols), case.runs)
    sys.stdout.write(json.dumps({"median_us": value}))


if __name__ == "__main__":
    main()
