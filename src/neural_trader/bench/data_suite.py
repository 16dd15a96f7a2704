"""The data bench: every part of a case in fresh processes, round by round, others beside ours."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from neural_trader.bench.data_cases import DATA_CASES, DataCase
from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.portfolio_suite import find_wrong
from neural_trader.bench.rows import Report, Row
from neural_trader.bench.runner import OURS, changed, make_row, with_baseline
from neural_trader.core import BenchError, ConfigError
from neural_trader.core.version import VERSION

if TYPE_CHECKING:
    from rich.console import Console

DATA_NAMES: Final = tuple(case.name for case in DATA_CASES)
_TIMEOUT_S: Final = 300
_WIDE: Final = 120
_TREE: Final = Path(__file__).resolve().parents[3]
Taken = dict[str, Any]
Key = tuple[str, str, str]


def choose_data_cases(names: Sequence[str]) -> list[DataCase]:
    """Return the cases that are named, or all, or raise ConfigError."""
    for name in names:
        if name not in DATA_NAMES:
            message = f"case is {name!r}; expected one of {', '.join(DATA_NAMES)}"
            raise ConfigError(message)
    return [case for case in DATA_CASES if not names or case.name in names]


def run_data_suite(
    cases: Sequence[DataCase], *, rounds: int, step: Callable[[str], None]
) -> Report:
    """Measure cases and return the report.

    Parameters
    ----------
    cases : sequence of DataCase
    rounds : int
        How often everything is measured, each engine in a fresh process.
    step : callable
        Told the name of each step as it begins.

    Raises
    ------
    BenchError
        An answer is not ours, or a case cannot be run here.
    """
    machine = describe_machine()
    taken: dict[Key, list[Taken]] = {}
    with TemporaryDirectory(prefix="neural-trader-bench-") as root:
        folders = _prepare(cases, Path(root), step)
        for _ in range(rounds):
            for case in cases:
                for part in case.parts:
                    _run_part(case, part, folders[case.name], taken, step=step)
    provenance = {
        "version": VERSION,
        "commit": describe_commit(_TREE),
        "config": {"rounds": rounds},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    rows = [row for case in cases for part in case.parts for row in _rows(case, part, taken)]
    return Report(machine=machine, provenance=provenance, rows=rows)


def _prepare(cases: Sequence[DataCase], root: Path, step: Callable[[str], None]) -> dict[str, Path]:
    """Write the files of the cases; those that read the same share a folder."""
    folders: dict[Callable[[Path], None], Path] = {}
    for case in cases:
        if case.prepare not in folders:
            step(f"{case.name}: files")
            folders[case.prepare] = root / case.name
            folders[case.prepare].mkdir()
            case.prepare(folders[case.prepare])
    return {case.name: folders[case.prepare] for case in cases}


def _run_part(
    case: DataCase,
    part: str,
    folder: Path,
    taken: dict[Key, list[Taken]],
    *,
    step: Callable[[str], None],
) -> None:
    """Run a part by every engine, and hold the answers to ours."""
    truth: Taken = {}
    for engine in case.engines:
        step(f"{case.name} {part}: {engine}".replace(" :", ":"))
        found = _measure(engine, case.name, part, folder)
        taken.setdefault((case.name, part, engine), []).append(found)
        if engine == "ours":
            if "reason" not in found:
                truth = found["answer"]
            continue
        wrong = find_wrong(found.get("answer", {}), truth, case.tolerance) if truth else None
        if wrong is not None:
            message = f"{case.name}: the answer of {engine} is not ours: {wrong}"
            raise BenchError(message)


def _measure(engine: str, name: str, part: str, folder: Path) -> Taken:
    command = [sys.executable, "-m", "neural_trader.bench.data_child", engine, name, part]
    try:
        done = subprocess.run(
            [*command, str(folder)],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired:
        message = f"{name}, {engine}: took more than {_TIMEOUT_S} s"
        raise BenchError(message) from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        message = f"{name}, {engine}: {last[:300]}"
        raise BenchError(message)
    found: Taken = json.loads(done.stdout)
    return found


def _rows(case: DataCase, part: str, taken: dict[Key, list[Taken]]) -> list[Row]:
    """Return the rows of ours: what stands beside them is their baseline or their limit."""
    ours = _figures(taken[case.name, part, "ours"])
    beside = _figures(taken[case.name, part, case.beside])
    limits = _figures(taken.get((case.name, part, "limit"), []))
    reason = taken[case.name, part, "ours"][0].get("reason")
    if reason:
        return [changed(_row(case, "time", "ms", []), reason=reason)]
    rows = []
    for quantity, found in ours.items():
        values = [each["value"] for each in found if each["value"] is not None]
        row = _row(case, quantity, found[0]["unit"], values)
        base = [each["value"] for each in beside.get(quantity, []) if each["value"] is not None]
        row = with_baseline(row, values, base)
        limit = [each["value"] for each in limits.get(quantity, [])]
        limit += [each["limit"] for each in found if each["limit"] is not None]
        rows.append(
            changed(
                row,
                claim=case.claims.get(quantity),
                limit=statistics.median(limit) if limit else None,
                checked=bool(values),
                reason=found[0]["reason"] or _missing(taken[case.name, part, case.beside]),
            )
        )
    return rows


def _row(case: DataCase, quantity: str, unit: str, values: list[float]) -> Row:
    target = case.targets.get(quantity)
    params: dict[str, Any] = {
        "quantity": quantity,
        "engine": OURS,
        "work": case.words,
        "beside": case.beside,
        "target": target.value if target else None,
        "target_unit": target.unit if target else None,
    }
    return make_row(case.name, params, unit, values)


def _missing(found: list[Taken]) -> str | None:
    reason = found[0].get("reason")
    return f"nothing beside it: {reason}" if reason else None


def _figures(rounds: list[Taken]) -> dict[str, list[Taken]]:
    found: dict[str, list[Taken]] = {}
    for taken in rounds:
        for figure in taken.get("figures", ()):
            found.setdefault(figure["quantity"], []).append(figure)
    return found


def print_data_report(report: Report, console: "Console | None" = None) -> None:
    """Print the rows of a report, what they were measured on and how to read them."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    console.print(report.head(), style="dim")
    is_wide = console.width >= _WIDE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for name in ("case", "quantity"):
        table.add_column(name)
    columns = ["median", *(["low - high"] if is_wide else []), "beside", "ratio", "target"]
    for name in (*columns, "limit", "claim"):
        table.add_column(name, justify="right", no_wrap=name != "beside")
    before = ""
    for row in report.rows:
        beside = _shown(row.baseline, row.unit)
        table.add_row(
            row.case if row.case != before else "",
            str(row.params["quantity"]),
            _shown(row.value, row.unit) or "not measured",
            *([_spread(row)] if is_wide else []),
            f"{row.params['beside']} {beside}" if beside else "",
            f"{row.ratio:.3g} x" if row.ratio is not None else "",
            _shown(row.params["target"], row.params["target_unit"] or ""),
            _shown(row.limit, row.unit),
            _shown(row.claim, row.unit),
        )
        before = row.case
    console.print(table)
    reasons = {f"- {row.case}: {row.reason}": None for row in report.rows if row.reason}
    for line in reasons:
        console.print(line, style="dim", markup=False)
    console.print(
        "median of the rounds, each in fresh processes, answers compared first; ratio: what stands "
        "beside ours over ours, in the same round; target: at most, a ratio at least, on two quiet "
        "cores; limit: cold, what Polars alone takes to read the file, and from the cache, what "
        "mapping it takes; claim: the performance page's figure for Rust.",
        style="dim",
    )


def _spread(row: Row) -> str:
    return "" if row.value is None else f"{row.low:.3g} - {row.high:.3g}"


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    figure = f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"
    return f"{figure} {unit}".strip()
