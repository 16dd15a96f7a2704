"""The bench of the backtests, from cases to report."""

import platform
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import neural_trader as nt
from neural_trader.bench.cases import CAPITAL, CASES, COSTS_BPS, DATA, Case
from neural_trader.bench.limits import build_limits
from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.rows import Report
from neural_trader.bench.runner import (
    BASELINE,
    CLI_CASES,
    LIMIT,
    OURS,
    Engine,
    Measured,
    backtest_rows,
    check_cli,
    child_engine,
    cli_rows,
    measure_cli,
    measure_round,
)
from neural_trader.core import BenchError, ConfigError
from neural_trader.core.version import VERSION

BACKTEST_NAMES: Final = (*(case.name for case in CASES), *CLI_CASES)


def choose_cases(names: Sequence[str]) -> tuple[list[Case], list[str]]:
    """Return the backtest cases and the command-line cases that are named, or all.

    Raises
    ------
    ConfigError
        There is no such case.
    """
    for name in names:
        if name not in BACKTEST_NAMES:
            message = f"case is {name!r}; expected one of {', '.join(BACKTEST_NAMES)}"
            raise ConfigError(message)
    cases = [case for case in CASES if not names or case.name in names]
    return cases, [name for name in CLI_CASES if not names or name in names]


def steps_of(cases: Sequence[Case], *, cli: Sequence[str], peers: Sequence[Engine]) -> int:
    """Return how many steps a round has, for a progress bar."""
    return len(cases) * (3 + len(peers)) + len(cli)


def run_suite(
    cases: Sequence[Case],
    *,
    rounds: int,
    cli: Sequence[str],
    peers: Sequence[Engine] = (),
    step: Callable[[str], None],
) -> tuple[Report, bool]:
    """Measure the cases and return the report, and whether it was interrupted.

    Parameters
    ----------
    cases : sequence of Case
        Backtests to measure; may be empty.
    rounds : int
        How often everything is measured, each time in a fresh process.
    cli : sequence of str
        Command-line cases to measure; may be empty.
    peers : sequence of Engine
        Other engines, measured in the same rounds.
    step : callable
        Told the name of each step as it begins.

    Raises
    ------
    BenchError
        An answer of ours is not the baseline's, or the command line failed.
    KeyboardInterrupt
        Interrupted before the first round was complete: there is nothing to report.
    """
    taken: dict[tuple[str, str], Measured] = {}
    cli_rounds: list[dict[str, dict[str, float]]] = []
    complete: dict[tuple[str, str], Measured] = {}
    done = 0
    interrupted = False
    began = describe_machine()
    with tempfile.TemporaryDirectory() as folder:
        engines = [
            child_engine(OURS, "ours", 1e-12),
            child_engine(BASELINE, "baseline", 0.0),
            _limit_engine(Path(folder)),
            *peers,
        ]
        try:
            if "cli_backtest" in cli:
                check_cli()
            for _ in range(rounds):
                measure_round(cases, engines, taken, step=step)
                cli_rounds.append(measure_cli(cli, step=step))
                complete, done = dict(taken), done + 1
        except KeyboardInterrupt:
            if not done:
                raise
            interrupted = True
    rows = backtest_rows(cases, engines, complete) + cli_rows(cli, cli_rounds[:done])
    return Report(machine=began, provenance=_provenance(done), rows=rows), interrupted


def _limit_engine(folder: Path) -> Engine:
    """Return the engine of the C programs, or one that says why there is none."""
    try:
        library = build_limits(folder)
    except BenchError as error:
        reason = str(error)
        return Engine(LIMIT, lambda _: reason, 1e-6)
    return child_engine(LIMIT, "limit", 1e-6, str(library))


def _provenance(rounds: int) -> dict[str, Any]:
    """Return what was measured: version and commit, data, settings, time and packages."""
    return {
        "version": VERSION,
        "commit": describe_commit(Path(__file__).resolve().parents[3]),
        "config": {
            "rounds": rounds,
            "capital": CAPITAL,
            "fee_bps": COSTS_BPS,
            "slippage_bps": COSTS_BPS,
        },
        "data_name": DATA,
        "data_hash": nt.load(DATA).data_hash,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "packages": {name: version(name) for name in ("numpy", "polars", "msgspec", "click")},
        "python": platform.python_version(),
    }
