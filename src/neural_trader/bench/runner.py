"""Runs cases in fresh processes, round after round, and turns what they say into rows.

In every round each case is run by each engine in turn, so that a ratio compares figures of the
same minute on the same machine. An answer is compared with the plain-Python baseline's before its
time is believed.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from neural_trader.bench.cases import CLI_ANSWER, CLI_ARGUMENTS, Case, find_case
from neural_trader.bench.rows import Row
from neural_trader.core import BenchError

CHILD_SECONDS_MAX: Final = 300
OURS: Final = "neural-trader"
BASELINE: Final = "plain Python"
LIMIT: Final = "straight C"

_LAUNCH: Final = Path(__file__).with_name("launch.py")
CLI_CASES: Final[dict[str, tuple[tuple[str, ...], float | None]]] = {
    "cli_backtest": (CLI_ARGUMENTS, None),
    "cli_help": (("--help",), 300.0),
}
"""What is run, and the claim for its start-up in milliseconds."""
_CLI_QUANTITIES: Final = (
    ("wall", "wall_ms", "ms"),
    ("cpu", "cpu_ms", "ms"),
    ("peak_rss", "peak_rss_mb", "MB"),
)


class Engine(NamedTuple):
    """Something that runs the cases.

    ``command`` returns the command line of a case, or a reason in words why there is none;
    ``tolerance`` is how far, relatively, its equity may be from the baseline's.
    """

    name: str
    command: Callable[[Case], list[str] | str]
    tolerance: float
    version: str = ""


class Measured(NamedTuple):
    """The rounds of one engine on one case, or the reason why there are none."""

    rounds: list[dict[str, Any]]
    reason: str | None = None


def child_engine(name: str, role: str, tolerance: float, *more: str) -> Engine:
    """Return an engine that runs in a fresh process of this very Python."""

    def command(case: Case) -> list[str]:
        return [sys.executable, "-m", "neural_trader.bench.child", role, case.name, *more]

    return Engine(name, command, tolerance)


def measure_round(
    cases: Sequence[Case],
    engines: Sequence[Engine],
    taken: dict[tuple[str, str], Measured],
    *,
    step: Callable[[str], None],
) -> None:
    """Run every case by every engine once, and add what they measured to ``taken``.

    Raises
    ------
    BenchError
        An answer of ours is not the baseline's: no time is worth printing then.
    """
    for case in cases:
        answers: dict[str, dict[str, Any]] = {}
        for engine in engines:
            step(f"{case.name}: {engine.name}")
            key = (case.name, engine.name)
            before = taken.get(key, Measured([]))
            if before.reason is not None:
                continue
            answer = _run(engine, case)
            if isinstance(answer, str):
                taken[key] = Measured([], answer)
                continue
            answers[engine.name] = answer
            taken[key] = Measured([*before.rounds, answer])
        _check_answers(case, engines, answers, taken)


def _run(engine: Engine, case: Case) -> dict[str, Any] | str:
    """Return what a fresh process measured, or the reason why nothing was measured."""
    command = engine.command(case)
    if isinstance(command, str):
        return command
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=CHILD_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        return f"took more than {CHILD_SECONDS_MAX} s"
    except OSError as error:
        return f"could not be started: {error.strerror}"
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    if run.returncode or not lines:
        said = (run.stderr or run.stdout).strip().splitlines()
        return f"failed with exit code {run.returncode}: {said[-1][:200] if said else 'no output'}"
    measured: dict[str, Any] = json.loads(lines[-1])
    return measured


def _check_answers(
    case: Case,
    engines: Sequence[Engine],
    answers: dict[str, dict[str, Any]],
    taken: dict[tuple[str, str], Measured],
) -> None:
    """Compare every answer with the baseline's; a wrong one has no time."""
    truth = answers.get(BASELINE)
    if truth is None:
        reason = taken[case.name, BASELINE].reason
        message = f"{case.name}: the plain-Python baseline {reason}; no time is printed without it"
        raise BenchError(message)
    for engine in engines:
        if engine.name not in answers:
            continue
        difference = find_difference(answers[engine.name], truth, engine.tolerance)
        if difference is None:
            continue
        if engine.name == OURS:
            message = f"{case.name}: our answer is not the baseline's: {difference}"
            raise BenchError(message)
        taken[case.name, engine.name] = Measured([], f"another answer: {difference}")


def find_difference(answer: dict[str, Any], truth: dict[str, Any], tolerance: float) -> str | None:
    """Return in words how an answer differs from the true one, or None where it does not."""
    for name in ("trades", "fills"):
        if answer.get(name) is not None and answer[name] != truth[name]:
            return f"{name} are {answer[name]}, not {truth[name]}"
    pairs = [("final equity", answer["final_equity"], truth["final_equity"])]
    curve = answer.get("equity")
    if curve is not None:
        if len(curve) != len(truth["equity"]):
            return f"equity has {len(curve)} bars, not {len(truth['equity'])}"
        pairs += [
            (f"equity at bar {bar}", mine, true)
            for bar, (mine, true) in enumerate(zip(curve, truth["equity"], strict=True))
        ]
    for name, mine, true in pairs:
        if not abs(mine - true) <= tolerance * abs(true):
            return f"{name} is {mine!r}, not {true!r}"
    return None


