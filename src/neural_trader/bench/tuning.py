"""The tuning bench: every setting against what the product does by itself, in the same minutes.

In every round the settings of a case are run one after the other, in fresh processes and in the
opposite order every other round, so that a load that comes and goes meets all of them. What counts
is the ratio inside a round.
"""

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from neural_trader.bench.intervals import median_interval
from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.orders_stack import Stack, placements
from neural_trader.bench.realtime import realtime
from neural_trader.bench.rows import Report, Row
from neural_trader.bench.tuning_cases import Setting, TuningCase
from neural_trader.core import BenchError
from neural_trader.core.version import VERSION

ROUNDS_MIN: Final = 5
"""With fewer rounds than these a gain in all of them may be chance: no verdict then."""
GAIN_MIN: Final = 1.03
"""A setting that gains less is not worth a line in a configuration."""
_CLOSED: Final = 2_000
_WINDOWED: Final = 6_000
_WINDOW: Final = 8
_REALTIME_S: Final = 60.0
_TIMEOUT_S: Final = 300
# What threads add in another order stays within these; the kernels' own tests are exact.
_RELATIVE: Final = 1e-5
_ABSOLUTE: Final = 1e-6
Figures = dict[str, float]


class Sample(NamedTuple):
    """What one run of one setting found: figures by quantity, and its answer."""

    figures: Figures
    answer: dict[str, Any]


class TunedStack(Stack):
    """Venue and gateway, the gateway with a setting."""

    def __init__(self, setting: Setting, folder: Path) -> None:
        wanted = {"env": setting.env, "gc": setting.gc, "socket_bytes": setting.socket_bytes}
        super().__init__(
            setting.durability,
            placements()[setting.place],
            folder,
            serve_with=("neural_trader.bench.tuning_child", json.dumps(wanted)),
        )
        self._tls = f"segment_mb = {setting.segment_mb}\n"


def run_tuning_suite(
    cases: Sequence[TuningCase],
    *,
    rounds: int,
    folder: Path | None = None,
    step: Callable[[str], None],
) -> Report:
    """Measure cases and return the report.

    Parameters
    ----------
    cases : sequence of TuningCase
    rounds : int
        How often every setting is measured; below ``ROUNDS_MIN`` there is no verdict.
    folder : Path, optional
        Where journals are written: the disk that is measured. None is the temporary folder.
    step : callable
        Told what begins.

    Raises
    ------
    BenchError
        An order was lost, doubled or rejected, or an answer depends on a setting.
    """
    machine = describe_machine()
    rows: list[Row] = []
    with TemporaryDirectory(prefix="neural-trader-tuning-", dir=folder) as made:
        for case in cases:
            rows += _run_case(case, rounds, Path(made), step)
    provenance = {
        "version": VERSION,
        "commit": describe_commit(Path(__file__).resolve().parents[3]),
        "config": {"rounds": rounds},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Report(machine=machine, provenance=provenance, rows=rows)


def _run_case(
    case: TuningCase, rounds: int, folder: Path, step: Callable[[str], None]
) -> list[Row]:
    """Measure the settings of a case in turn, and return a row for each quantity of each."""
    reasons: dict[str, str] = {}
    for setting in case.settings:
        if not case.works and setting.place not in placements():
            reasons[setting.name] = "this machine has one core"
    taken: dict[str, list[Sample]] = {setting.name: [] for setting in case.settings}
    for number in range(rounds):
        for setting in case.settings[:: 1 if number % 2 == 0 else -1]:
            if setting.name in reasons:
                continue
            step(f"{case.name}, {setting.name}: round {number + 1} of {rounds}")
            try:
                found = _measure(case, setting, folder)
            except PermissionError as error:
                reasons[setting.name] = f"not allowed here: {error.strerror or error}"
            else:
                taken[setting.name].append(found)
        check_answers(case, taken)
    base = case.settings[0].name
    rows: list[Row] = []
    for setting in case.settings[1:]:
        reason = reasons.get(setting.name) or reasons.get(base)
        pairs = [] if reason else list(zip(taken[base], taken[setting.name], strict=True))
        rows += rows_of(case, setting, pairs, reason)
    return rows


def _measure(case: TuningCase, setting: Setting, folder: Path) -> Sample:
    return _run_orders(setting, folder) if not case.works else _run_works(case.works, setting)


def _run_orders(setting: Setting, folder: Path) -> Sample:
    """Send orders one at a time and then some at a time; those that go astray are errors."""
    with TemporaryDirectory(dir=folder) as made, TunedStack(setting, Path(made)) as stack:
        _check_environment(stack.gateway_pid, setting.env)
        scheduled = realtime(stack.gateway_pid, _REALTIME_S) if setting.is_realtime else None
        with scheduled or nullcontext():
            one = stack.load(_CLOSED, window=1)
            some = stack.load(_WINDOWED, window=_WINDOW)
            if setting.is_realtime:
                _check_scheduled(stack.gateway_pid)
        figures = {
            "P50": one["fill_us"]["p50"],
            "P99": one["fill_us"]["p99"],
            f"window of {_WINDOW}": some["rate"],
            "memory": stack.gateway_memory_mb(),
        }
    return Sample(figures, {"orders": one["sent"] + some["sent"]})


def _check_environment(pid: int, wanted: Mapping[str, str]) -> None:
    """Refuse to measure a process that has not what it is measured with."""
    found = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    for name, value in wanted.items():
        if f"{name}={value}".encode() not in found:
            message = f"the gateway runs without {name}={value}: no figure is printed"
            raise BenchError(message)


def _check_scheduled(pid: int) -> None:
    if os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK != os.SCHED_FIFO:
        message = "the watchdog ended SCHED_FIFO before the load did: no figure is printed"
        raise BenchError(message)


def _run_works(works: Sequence[str], setting: Setting) -> Sample:
    """Do research in fresh processes, one for each work."""
    figures: Figures = {}
    answer: dict[str, Any] = {}
    for work in works:
        command = [sys.executable, "-m", "neural_trader.bench.tuning_work", work]
        done = subprocess.run(
            [*command, str(setting.workers)],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"} | setting.env,
        )
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            message = f"the work {work} failed: {said}"
            raise BenchError(message)
        found = json.loads(done.stdout)
        figures |= found["figures"]
        answer |= found["answer"]
    return Sample(figures, answer)


def check_answers(case: TuningCase, taken: Mapping[str, Sequence[Sample]]) -> None:
    """Hold the answers of all settings to each other.

    Raises
    ------
    BenchError
        Two of them differ: then no time counts.
    """
    found = [(name, sample.answer) for name, samples in taken.items() for sample in samples]
    for name, answer in found[1:]:
        first_name, first = found[0]
        for what in first.keys() | answer.keys():
            if not _agree(first.get(what), answer.get(what)):
                message = (
                    f"{case.name}: {what} with {name!r} is not that with {first_name!r}: no figure "
                    "is printed"
                )
                raise BenchError(message)


def _agree(one: object, other: object) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_agree, one, other))
    if isinstance(one, int) and isinstance(other, int):
        return one == other
    return (
        isinstance(one, int | float)
        and isinstance(other, int | float)
        and math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    )


