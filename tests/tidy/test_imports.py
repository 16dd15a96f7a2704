"""Importing is cheap, complete and leaves the public names alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from neural_trader.bench.baseline.ours import CASES as BASELINE_CASES
from tests.tidy.tree import PACKAGE, import_name, modules

# Each costs a start 100 to 300 ms, so only functions import them.
HEAVY = {
    "IPython",
    "onnx",
    "onnxruntime",
    "pandas",
    "polars",
    "pyarrow",
    "rich",
    "scipy",
    "statsmodels",
    "torch",
}
LOADED = "import json, sys; print(json.dumps(sorted({n.partition('.')[0] for n in sys.modules})))"


def loaded_by(program: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after a program."""
    command = [sys.executable, "-W", "error", "-c", f"{program}\n{LOADED}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_every_module_imports_and_the_root_names_stay() -> None:
    names = [import_name(path) for path in modules(PACKAGE) if path.stem != "__main__"]
    # Programs of pandas, scipy and PyTorch that ours are timed beside: run, imported by nothing.
    programs = {f"neural_trader.bench.baseline.{name}" for name in BASELINE_CASES}
    names = [name for name in names if name not in programs]
    assert len(names) > 20
    program = "\n".join(
        [
            "import importlib, types",
            f"for name in {names!r}: importlib.import_module(name)",
            "import neural_trader",
            "assert isinstance(neural_trader.backtest, types.FunctionType)",
            "for name in neural_trader.__all__:",
            "    value = getattr(neural_trader, name)",
            "    is_module = isinstance(value, types.ModuleType)",
            "    assert is_module == (name in ('forecast', 'indicators', 'library')), name",
        ]
    )
    assert loaded_by(program) & HEAVY == set()


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        ("import neural_trader", HEAVY | {"numpy", "click", "msgspec"}),
        ("import neural_trader.app.cli.main", HEAVY | {"numpy", "msgspec"}),
    ],
)
def test_a_start_imports_nothing_heavy(program: str, unwanted: set[str]) -> None:
    assert loaded_by(program) & unwanted == set()


def test_a_backtest_does_not_pay_for_sweeps() -> None:
    program = "import neural_trader as nt; nt.backtest, nt.sweep, nt.report"
    assert loaded_by(program) & {"sqlite3", "multiprocessing", "concurrent"} == set()


def test_plain_csv_is_read_without_polars(tmp_path: Path) -> None:
    path = tmp_path / "KO.csv"
    path.write_text("date,close\n2021-01-04,52.76\n2021-01-05,52.18\n")
    program = f"import neural_trader as nt; assert len(nt.load({str(path)!r}, cache=False)) == 2"
    assert loaded_by(program) & HEAVY == set()
