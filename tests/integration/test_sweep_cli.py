"""``neural-trader sweep`` as its users meet it: output, files, Ctrl-C, kill -9, resume."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

PAIRS = ("sweep", "--strategy", "pairs", "--symbols", "KO,PEP", "--data", "sp500-closes")
GRID = ("--grid", "lookback=20:40:10", "--grid", "entry=1.5,2.0")
COMMAND = (sys.executable, "-m", "neural_trader")
SLOW = """
import time
import neural_trader as nt

class Slow(nt.Strategy):
    symbols = ("KO",)

    def __init__(self, wait: int = 1) -> None:
        self.wait = wait

    def on_start(self, ctx):
        time.sleep(0.05)

    def on_bar(self, ctx):
        ctx.target_qty("KO", float(self.wait))
"""


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=cwd
    )


def count_trials(path: Path) -> int:
    try:
        with sqlite3.connect(path) as ledger:
            return int(ledger.execute("SELECT count(*) FROM trials").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_the_published_sweep_prints_the_published_answer(tmp_path: Path) -> None:
    done = run(
        *PAIRS, "--grid", "lookback=20:110:10", "--grid", "entry=1.25:3.5:0.25",
        "--grid", "exit=0.1:1.0:0.1", "--fee-bps", "5", "--slippage-bps", "5", "--json",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["trials"], answer["trades"], answer["fills"]) == (1000, 96_128, 384_080)
    assert answer["mean_final_equity"] == pytest.approx(91_340.8629, abs=5e-5)
    assert set(answer["best"]["parameters"]) == {"lookback", "entry", "exit"}
    assert count_trials(tmp_path / "trials.sqlite") == 1000


def test_the_same_sweep_prints_the_same_bytes_on_any_number_of_workers(tmp_path: Path) -> None:
    first, second, third = (
        run(*PAIRS, *GRID, "--workers", n, *more, "--json", cwd=tmp_path).stdout
        for n, more in (("1", ()), ("2", ()), ("2", ("--resume",)))
    )
    assert first == second == third
    assert json.loads(first)["trials"] == 6


def test_the_table_shows_the_best_and_what_was_written(tmp_path: Path) -> None:
    done = run(
        *PAIRS, *GRID, "--split", "2015-01-02", "--report", "sweep.html", "--no-ledger",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "6 trials" in done.stdout
    assert "the first from 2015-01-02 on" in done.stdout
    assert (tmp_path / "sweep.html").is_file()
    assert not (tmp_path / "trials.sqlite").exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--grid", "lookbak=20,30"), "lookback, entry, exit, gross"),
        (("--grid", "lookback=20,30", "--lookback", "60"), "a value and a grid"),
        (("--grid", "lookback=20", "--grid", "lookback=30"), "twice"),
        (("--grid", "lookback=30:20:1"), "reversed"),
        (("--grid", "lookback=20", "--workers", "0"), "workers"),
        (("--grid", "lookback=20", "--resume", "--no-ledger"), "--no-ledger"),
        (("--grid", "lookback=20", "--limit-fills", "touch"), "leave them out"),
        (("--grid", "lookback=20", "--report", "trials.sqlite"), "a file of its own"),
        (("--grid", "lookback=20", "--report", "typo/sweep.html"), "folder does not exist"),
        (("--grid", "lookback=20", "--ledger", "typo/trials.sqlite"), "folder does not exist"),
        (("--grid", "lookback=20", "--capital", "-5"), "capital"),
        ((), "--grid"),
    ],
)
def test_wrong_usage_is_one_line_and_writes_nothing(
    tmp_path: Path, more: tuple[str, ...], told: str
) -> None:
    done = run(*PAIRS, *more, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_strategy_of_one_s_own_is_swept_on_processes(tmp_path: Path) -> None:
    run("new", "strategy", "my-idea", cwd=tmp_path)
    more = ("--symbols", "KO", "--data", "sp500-closes", "--grid", "weight=0.2,0.4", "--json")
    done = run("sweep", "--strategy", "my_idea.py", *more, "--workers", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    swept = json.loads(done.stdout)
    alone = run(
        "backtest", "--strategy", "my_idea.py", "--symbols", "KO", "--data", "sp500-closes",
        "--set", f"weight={swept['best']['parameters']['weight']}", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert json.loads(alone.stdout)["final_equity"] == swept["best"]["final_equity"]


PLANNED = """
import numpy as np
import neural_trader as nt

class Planned:
    def __init__(self, fast: int = 5, slow: int = 50) -> None:
        self.fast, self.slow = fast, slow

    def plan(self, bars, cache):
        fast, slow = (
            cache.compute(nt.indicators.SMA(n), bars, "KO") for n in (self.fast, self.slow)
        )
        times = bars["KO"].ts_close_ns.astype("datetime64[ns]")
        return nt.TargetWeights({"time": times, "KO": np.where(fast > slow, 0.5, 0.0)})
"""


def test_json_and_table_say_what_a_plan_asked_of_the_cache(tmp_path: Path) -> None:
    (tmp_path / "planned.py").write_text(PLANNED)
    (tmp_path / "slow.py").write_text(SLOW)
    data = ("--data", "sp500-closes", "--symbols", "KO", "--start", "2020-01-02", "--no-ledger")
    grid = ("--grid", "fast=5,10", "--grid", "slow=50,100", "--workers", "1")
    swept = ("sweep", "--strategy", "planned.py", *data, *grid)
    done = run(*swept, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    counts = {"hits": 4, "misses": 4, "hit_rate": 0.5}
    assert json.loads(done.stdout)["indicator_cache"] == counts
    assert "50.0% of 8" in run(*swept, cwd=tmp_path).stdout
    other = ("sweep", "--strategy", "slow.py", *data, "--grid", "wait=1,2", "--workers", "1")
    assert json.loads(run(*other, "--json", cwd=tmp_path).stdout)["indicator_cache"] == "not used"


def test_a_strategy_that_fails_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(SLOW.replace("time.sleep(0.05)", "1 / 0"))
    for workers in ("1", "2"):
        done = run(
            "sweep", "--strategy", "bad.py", "--data", "sp500-closes", "--grid", "wait=1,2",
            "--workers", workers, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 7
        assert "bad.py:12: ZeroDivisionError" in done.stderr
        assert "{'wait': 1}" in done.stderr


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_done_is_kept_and_resumed(
    tmp_path: Path, how: signal.Signals, code: int, workers: str
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    sweep = (
        "sweep", "--strategy", "slow.py", "--data", "sp500-closes", "--end", "1990-06-29",
        "--grid", "wait=1:60:1", "--workers", workers, "--json",
    )  # fmt: skip
    ledger = tmp_path / "trials.sqlite"
    with subprocess.Popen(
        [*COMMAND, *sweep],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        start_new_session=True,
    ) as process:
        end = time.monotonic() + 60
        while count_trials(ledger) < 3 and time.monotonic() < end and process.poll() is None:
            time.sleep(0.02)
        # As a terminal does: Ctrl-C reaches every process of the group.
        os.killpg(process.pid, how)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    if how == signal.SIGINT:
        assert stderr.decode().strip() == "interrupted"
    kept = count_trials(ledger)
    assert 3 <= kept < 60
    resumed = run(*sweep, "--resume", cwd=tmp_path)
    fresh = run(*sweep, "--no-ledger", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    told = json.loads(resumed.stdout)
    del told["ledger"]
    assert told == json.loads(fresh.stdout)
    assert count_trials(ledger) == 60
    # The memory that a killed sweep shared is given back by the next one.
    assert not list(Path("/dev/shm").glob(f"ntrader-{process.pid}-*"))
