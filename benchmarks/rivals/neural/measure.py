"""Have neuralforecast train a network, and time it: ``python measure.py FILE`` prints JSON.

FILE gets the network, its windows and its own forecasts, for us to import and to compare with.
Times are of one series: ``predict`` is the library's public call, a data frame in and one out;
``torch eager`` is the module itself, called with a normalized window under ``inference_mode``. Peak
memory is that of the whole process.
"""

import json
import logging
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

RUNS = {"predict": 40, "eager": 1_000}


def main():
    """Train, freeze, measure and answer."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    began = time.perf_counter()
    import parity
    import torch

    torch.set_num_threads(1)
    settings = {"input_size": 60, "mlp_units": 3 * [[64, 64]], "scaler_type": "standard"}
    with tempfile.TemporaryDirectory() as scratch:
        library, model, windows, wanted = parity.trained(settings, Path(scratch), whole=True)
        parity.freeze(Path(sys.argv[1]), model, windows, wanted)
        frame = one_series(windows)
        library.predict(frame)
        first = time.perf_counter() - began
        predict = median_us(lambda: library.predict(frame), RUNS["predict"])
    eager = median_us(eagerly(model, windows[:1]), RUNS["eager"])
    figures = {
        "neuralforecast": [
            ["time", "us", predict],
            ["trained and forecast", "s", first],
            ["peak memory", "MB", peak_mb()],
        ],
        "torch eager": [["time", "us", eager]],
    }
    print(json.dumps({"figures": figures}))


def one_series(windows):
    """Return one window as the library takes it."""
    import pandas as pd

    days = pd.bdate_range("2021-01-01", periods=windows.shape[1])
    return pd.DataFrame({"unique_id": "s00", "ds": days, "y": windows[0]})


def eagerly(model, windows):
    """Return a call of the module itself with a normalized window."""
    import torch

    model = model.eval()
    y = torch.from_numpy(windows.astype("float32"))[:, :, None]
    y = (y - y.mean(1, keepdim=True)) / y.std(1, keepdim=True)
    batch = {"insample_y": y, "insample_mask": torch.ones_like(y)}
    batch |= dict.fromkeys(("futr_exog", "hist_exog", "stat_exog"))

    def call():
        with torch.inference_mode():
            return model(batch)

    return call


def median_us(work, runs):
    """Return the median of some runs in microseconds, after some that warm up."""
    for _ in range(3 + runs // 20):
        work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def peak_mb():
    """Return the peak resident memory of this process in MB; of Linux alone."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return float(line.split()[1]) * 1024 / 1e6
    return float("nan")


if __name__ == "__main__":
    main()
