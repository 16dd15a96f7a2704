"""How long our N-HiTS trains: 20 series of 7,300 days, width 64, 300 steps, one thread.

    python benchmarks/forecast_training.py

The bundled closes; no step is left out by early stopping. The first round pays for what PyTorch
does once in a process.
"""

import json
import time

import neural_trader as nt
from neural_trader.forecast.learning import fit
from neural_trader.forecast.windows import transformed

DAYS = 7_300
ROUNDS = 5


def main():
    """Print one line of JSON."""
    panel = nt.forecast.panel_of(nt.load("sp500-closes"))
    values = transformed(panel, "log", bars_min=DAYS)[:, -DAYS:]
    config = nt.forecast.NHiTSConfig(horizon=5, width=64, steps=300, patience=300)
    seconds, busy = [], []
    for _ in range(ROUNDS):
        begun, worked = time.perf_counter(), time.process_time()
        made = fit(values, config, device="cpu")
        seconds.append(time.perf_counter() - begun)
        busy.append(time.process_time() - worked)
    print(
        json.dumps(
            {
                "series": len(values),
                "days": DAYS,
                "steps": made.steps,
                "first_s": seconds[0],
                "median_s": sorted(seconds)[ROUNDS // 2],
                "median_cpu_s": sorted(busy)[ROUNDS // 2],
            }
        )
    )


if __name__ == "__main__":
    main()
