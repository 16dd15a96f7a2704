"""Bars reach other processes without a copy: shown by the memory of those processes."""

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import neural_trader as nt
from neural_trader.backtesting.sweeps import runners
from neural_trader.backtesting.sweeps.processes import SharedBars, open_shared
from neural_trader.data import cache, intake, paths, place_of
from tests.own_strategies import Trend

ROWS = 600_000
OPEN_FILES = Path("/proc/self/fd")
LINUX = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux")
CHILD = """
import json, pickle, sys
from multiprocessing import resource_tracker
import numpy as np
from neural_trader.backtesting.sweeps.processes import open_shared

def memory():
    with open("/proc/self/smaps_rollup") as file:
        lines = [line.split() for line in file][1:]
    return {words[0]: int(words[1]) * 1024 for words in lines}

bars, held = open_shared(pickle.loads(sys.stdin.buffer.read()))
if held[0] is not None:
    # No worker of a pool, this process would otherwise give the memory back as its own.
    resource_tracker.unregister(held[0]._name, "shared_memory")
before = memory()
columns = [v for b in bars.blocks for v in (b.ts_close_ns, *b.fields.values())]
total = float(sum(values.sum() for values in columns))
mapped = memory()
copies = [np.array(values) for values in columns]
copied = memory()
names = ("Private_Dirty:", "Anonymous:", "Rss:")
print(json.dumps({
    "total": total,
    "hash": bars.data_hash,
    "mapped": {name: mapped[name] - before[name] for name in names},
    "copied": {name: copied[name] - mapped[name] for name in names},
}))
"""


@pytest.fixture
def mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> nt.Bars:
    """Return bars whose columns lie in the column cache."""
    monkeypatch.setenv("NEURAL_TRADER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_RACY_NS", -(1 << 60))
    monkeypatch.setattr(paths, "LARGE_BYTES", 0)
    monkeypatch.setattr(intake, "MEMORY_BYTES", 0)
    path = tmp_path / "KO.parquet"
    rng = np.random.default_rng(0)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 1e-4, ROWS))), 4)
    time = pl.Series(1_600_000_000_000_000_000 + np.arange(ROWS) * 60_000_000_000)
    pl.DataFrame(
        {
            "time": time.cast(pl.Datetime("ns", "UTC")),
            "open": close,
            "high": close,
            "low": close,
            "close": close,
            "volume": close,
        }
    ).write_parquet(path)
    nt.load(path)
    return nt.load(path)


def columns_of(bars: nt.Bars) -> list[Any]:
    return [v for b in bars.blocks for v in (b.ts_close_ns, *b.fields.values())]


def ask(shared: SharedBars) -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=pickle.dumps(shared.layout),
        capture_output=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@LINUX
def test_a_worker_maps_the_cache_and_owns_no_copy(mapped: nt.Bars) -> None:
    size = sum(values.nbytes for values in columns_of(mapped))
    with SharedBars(mapped) as shared:
        assert shared.copied_bytes == 0
        assert shared.memory is None
        # Even an entry that is evicted meanwhile is found.
        for place in {place_of(values) for values in columns_of(mapped)}:
            if place is not None:
                place.path.unlink(missing_ok=True)
        found = ask(shared)
    assert found["hash"] == mapped.data_hash
    assert found["total"] == float(sum(values.sum() for values in columns_of(mapped)))
    # It read all of them, and they are pages of the file: nothing of its own grew with them.
    assert found["mapped"]["Rss:"] > 0.9 * size
    assert found["mapped"]["Private_Dirty:"] < 0.05 * size
    assert found["mapped"]["Anonymous:"] < 0.05 * size
    assert found["copied"]["Private_Dirty:"] > 0.9 * size


@LINUX
def test_bars_in_memory_are_copied_once_for_all_workers(mapped: nt.Bars) -> None:
    block = mapped.blocks[0]
    fields = {name: np.array(values) for name, values in block.fields.items()}
    # The stamps still lie in the cache: each column goes its own way.
    block = type(block)(block.symbols, block.ts_close_ns, fields)
    bars = nt.Bars((block,), name="x", basis="raw")
    with SharedBars(bars) as shared:
        assert shared.copied_bytes == 5 * 8 * ROWS
        found = ask(shared)
    assert found["hash"] == bars.data_hash
    assert found["mapped"]["Anonymous:"] < 0.05 * shared.copied_bytes


def test_a_file_that_took_the_place_of_the_mapped_one_is_not_taken_for_it(
    mapped: nt.Bars, tmp_path: Path
) -> None:
    [entry] = (tmp_path / "cache").glob("v1/*.bars")
    other = entry.with_name("other")
    other.write_bytes(bytes(entry.stat().st_size))
    other.replace(entry)
    with SharedBars(mapped) as shared:
        assert shared.copied_bytes == sum(values.nbytes for values in columns_of(mapped))
        bars, held = open_shared(shared.layout)
        for one, two in zip(columns_of(bars), columns_of(mapped), strict=True):
            assert np.array_equal(one, two)
        del bars, one
        assert held[0] is not None
        held[0].close()


@LINUX
def test_handles_are_given_back(mapped: nt.Bars) -> None:
    before = len(list(OPEN_FILES.iterdir()))
    for _ in range(3):
        with SharedBars(mapped):
            pass
    assert len(list(OPEN_FILES.iterdir())) == before


def test_a_sweep_on_processes_shares_the_cache_and_finds_the_same(
    mapped: nt.Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[int] = []

    class Spy(SharedBars):
        def __init__(self, bars: nt.Bars) -> None:
            super().__init__(bars)
            copied.append(self.copied_bytes)

    monkeypatch.setattr(runners, "SharedBars", Spy)
    grid = {"window": [20, 30]}
    end = "2020-09-14"
    here = nt.sweep(Trend, mapped, grid, engine="threads", end=end)
    there = nt.sweep(Trend, mapped, grid, engine="processes", workers=2, end=end)
    assert copied == [0]
    assert here.to_polars().equals(there.to_polars())