def backtest_rows(
    cases: Sequence[Case],
    engines: Sequence[Engine],
    taken: dict[tuple[str, str], Measured],
) -> list[Row]:
    """Return the rows of the backtest cases: first ours, then those of the other engines."""
    rows = []
    for case in cases:
        base = taken[case.name, BASELINE].rounds
        limits = taken.get((case.name, LIMIT), Measured([], "not asked for"))
        for engine in engines:
            if engine.name in (BASELINE, LIMIT):
                continue
            mine = taken[case.name, engine.name]
            params = case.params | {"engine": engine.name}
            if engine.version:
                params["version"] = engine.version
            quantities = [("time", "median_us", "us", case.claim_us)]
            if engine.name == OURS:
                quantities.append(("cpu", "cpu_us", "us", None))
            quantities.append(("peak_rss", "peak_rss_mb", "MB", case.claim_mb))
            for quantity, key, unit, claim in quantities:
                row = make_row(
                    case.name, params | {"quantity": quantity}, unit, [m[key] for m in mine.rounds]
                )
                row = with_baseline(row, [m[key] for m in mine.rounds], [b[key] for b in base])
                ours = engine.name == OURS
                limited = quantity == "time" and limits.rounds and ours
                rows.append(
                    changed(
                        row,
                        claim=claim if ours else None,
                        limit=statistics.median([m[key] for m in limits.rounds])
                        if limited
                        else None,
                        checked=not mine.reason,
                        reason=mine.reason
                        or (limits.reason if ours and quantity == "time" else None),
                    )
                )
    return rows


def make_row(case: str, params: dict[str, Any], unit: str, values: list[float]) -> Row:
    """Return the row of one quantity: median, fastest and slowest round."""
    if not values:
        return Row(case=case, params=params, value=None, unit=unit)
    return Row(
        case=case,
        params=params,
        value=statistics.median(values),
        unit=unit,
        low=min(values),
        high=max(values),
        samples=values,
    )


def with_baseline(row: Row, values: list[float], base: list[float]) -> Row:
    """Set the baseline beside a row, and the median of the rounds' ratios."""
    if not values or not base:
        return row
    ratios = [b / v for v, b in zip(values, base, strict=False)]
    return changed(row, baseline=statistics.median(base), ratio=statistics.median(ratios))


def changed(row: Row, **changes: Any) -> Row:  # noqa: ANN401 - the row checks them
    """Return a row with some of its fields changed."""
    return msgspec.structs.replace(row, **changes)


def measure_process(command: Sequence[str]) -> dict[str, float]:
    """Run a whole process and return its exit code, wall and CPU milliseconds and peak memory.

    Raises
    ------
    BenchError
        It did not end with exit code 0.
    """
    run = subprocess.run(
        [sys.executable, "-I", "-S", str(_LAUNCH), *command],
        capture_output=True,
        text=True,
        timeout=CHILD_SECONDS_MAX,
        check=False,
    )
    measured: dict[str, float] = json.loads(run.stdout) if run.stdout else {"exit": 1}
    if measured["exit"]:
        message = f"{' '.join(command[:6])} ... failed with exit code {measured['exit']}"
        raise BenchError(message)
    return measured


def cli_command(arguments: Sequence[str]) -> list[str]:
    """Return the command line of ``neural-trader``, as this Python's environment installed it."""
    script = Path(sys.executable).with_name("neural-trader")
    start = [str(script)] if script.exists() else [sys.executable, "-m", "neural_trader"]
    return [*start, *arguments]


def cli_rows(names: Sequence[str], rounds: list[dict[str, dict[str, float]]]) -> list[Row]:
    """Return the rows of the command-line cases from what each round measured."""
    rows = []
    for name in names:
        arguments, claim = CLI_CASES[name]
        for quantity, key, unit in _CLI_QUANTITIES:
            params = {"arguments": " ".join(arguments), "quantity": quantity, "engine": OURS}
            row = make_row(name, params, unit, [measured[name][key] for measured in rounds])
            claimed = claim if quantity == "wall" else None
            rows.append(changed(row, claim=claimed, checked=arguments == CLI_ARGUMENTS))
    return rows


def measure_cli(
    names: Sequence[str], *, step: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    """Run the command-line cases once each."""
    measured = {}
    for name in names:
        step(f"{name}: {OURS}")
        measured[name] = measure_process(cli_command(CLI_CASES[name][0]))
    return measured


def check_cli() -> None:
    """Compare what the timed command line prints with the baseline's answer; warms the caches too.

    Raises
    ------
    BenchError
        It failed, or its answer is not the baseline's.
    """
    truth = _run(child_engine(BASELINE, "baseline", 0.0), find_case(CLI_ANSWER))
    if isinstance(truth, str):
        message = f"cli_backtest: the plain-Python baseline {truth}; no time is printed without it"
        raise BenchError(message)
    command = cli_command(CLI_ARGUMENTS)
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        message = f"cli_backtest failed with exit code {run.returncode}: {run.stderr.strip()[:200]}"
        raise BenchError(message)
    difference = find_difference(json.loads(run.stdout), truth, 1e-12)
    if difference is not None:
        message = f"cli_backtest: our answer is not the baseline's: {difference}"
        raise BenchError(message)
