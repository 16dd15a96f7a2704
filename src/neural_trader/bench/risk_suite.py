"""The risk bench: every case in a fresh process, round by round, targets and others beside it."""

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

from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.peers import installed_version
from neural_trader.bench.rows import Report, Row
from neural_trader.core import BenchError, ConfigError
from neural_trader.core.version import VERSION

if TYPE_CHECKING:
    from rich.console import Console

RISK_WORDS: Final = {
    "linear": "10,000 x 50: VaR, ES, components",
    "memory": "10,000 x 50: VaR, ES, components",
    "million": "1,000,000 x 50: VaR, ES, components",
    "options": "10,000 x (50 stocks + 100 options)",
    "quasi": "8,192 Sobol points x 50, 16 scrambles",
    "cuda": "10,000,000 x 50: VaR, ES, components",
}
"""The cases, in the order in which they are measured and printed, and what each does."""
RISK_NAMES: Final = tuple(RISK_WORDS)
PEERS: Final = {"quantlib": "QuantLib", "skfolio": "skfolio", "arch": "arch"}
"""Other packages: the name of their environment, and of their distribution."""
_TIMEOUT_S: Final = 300
_WIDE: Final = 120
_TREE: Final = Path(__file__).resolve().parents[3]


def choose_risk_cases(names: Sequence[str]) -> list[str]:
    """Return the cases that are named, or all, or raise ConfigError."""
    for name in names:
        if name not in RISK_NAMES:
            message = f"case is {name!r}; expected one of {', '.join(RISK_NAMES)}"
            raise ConfigError(message)
    return [name for name in RISK_NAMES if not names or name in names]


def run_risk_suite(
    names: Sequence[str], *, rounds: int, peers: bool, step: Callable[[str], None]
) -> Report:
    """Measure cases and return the report.

    Parameters
    ----------
    names : sequence of str
        From ``RISK_NAMES``.
    rounds : int
        How often everything is measured, each time in a fresh process.
    peers : bool
        Whether other packages do the work of ``linear`` too, where they are installed.
    step : callable
        Told the name of each case as it begins.

    Raises
    ------
    BenchError
        An answer is wrong, or a case cannot be run here.
    """
    machine = describe_machine()
    taken: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    with TemporaryDirectory(prefix="neural-trader-bench-") as folder:
        commands: list[tuple[str, list[str] | dict[str, Any]]]
        commands = [(name, _own_command(name)) for name in names]
        if peers and "linear" in names:
            request = _write_request(Path(folder))
            commands += [("linear", _peer_command(peer, request)) for peer in PEERS]
        for _ in range(rounds):
            for name, command in commands:
                step(name)
                found = [command] if isinstance(command, dict) else _measure(name, command)
                for figure in found:
                    key = name, str(figure["engine"]), str(figure["quantity"])
                    taken.setdefault(key, []).append(figure)
    provenance = {
        "version": VERSION,
        "commit": describe_commit(_TREE),
        "config": {"rounds": rounds},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    rows = [_row(key[0], found) for key, found in taken.items()]
    return Report(machine=machine, provenance=provenance, rows=rows)


def _own_command(name: str) -> list[str]:
    return [sys.executable, "-m", "neural_trader.bench.risk_child", name]


def _peer_command(peer: str, request: Path) -> list[str] | dict[str, Any]:
    """Return the command that has a peer do the work, or the row that says why it does not."""
    title = PEERS[peer]
    missing = {"engine": title, "quantity": "time", "unit": "ms", "value": None}
    if peer == "arch":
        return missing | {"reason": "arch simulates one series at a time, not a portfolio"}
    program = _TREE / "benchmarks" / "rivals" / "risk" / "measure_risk.py"
    environment = _TREE / ".venv-peers" / peer
    if not program.is_file():
        return missing | {"reason": "not installed: it comes with the source tree"}
    if not installed_version(environment, title):
        return missing | {"reason": "not installed: make peers"}
    # -E: a PYTHONPATH of ours would put our packages in front of theirs.
    return [str(environment / "bin" / "python"), "-E", str(program), peer, str(request)]


def _write_request(folder: Path) -> Path:
    """Write positions and model for those who do not have our package."""
    import numpy as np

    from neural_trader.bench import risk_work

    book, model = risk_work.make_book(), risk_work.make_model()
    path = folder / "book.npz"
    np.savez(
        path,
        positions=book.prices * book.shares,
        mean=model.mean,
        covariance=model.covariance,
        expected=np.array(risk_work.closed_form(book, model)),
    )
    return path


def _measure(name: str, command: list[str]) -> list[dict[str, Any]]:
    # One thread of linear algebra each: what is compared is a core.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S, env=environment
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        message = f"the case {name} failed: {last}"
        raise BenchError(message)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _row(case: str, found: list[dict[str, Any]]) -> Row:
    first = found[0]
    values = [figure["value"] for figure in found if figure["value"] is not None]
    limits = [figure["limit"] for figure in found if figure.get("limit") is not None]
    params = {
        "quantity": first["quantity"],
        "engine": first["engine"],
        "work": RISK_WORDS[case],
        "target": first.get("target"),
    }
    if first.get("version"):
        params["version"] = first["version"]
    return Row(
        case=case,
        params=params,
        value=statistics.median(values) if values else None,
        unit=first["unit"],
        low=min(values, default=None),
        high=max(values, default=None),
        samples=values,
        claim=first.get("claim"),
        limit=statistics.median(limits) if limits else None,
        checked=bool(values),
        reason=first.get("reason"),
    )


def print_risk_report(report: Report, console: "Console | None" = None) -> None:
    """Print the rows of a report with their targets."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    console.print(report.head(), style="dim")
    is_wide = console.width >= _WIDE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for name in ("case", *(["work"] if is_wide else []), "engine", "quantity"):
        table.add_column(name)
    for name in ("median", *(["low - high"] if is_wide else []), "target", "limit", "claim"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in report.rows:
        engine = row.params["engine"]
        spread = "" if row.value is None else f"{row.low:.3g} - {row.high:.3g}"
        table.add_row(
            row.case,
            *([str(row.params["work"])] if is_wide else []),
            f"{engine} {row.params.get('version', '')}".strip(),
            str(row.params["quantity"]),
            _shown(row.value, row.unit) or "not measured",
            *([spread] if is_wide else []),
            _shown(row.params["target"], row.unit),
            _shown(row.limit, row.unit),
            _shown(row.claim, row.unit),
        )
    console.print(table)
    for row in report.rows:
        if row.reason:
            line = f"- {row.case}, {row.params['engine']}: {row.reason}"
            console.print(line, style="dim", markup=False)
    console.print(
        "median of the rounds, each in a fresh process, answers checked first. A ratio is taken "
        "run by run. target: at most, a ratio at least, on a quiet core; limit: two threads that "
        "only hash, in the same minute; claim: the performance page's figure for Rust.",
        style="dim",
    )


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}"