def rows_of(
    case: TuningCase, setting: Setting, pairs: Sequence[tuple[Sample, Sample]], reason: str | None
) -> list[Row]:
    """Return a row for each quantity of a setting, or the one that says why there is none.

    Parameters
    ----------
    case, setting : TuningCase, Setting
    pairs : sequence of (Sample, Sample)
        Of each round, what the first setting of the case found, and what this one did.
    reason : str or None
        Why there are no pairs.
    """
    params = {
        "work": case.words,
        "base": case.settings[0].name,
        "setting": setting.name,
        "by": setting.by,
    }
    if not pairs:
        nothing = params | {"quantity": "all", "verdict": None}
        return [Row(case=case.name, params=nothing, value=None, unit="", reason=reason)]
    return [
        _row(case.name, params, quantity, [(one.figures, two.figures) for one, two in pairs])
        for quantity in pairs[0][0].figures
    ]


def _row(
    case: str, params: dict[str, Any], quantity: str, pairs: Sequence[tuple[Figures, Figures]]
) -> Row:
    unit = unit_of(quantity)
    before = [one[quantity] for one, _ in pairs]
    after = [two[quantity] for _, two in pairs]
    gains = [
        two / one if unit == "orders/s" else one / two
        for one, two in zip(before, after, strict=True)
    ]
    gain, (low, high) = statistics.median(gains), median_interval(gains)
    return Row(
        case=case,
        params=params
        | {
            "quantity": quantity,
            "gain_low": None if math.isnan(low) else low,
            "gain_high": None if math.isnan(high) else high,
            "verdict": verdict_of(gain, low, high, len(gains)),
        },
        value=statistics.median(after),
        unit=unit,
        low=min(after),
        high=max(after),
        baseline=statistics.median(before),
        ratio=gain,
        checked=True,
        samples=after,
    )


def unit_of(quantity: str) -> str:
    """Return the unit of a quantity, by what it is called."""
    if quantity.startswith("window"):
        return "orders/s"
    if quantity.endswith(("peak", "memory")):
        return "MB"
    return "us" if quantity in ("P50", "P99") else "ms"


def verdict_of(gain: float, low: float, high: float, rounds: int) -> str:
    """Return what becomes of a setting, given the gain and its interval.

    Returns
    -------
    {"kept", "dropped", "undecided"}
        Kept where the whole interval is above 1 and the gain is ``GAIN_MIN`` at least; undecided
        with fewer than ``ROUNDS_MIN`` rounds, of which nothing can be said.
    """
    if rounds < ROUNDS_MIN or math.isnan(low) or math.isnan(high):
        return "undecided"
    return "kept" if low > 1.0 and gain >= GAIN_MIN else "dropped"
