"""The cache under several processes and a kill in a write, and what a warm load imports."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from neural_trader.data import load

TEXT = "date,KO,PEP\n" + "".join(
    f"2021-{month:02}-{day:02},{month + day / 7!r},{month * day / 3!r}\n"
    for month in range(1, 13)
    for day in range(1, 29)
)

WARM = """
import sys
import neural_trader.data as data
bars = data.load(sys.argv[1], symbols=["KO", "PEP"], start="2021-02-01")
heavy = sorted({"polars", "pandas", "pyarrow", "csv"} & set(sys.modules))
print(bars.data_hash, *heavy)
"""

# Load, rebuild and spoil entries in turn, as fast as it goes; every answer is checked.
STRESS = """
import itertools, logging, sys
from pathlib import Path
import neural_trader.data as data
from neural_trader.data.cache import ColumnCache, cache_folder
logging.disable()
source, expected, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
folder = cache_folder() / "v1"
for turn in range(120):
    bars = data.load(source, symbols=None if turn % 2 else ["PEP", "KO"])
    if turn % 2 and bars.data_hash != expected:
        sys.exit(f"turn {turn}: {bars.data_hash} instead of {expected}")
    for path in folder.glob("*.bars"):
        action = (turn + seed) % 5
        try:
            spoiled = path.with_suffix(f".{seed}")
            if action == 0:
                path.unlink()
            elif action == 1:
                data_bytes = bytearray(path.read_bytes())
                data_bytes[(turn * 37) % len(data_bytes)] ^= 0xFF
                spoiled.write_bytes(data_bytes)
                spoiled.replace(path)
            elif action == 2:
                spoiled.write_bytes(path.read_bytes()[: turn * 11])
                spoiled.replace(path)
        except (FileNotFoundError, ZeroDivisionError):
            pass
"""

# Stops for good in the middle of writing an entry.
HANG = """
import os, sys, time
import neural_trader.data as data
real = os.fdopen
class Slow:
    def __init__(self, *args):
        self.file = real(*args)
    def __enter__(self):
        return self
    def __exit__(self, *error):
        self.file.close()
    def writelines(self, parts):
        self.file.write(parts[0])
        self.file.flush()
        print("writing", flush=True)
        sys.stdin.read()
os.fdopen = Slow
data.load(sys.argv[1])
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("NEURAL_TRADER_CACHE", str(tmp_path / "cache"))
    return dict(os.environ)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text(TEXT)
    return path


def run(program: str, *arguments: object, env: dict[str, str]) -> str:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_second_load_imports_nothing_heavy(source: Path, environment: dict[str, str]) -> None:
    # Quotes are nothing that plain CSV has.
    source.write_text(source.read_text().replace("date", '"date"', 1))
    cold = run(WARM, source, env=environment).split()
    warm = run(WARM, source, env=environment).split()
    assert "polars" in cold
    assert warm == cold[:1]


def test_the_second_load_of_a_sample_imports_nothing_heavy(environment: dict[str, str]) -> None:
    cold = run(WARM, "sp500-closes", env=environment).split()
    assert "polars" in cold
    assert run(WARM, "sp500-closes", env=environment).split() == cold[:1]


def test_the_second_load_of_a_folder_imports_nothing_heavy(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for symbol in ("KO", "PEP"):
        (folder / f"{symbol}.csv").write_text("date,close\n2021-01-04,1\n2021-02-01,2\n")
    cold = run(WARM, folder, env=environment).split()
    assert run(WARM, folder, env=environment).split() == cold[:1]


def test_processes_that_load_rebuild_and_spoil_at_once(
    source: Path, environment: dict[str, str]
) -> None:
    expected = load(source, cache=False).data_hash
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", STRESS, str(source), expected, str(seed)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(3)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors
    assert load(source).data_hash == expected
    assert list(Path(environment["NEURAL_TRADER_CACHE"]).glob("v1/*.tmp")) == []


def test_a_kill_in_the_middle_of_a_write(
    source: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    expected = load(source, cache=False).data_hash
    with subprocess.Popen(
        [sys.executable, "-c", HANG, str(source)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "writing\n"
        victim.send_signal(signal.SIGKILL)
    folder = tmp_path / "cache" / "v1"
    assert [path.suffix for path in folder.iterdir()] == [".tmp"]
    assert load(source).data_hash == expected
    assert load(source).data_hash == expected
    # The leftover stays while its writer could still be alive, and goes once it is old.
    [leftover] = folder.glob("*.tmp")
    stat = leftover.stat()
    os.utime(leftover, ns=(stat.st_atime_ns, stat.st_mtime_ns - 7_200_000_000_000))
    [entry] = folder.glob("*.bars")
    entry.unlink()
    assert load(source).data_hash == expected
    assert list(folder.glob("*.tmp")) == []
