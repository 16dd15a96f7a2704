"""The bench of forecasts: engines, fresh processes, and other libraries on the same network."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.neural_cases import NEURAL_CASES, NeuralCase, made_artefact
from neural_trader.bench.peers import installed_version
from neural_trader.bench.rows import Report, Row
from neural_trader.core import BenchError, ConfigError
from neural_trader.core.version import VERSION
from neural_trader.forecast import save_artefact

PROCESS: Final = "process"
NEURAL_NAMES: Final = (*(case.name for case in NEURAL_CASES), PROCESS, "peers")
PEERS: Final = ("neuralforecast", "torch eager")
_ENGINES: Final = ("compiled", "numpy", "onnx")
_TREE: Final = Path(__file__).resolve().parents[3]
_LAUNCH: Final = Path(__file__).with_name("launch.py")
_TIMEOUT_S: Final = 300
_SERVE: Final = (
    "import sys, numpy as np; from neural_trader.forecast import load; "
    "load(sys.argv[1]).forecast(np.linspace(50.0, 60.0, 60), symbol='KO')"
)
# Of a network that small two threads are slower than one.
_ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


class _Kind(NamedTuple):
    """What a figure is of."""

    case: str
    engine: str
    quantity: str
    unit: str
    words: str
    target: float | None = None
    claim: float | None = None


def choose_neural_cases(names: Sequence[str]) -> list[str]:
    """Return the cases that are named, or all, or raise ConfigError."""
    for name in names:
        if name not in NEURAL_NAMES:
            message = f"case is {name!r}; expected one of {', '.join(NEURAL_NAMES)}"
            raise ConfigError(message)
    return [name for name in NEURAL_NAMES if not names or name in names]


def run_neural_suite(
    names: Sequence[str], *, rounds: int, with_peers: bool, step: Callable[[str], None]
) -> Report:
    """Measure cases and return the report.

    Parameters
    ----------
    names : sequence of str
        From ``NEURAL_NAMES``.
    rounds : int
        How often everything is measured, each time in a fresh process; the other libraries once.
    with_peers : bool
        Measure other libraries, where they are installed.
    step : callable
        Told the name of each step as it begins.

    Raises
    ------
    BenchError
        An answer is wrong, or a case cannot be run here.
    """
    machine = describe_machine()
    taken: dict[_Kind, list[float]] = {}
    missing: dict[_Kind, str] = {}
    with tempfile.TemporaryDirectory(prefix="neural-trader-bench-") as scratch:
        folders = {
            width: save_artefact(made_artefact(width), Path(scratch) / f"model-{width}")
            for width in {case.width for case in NEURAL_CASES}
        }
        for _ in range(rounds):
            for case in NEURAL_CASES:
                if case.name in names:
                    _measure_case(case, folders[case.width], (taken, missing), step)
            if PROCESS in names:
                step("a fresh process")
                _measure_process(folders[64], taken)
        if "peers" in names:
            _measure_peers(Path(scratch), (taken, missing), with_peers=with_peers, step=step)
    rows = [_row(kind, values) for kind, values in taken.items()]
    rows += [_missing_row(kind, reason) for kind, reason in missing.items()]
    order = list(NEURAL_NAMES)
    rows.sort(key=lambda row: order.index(row.case))
    provenance = {
        "version": VERSION,
        "commit": describe_commit(_TREE),
        "config": {"rounds": rounds, "threads": 1},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Report(machine=machine, provenance=provenance, rows=rows)


def _measure_case(
    case: NeuralCase,
    folder: Path,
    found: tuple[dict[_Kind, list[float]], dict[_Kind, str]],
    step: Callable[[str], None],
) -> None:
    taken, missing = found
    for engine in _ENGINES:
        kind = _Kind(
            case.name, engine, "time", "us", case.words, case.targets.get(engine), case.claim
        )
        if engine == "onnx" and not (find_spec("onnx") and find_spec("onnxruntime")):
            missing[kind] = "not installed: pip install 'neural-trader[onnx]'"
            continue
        step(f"{case.name}: {engine}")
        command = ["-m", "neural_trader.bench.neural_cases", case.name, engine, str(folder)]
        measured = _answer([sys.executable, *command], f"{case.name} by {engine}")
        taken.setdefault(kind, []).append(measured["median_us"])


def _measure_process(folder: Path, taken: dict[_Kind, list[float]]) -> None:
    """Measure a process that loads a model and forecasts once, beside one that imports NumPy."""
    bare = _launched([sys.executable, "-c", "import numpy"])
    served = _launched([sys.executable, "-c", _SERVE, str(folder)])
    words = "start Python, load a model, forecast once"
    for quantity, unit, value, target, claim in (
        ("cold start", "ms", served["wall_ms"], 150.0, None),
        ("NumPy alone", "ms", bare["wall_ms"], None, None),
        ("memory", "MB", served["peak_rss_mb"], None, 85.0),
        ("over NumPy", "MB", served["peak_rss_mb"] - bare["peak_rss_mb"], 40.0, None),
    ):
        kind = _Kind(PROCESS, "compiled", quantity, unit, words, target, claim)
        taken.setdefault(kind, []).append(value)


def _measure_peers(
    scratch: Path,
    found: tuple[dict[_Kind, list[float]], dict[_Kind, str]],
    *,
    with_peers: bool,
    step: Callable[[str], None],
) -> None:
    """Have neuralforecast train a network, time it there, and compare our answers with its own."""
    taken, missing = found
    environment = _TREE / ".venv-peers" / "neuralforecast"
    program = _TREE / "benchmarks" / "rivals" / "neural" / "measure.py"
    version = installed_version(environment, "neuralforecast")
    reason = ""
    if not with_peers:
        reason = "not run: give --peers"
    elif not program.is_file():
        reason = "not installed: it comes with the source tree; clone it and run make peers"
    elif not version:
        reason = "not installed: make peers ARGS=neuralforecast"
    if reason:
        for name in PEERS:
            kind = _Kind("peers", name, "time", "us", "the same network, one series")
            missing[kind] = reason
        return
    step(f"neuralforecast {version}")
    python = environment / "bin" / "python"
    frozen = scratch / "network.npz"
    measured = _answer([str(python), "-E", str(program), str(frozen)], "neuralforecast")
    step("our answers for its network")
    check = [sys.executable, "-m", "neural_trader.bench.neural_import", str(frozen)]
    ours = _answer(check, "the imported network")
    for name, figures in measured["figures"].items():
        for quantity, unit, value in figures:
            kind = _Kind("peers", name, quantity, unit, "the same network, one series")
            taken[kind] = [value]
    kind = _Kind("peers", "compiled, imported", "time", "us", "the same network, one series")
    taken[kind] = [ours["median_us"]]


def _answer(command: list[str], what: str) -> dict[str, Any]:
    """Return the JSON that a fresh process prints.

    Raises
    ------
    BenchError
        It failed, or took too long; the message has its last words.
    """
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
            env=os.environ | _ONE_THREAD,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"{what} could not be measured: {error}"
        raise BenchError(message) from None
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        message = f"{what} failed: {said[-1][:300]}"
        raise BenchError(message)
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def _launched(command: list[str]) -> dict[str, Any]:
    """Measure a whole process from a small one."""
    measured = _answer([sys.executable, "-I", "-S", str(_LAUNCH), *command], "a fresh process")
    if measured["exit"]:
        message = f"a fresh process ended with exit code {measured['exit']}: {command}"
        raise BenchError(message)
    return measured


def _row(kind: _Kind, values: list[float]) -> Row:
    return Row(
        case=kind.case,
        params=_params(kind),
        value=statistics.median(values),
        unit=kind.unit,
        low=min(values),
        high=max(values),
        samples=values,
        claim=kind.claim,
        checked=True,
    )


def _missing_row(kind: _Kind, reason: str) -> Row:
    return Row(case=kind.case, params=_params(kind), value=None, unit=kind.unit, reason=reason)


def _params(kind: _Kind) -> dict[str, Any]:
    return {
        "quantity": kind.quantity,
        "engine": kind.engine,
        "work": kind.words,
        "target": kind.target,
    }
