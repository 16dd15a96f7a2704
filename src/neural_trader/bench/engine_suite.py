"""The engine's bench: every case in a fresh process, round by round, its targets beside it."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.rows import Report, Row
from neural_trader.core import BenchError, ConfigError
from neural_trader.core.version import VERSION

if TYPE_CHECKING:
    from rich.console import Console

ENGINE_NAMES: Final = (
    "sweep",
    "sweep_cores",
    "no_op",
    "own_pairs",
    "orders",
    "minutes",
    "indicators",
)
_TIMEOUT_S: Final = 300


def choose_engine_cases(names: Sequence[str]) -> list[str]:
    """Return the cases that are named, or all, or raise ConfigError."""
    for name in names:
        if name not in ENGINE_NAMES:
            message = f"case is {name!r}; expected one of {', '.join(ENGINE_NAMES)}"
            raise ConfigError(message)
    return [name for name in ENGINE_NAMES if not names or name in names]


def run_engine_suite(names: Sequence[str], *, rounds: int, step: Callable[[str], None]) -> Report:
    """Measure cases and return the report.

    Parameters
    ----------
    names : sequence of str
        From ``ENGINE_NAMES``.
    rounds : int
        How often everything is measured, each time in a fresh process.
    step : callable
        Told the name of each case as it begins.

    Raises
    ------
    BenchError
        An answer is wrong, or a case cannot be run here.
    """
    machine = describe_machine()
    taken: dict[tuple[str, str], list[dict[str, object]]] = {}
    for _ in range(rounds):
        for name in names:
            step(name)
            for figure in _measure(name):
                taken.setdefault((name, str(figure["quantity"])), []).append(figure)
    rows = [_row(case, quantity, found) for (case, quantity), found in taken.items()]
    provenance = {
        "version": VERSION,
        "commit": describe_commit(Path(__file__).resolve().parents[3]),
        "config": {"rounds": rounds},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Report(machine=machine, provenance=provenance, rows=rows)


def _measure(name: str) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "neural_trader.bench.engine_child", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        message = f"the case {name} failed: {last}"
        raise BenchError(message)
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def _row(case: str, quantity: str, found: list[dict[str, object]]) -> Row:
    values = [float(str(figure["value"])) for figure in found]
    limits = [float(str(figure["limit"])) for figure in found if figure["limit"] is not None]
    first = found[0]
    return Row(
        case=case,
        params={
            "quantity": quantity,
            "engine": "ours",
            "work": first["words"],
            "target": first["target"],
        },
        value=statistics.median(values),
        unit=str(first["unit"]),
        low=min(values),
        high=max(values),
        samples=values,
        limit=statistics.median(limits) if limits else None,
        checked=True,
    )


def print_engine_report(report: Report, console: "Console | None" = None) -> None:
    """Print the rows of a report with their targets."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    console.print(report.head(), style="dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for name in ("case", "work", "quantity"):
        table.add_column(name)
    for name in ("median", "low - high", "target", "limit"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in report.rows:
        table.add_row(
            row.case,
            str(row.params["work"]),
            str(row.params["quantity"]),
            _shown(row.value, row.unit),
            f"{_shown(row.low, row.unit)} - {_shown(row.high, row.unit)}",
            _shown(row.params["target"], row.unit),
            _shown(row.limit, row.unit),
        )
    console.print(table)
    console.print(
        "median of the rounds, each in a fresh process, answers checked first. target: what the "
        "project has set itself on one quiet core (a speed-up: two), at most, a speed-up at least; "
        "limit: two threads that only hash, on this machine in the same minute.",
        style="dim",
    )


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}"
