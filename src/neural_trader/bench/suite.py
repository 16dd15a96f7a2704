"""The bench of the backtests, from cases to report."""

import platform
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import neural_trader as nt
from neural_trader.bench.cases import CAPITAL, CASES, COSTS_BPS, DATA, Case
from neural_trader.bench.limits import build_limits
from neural_trader.bench.machine import describe_machine
from neural_trader.bench.rows import Report, Row
from neural_trader.bench.runner import (
    BASELINE,
    LIMIT,
    OURS,
    Engine,
    Measured,
    backtest_rows,
    child_engine,
    cli_rows,
    measure_cli,
    measure_round,
)
from neural_trader.core import BenchError, ConfigError
from neural_trader.core.version import VERSION

CLI_CASES = ("cli_backtest", "cli_help")


def choose_cases(names: Sequence[str]) -> tuple[list[Case], bool]:
    """Return the backtest cases that are named, or all, and whether to time the command line.

    Raises
    ------
    ConfigError
        There is no such case.
    """
    known = [case.name for case in CASES]
    for name in names:
        if name not in (*known, *CLI_CASES):
            message = f"case is {name!r}; expected one of {', '.join((*known, *CLI_CASES))}"
            raise ConfigError(message)
    cases = [case for case in CASES if not names or case.name in names]
    return cases, not names or any(name in CLI_CASES for name in names)


def steps_of(cases: Sequence[Case], *, cli: bool, peers: Sequence[Engine]) -> int:
    """Return how many steps a round has, for a progress bar."""
    return len(cases) * (3 + len(peers)) + len(CLI_CASES) * cli


def run_suite(
    cases: Sequence[Case],
    *,
    rounds: int,
    cli: bool,
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
    cli : bool
        Whether the command-line cases are measured.
    peers : sequence of Engine
        Other engines, measured in the same rounds.
    step : callable
        Told the name of each step as it begins.

    Raises
    ------
    BenchError
        An answer of ours is not the baseline's; the command line failed; interrupted before the
        first round was complete.
    """
    taken: dict[tuple[str, str], Measured] = {}
    cli_rounds: list[dict[str, dict[str, float]]] = []
    complete: tuple[dict[tuple[str, str], Measured], int] | None = None
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
            for done in range(rounds):
                measure_round(cases, engines, taken, step=step)
                if cli:
                    cli_rounds.append(measure_cli(step))
                complete = (dict(taken), done + 1)
        except KeyboardInterrupt:
            interrupted = True
    if complete is None:
        message = "interrupted before the first round was complete: there is nothing to print"
        raise BenchError(message)
    taken, done = complete
    rows = backtest_rows(cases, engines, taken)
    rows += cli_rows(cli_rounds[:done]) if cli else []
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
    """Return what was measured: version, data, settings, time and packages."""
    return {
        "version": VERSION,
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


def missing(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that were not measured."""
    return [row for row in rows if row.value is None]
