"""Data larger than what a process may use: taken in and run in bounded memory, to the same bits."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from neural_trader.core import scratch

ROWS = 2_400_000
COLUMNS_MB = 2 * ROWS * 48 / 1e6
LIMIT_MB = 40.0
"""What a process may add to its private memory; the columns take several times as much."""

CHILD = """
import hashlib, json, resource, sys, threading, time
import numpy as np
import polars as pl
import neural_trader as nt
from neural_trader.core import scratch
from neural_trader.data import intake, loading

class Mine(nt.Strategy):
    symbols = ("KO", "PEP")

    def on_start(self, ctx):
        self.seen = 0

    def on_bar(self, ctx):
        self.seen += 1
        if self.seen % 100_000 == 1:
            bars = ctx.bars("KO")
            up = bars.close[-1] > bars.close[len(bars.close) // 2]
            ctx.target_weight("KO", 0.5 if up else 0.0)

def private():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) * 1024

def watch():
    while True:
        peak[0] = max(peak[0], private())
        time.sleep(0.001)

path, small, runs = sys.argv[1], sys.argv[2], sys.argv[3:]
nt.load(small, cache=False), nt.backtest(nt.SmaCross("KO"), nt.load("sp500-closes", symbols="KO"))
pl.scan_parquet(small).collect()
if "bounded" in runs:
    intake.MEMORY_BYTES = 0
    intake._BATCH_ROWS = 1 << 16
    scratch.LARGE_BYTES = 2 << 20
peak = [private()]
base = peak[0]
threading.Thread(target=watch, daemon=True).start()
bars = nt.load(path)
for pending in list(loading._pending.values()):
    pending.join()
strategies = [nt.SmaCross("KO", fast=50, slow=400), nt.Pairs("KO", "PEP", lookback=400), Mine()]
found = {"data": bars.data_hash}
for strategy in strategies:
    result = nt.backtest(strategy, bars, max_leverage=100)
    equity = hashlib.sha256(result.equity.data).hexdigest()
    fills = hashlib.sha256(result.outcome.fills.tobytes()).hexdigest()
    found[result.name] = [equity, fills, result.fill_count, result.final_equity]
    del result
peak[0] = max(peak[0], private())
print(json.dumps({"found": found, "private_mb": (peak[0] - base) / 1e6}))
"""


def prices(path: Path, rows: int) -> Path:
    frames = []
    for seed, symbol in enumerate(("KO", "PEP")):
        rng = np.random.default_rng(seed)
        close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 1e-4, rows))), 4)
        time = 1_000_000_000_000_000_000 + np.arange(rows) * 60_000_000_000
        frames.append(
            pl.DataFrame(
                {
                    "symbol": [symbol] * rows,
                    "time": pl.Series(time).cast(pl.Datetime("ns", "UTC")),
                    "open": close,
                    "high": close,
                    "low": close,
                    "close": close,
                    "volume": np.full(rows, 100.0),
                }
            )
        )
    pl.concat(frames).write_parquet(path, row_group_size=50_000)
    return path


def run(tmp_path: Path, name: str, *runs: str) -> dict[str, Any]:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            CHILD,
            str(tmp_path / "big.parquet"),
            str(tmp_path / "a.parquet"),
            *list(runs),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "NEURAL_TRADER_CACHE": str(tmp_path / name)},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_a_run_is_bounded_in_memory_and_the_same_to_the_bit(tmp_path: Path) -> None:
    prices(tmp_path / "a.parquet", 100_000)
    prices(tmp_path / "big.parquet", ROWS)
    bounded = run(tmp_path, "one", "bounded")
    free = run(tmp_path, "two")
    assert bounded["found"] == free["found"]
    assert bounded["found"]["Mine"][2] > 3
    assert COLUMNS_MB > 5 * LIMIT_MB
    assert bounded["private_mb"] < LIMIT_MB
    # In memory the same takes the columns, and more: the measure tells one from the other.
    assert free["private_mb"] > COLUMNS_MB


def test_large_arrays_lie_in_a_file_that_has_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "LARGE_BYTES", 800)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    small, large = scratch.empty((2, 50)), scratch.empty((2, 51), np.int64)
    assert small.base is None
    assert large.base is not None
    assert large.shape == (2, 51)
    assert large.dtype == np.int64
    assert large.flags.c_contiguous
    large[:] = 7
    assert large.sum() == 7 * 102
    assert list(tmp_path.iterdir()) == []


def test_without_room_on_disk_an_array_is_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scratch, "LARGE_BYTES", 0)
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    assert scratch.empty((3,)).shape == (3,)
