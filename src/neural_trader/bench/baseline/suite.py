"""Baseline and ours side by side: fresh processes, the same rounds, equal answers first."""

import json
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from neural_trader.bench.baseline.ours import CASES, check_answers
from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.rows import Report, Row
from neural_trader.core import BenchError, ConfigError
from neural_trader.core.version import VERSION

if TYPE_CHECKING:
    from rich.console import Console

_TIMEOUT_S: Final = 300
_ROOM: Final = "neural_trader.bench.baseline"
Taken = dict[str, Any]


def choose_baseline_cases(names: Sequence[str]) -> list[str]:
    """Return the cases that are named, or all, or raise ConfigError."""
    for name in names:
        if name not in CASES:
            message = f"case is {name!r}; expected one of {', '.join(CASES)}"
            raise ConfigError(message)
    return [name for name in CASES if not names or name in names]


def run_baseline_suite(names: Sequence[str], *, rounds: int, step: Callable[[str], None]) -> Report:
    """Measure cases by the baseline and by ours, and return the report.

    Parameters
    ----------
    names : sequence of str
        From ``CASES``.
    rounds : int
        How often both are measured, in turn, each in a fresh process.
    step : callable
        Told the name of each step as it begins.

    Raises
    ------
    BenchError
        The answers are not equal, or a case failed.

    Missing
    -------
    A case whose library is not installed has rows without a value, with the reason.
    """
    machine = describe_machine()
    taken: dict[str, list[tuple[Taken, Taken]]] = {name: [] for name in names}
    reasons: dict[str, str] = {}
    for _ in range(rounds):
        for name in names:
            if name in reasons:
                continue
            step(f"{name}, baseline")
            baseline = run_case(name, f"{_ROOM}.{name}")
            if isinstance(baseline, str):
                reasons[name] = baseline
                continue
            step(f"{name}, ours")
            ours = run_case(name, f"{_ROOM}.ours", name)
            if isinstance(ours, str):
                raise BenchError(ours)
            check_answers(name, baseline["answer"], ours["answer"], {})
            taken[name].append((baseline["figures"], ours["figures"]))
    provenance = {
        "version": VERSION,
        "commit": describe_commit(Path(__file__).resolve().parents[4]),
        "config": {"rounds": rounds},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    rows = [row for name in names for row in _rows(name, taken[name], reasons.get(name))]
    return Report(machine=machine, provenance=provenance, rows=rows)


def run_case(name: str, module: str, *arguments: str) -> Taken | str:
    """Return what a case prints in a fresh process, or why it cannot be measured here.

    Raises
    ------
    BenchError
        It failed for another reason than a library that is not installed.
    """
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        message = f"the case {name} took longer than {_TIMEOUT_S} s"
        raise BenchError(message) from None
    if done.returncode == 0:
        found: Taken = json.loads(done.stdout.splitlines()[-1])
        return found
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    missing = re.fullmatch(r"ModuleNotFoundError: No module named '(\w+)[\w.]*'", last)
    if missing and missing[1] != "neural_trader":
        return f"not measured: pip install {missing[1]}"
    message = f"the case {name} failed: {last}"
    raise BenchError(message)


def _rows(name: str, taken: list[tuple[Taken, Taken]], reason: str | None) -> list[Row]:
    case = CASES[name]
    words = {"engine": "ours", "baseline": case.baseline, "ours": case.ours}
    if not taken:
        return [
            Row(
                case=name,
                params={"quantity": "time", **words},
                value=None,
                unit="ms",
                reason=reason,
            )
        ]
    rows = []
    for key in (key for key in taken[0][0] if key in taken[0][1]):
        quantity, unit = _name(key)
        both = [(float(baseline[key]), float(ours[key])) for baseline, ours in taken]
        samples = [ours for _, ours in both]
        # Of a rate more is better: it is ours over the baseline, so that a ratio says the same.
        ratios = [o / b if unit == "/s" else b / o for b, o in both if b > 0 and o > 0]
        rows.append(
            Row(
                case=name,
                params={"quantity": quantity, **words},
                value=statistics.median(samples),
                unit=unit,
                low=min(samples),
                high=max(samples),
                baseline=statistics.median(baseline for baseline, _ in both),
                ratio=statistics.median(ratios) if ratios else None,
                claim=case.claims.get(key),
                checked=True,
                samples=samples,
            )
        )
    return rows


def _name(key: str) -> tuple[str, str]:
    """Return quantity and unit of a figure's key: ``time_ms`` is time in ms."""
    if key == "orders_per_s":
        return "orders", "/s"
    quantity, _, unit = key.rpartition("_")
    return quantity.replace("_", " "), {"mb": "MB"}.get(unit, unit)


def print_baseline_report(report: Report, console: "Console | None" = None) -> None:
    """Print baseline, ours and their ratio, and what each is."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    console.print(report.head(), style="dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for name in ("case", "quantity"):
        table.add_column(name)
    for name in ("baseline", "ours", "ratio", "claim"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in report.rows:
        if row.value is None:
            table.add_row(row.case, row.params["quantity"], row.reason, "", "", "")
            continue
        shown = (_shown(row.baseline, row.unit), _shown(row.value, row.unit))
        ratio = "" if row.ratio is None else f"{row.ratio:.3g}x"
        claim = _shown(row.claim, row.unit)
        table.add_row(row.case, row.params["quantity"], *shown, ratio, claim)
    console.print(table)
    said = {row.case: (row.params["baseline"], row.params["ours"]) for row in report.rows}
    for case, (baseline, ours) in said.items():
        console.print(f"{case}: {baseline}; ours: {ours}", style="dim")
    console.print(
        "median of the rounds, each in fresh processes, answers checked to be equal first. ratio: "
        "how many times less ours takes (of orders: does more).",
        style="dim",
    )


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.4g} {unit}"
