"""A network that neuralforecast trained, in a fresh process of ours: its answers, then its time.

``python -m neural_trader.bench.neural_import FILE`` reads what ``benchmarks/rivals/neural`` wrote:
weights, settings, windows, and neuralforecast's own forecasts of them.
"""

import json
import sys
from typing import Any

import numpy as np

from neural_trader.bench.neural_cases import TOLERANCE, median_us
from neural_trader.core import BenchError
from neural_trader.forecast import Forecaster, from_neuralforecast

_RUNS = 4_000


def main() -> None:
    """Import the network, compare its answers, and time one forecast."""
    with np.load(sys.argv[1], allow_pickle=False) as archive:
        held = {name: archive[name] for name in archive.files}
    settings: dict[str, Any] = json.loads(held.pop("settings").tobytes())
    windows, wanted = held.pop("windows"), held.pop("wanted")
    forecaster = Forecaster(from_neuralforecast(_as_model(settings, held)))
    apart = float(np.abs(forecaster.forecast_many(windows).forecast - wanted[:, :, 0]).max())
    if not apart <= TOLERANCE:
        message = f"the imported network is {apart:g} off its maker's own forecasts"
        raise BenchError(message)
    value = median_us(lambda: forecaster.forecast(windows[0]), _RUNS)
    sys.stdout.write(json.dumps({"median_us": value, "apart": apart}))


def _as_model(settings: dict[str, Any], weights: dict[str, Any]) -> object:
    """Return an object that looks like the model to our import: settings, loss and weights."""
    loss = type(settings["loss"], (), {"outputsize_multiplier": 1})()
    body = {"hparams": settings, "loss": loss, "state_dict": lambda _: weights}
    return type("NHITS", (), body)()


if __name__ == "__main__":
    main()
