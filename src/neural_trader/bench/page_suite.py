"""The whole performance page, measured: every part round by round, then row by row.

A round runs each part once, in fresh processes, and each baseline program beside it; a row has the
value of every round, so that its interval also holds what differs from minute to minute.
"""

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import neural_trader as nt
from neural_trader.bench.cases import DATA
from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.page import PAGE, SECTIONS, PageRow, Source
from neural_trader.bench.page_baseline import ask_program, figure_of, has_program
from neural_trader.bench.page_jobs import JOBS, Missing, Round
from neural_trader.bench.page_orders import STEADY
from neural_trader.bench.rows import Report, Row
from neural_trader.core import BenchError, ConfigError
from neural_trader.core.version import VERSION

SECTION_NAMES: Final = tuple(section.name for section in SECTIONS)
QUICK_ROUNDS: Final = 2
FULL_ROUNDS: Final = 7
# What hardly varies from round to round, or describes the machine, is measured once in a quick run.
_ONCE: Final = frozenset({"trades", "data", "components", "held", "techniques", "cost"})
# What one unit of a suite is in the unit of a page's row.
_FACTORS: Final = {
    ("us", "ms"): 1e-3,
    ("ns", "ms"): 1e-6,
    ("s", "ms"): 1e3,
    ("kB", "MB"): 1e-3,
}
_PLAIN: Final = {
    "backtest": "the plain-Python reference",
    "trades": "the plain-Python reference",
    "signals": "the plain-Python reference",
    "portfolio": "NumPy",
    "held": "NumPy",
    "risk": "scipy",
    "neural": "NumPy, on the same weights",
    "data": "pandas",
}


# A program by its name and arguments.
Asked = tuple[str, str]


class Taken:
    """What the rounds have found so far: rows of the parts, figures of the baseline programs."""

    def __init__(self) -> None:
        self.rounds: list[dict[str, list[Row]]] = []
        self.programs: list[dict[Asked, dict[str, float]]] = []
        self.missing: dict[str, str] = {}
        self.no_program: dict[Asked, str] = {}


def choose_page(sections: Sequence[str]) -> list[PageRow]:
    """Return the rows of the sections that are named, or of all.

    Raises
    ------
    ConfigError
        The page has no such section.
    """
    for name in sections:
        if name not in SECTION_NAMES:
            message = f"section is {name!r}; expected one of {', '.join(SECTION_NAMES)}"
            raise ConfigError(message)
    return [row for row in PAGE if not sections or row.section in sections]


def page_steps_of(rows: Sequence[PageRow], *, rounds: int, is_full: bool) -> int:
    """Return how many parts all rounds have, baseline programs among them, for a progress bar."""
    return sum(
        len(_cases_of(rows, is_whole=is_full or k == 0))
        + len(_programs_of(rows, is_full=is_full, is_first=k == 0))
        for k in range(rounds)
    )


def run_page(
    sections: Sequence[str],
    *,
    rounds: int,
    is_full: bool = False,
    step: Callable[[str], None],
    done: Callable[[], None] = lambda: None,
) -> tuple[Report, bool]:
    """Measure the page, or some sections of it, and return the report, and if it was interrupted.

    Parameters
    ----------
    sections : sequence of str
        From ``SECTION_NAMES``; none means all.
    rounds : int
        How often everything is measured.
    is_full : bool
        Send all the orders of a load, on all placements, and measure everything in every round. A
        quick run sends some, measures once what hardly varies, and asks baseline programs, once,
        only where a suite has nothing beside ours.
    step : callable
        Told the name of each step as it begins.
    done : callable
        Called when a part is done.

    Raises
    ------
    ConfigError
        The page has no such section.
    BenchError
        An answer is wrong, or something could not be run: no figure is printed then.
    KeyboardInterrupt
        Interrupted before the first round was complete: there is nothing to report.
    """
    rows = choose_page(sections)
    machine = describe_machine()
    began = time.perf_counter()
    taken = Taken()
    interrupted = False
    with TemporaryDirectory(prefix="neural-trader-bench-") as folder:
        try:
            for _ in range(rounds):
                _measure_round(rows, taken, Round((), is_full, Path(folder), step), done)
        except KeyboardInterrupt:
            if not taken.rounds:
                raise
            interrupted = True
    config = {
        "rounds": len(taken.rounds),
        "mode": "full" if is_full else "quick",
        "sections": list(sections) or list(SECTION_NAMES),
    }
    provenance = {
        "version": VERSION,
        "commit": describe_commit(Path(__file__).resolve().parents[3]),
        "config": config,
        "data_name": DATA,
        "data_hash": nt.load(DATA).data_hash,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - began, 1),
        "load_after": describe_machine()["load_1min"],
        "packages": {name: version(name) for name in ("numpy", "polars", "msgspec", "click")},
        "python": platform.python_version(),
    }
    found = [_row(row, taken, machine) for row in rows]
    return Report(machine=machine, provenance=provenance, rows=found), interrupted


def _cases_of(rows: Sequence[PageRow], *, is_whole: bool = True) -> dict[str, list[str]]:
    """Return the parts that rows need, in the order of ``JOBS``, and the cases of each."""
    wanted: dict[str, dict[str, None]] = {}
    for row in rows:
        if isinstance(row.source, Source):
            wanted.setdefault(row.source.job, {})[row.source.case] = None
            if row.source.case == "all":
                # Errors are counted over all orders of the run, and there must be some.
                wanted[row.source.job][STEADY] = None
    return {
        job: list(wanted[job]) for job in JOBS if job in wanted and (is_whole or job not in _ONCE)
    }


def _programs_of(rows: Sequence[PageRow], *, is_full: bool, is_first: bool) -> list[Asked]:
    """Return the programs of a round: in a quick run once those without which there is none."""
    asked = dict.fromkeys(
        (row.program.name, row.program.arguments)
        for row in rows
        if row.program and (is_full or not (row.program.is_slow or _has_own(row)))
    )
    return [one for one in asked if (is_full or is_first) and has_program(one[0])]


def _has_own(row: PageRow) -> bool:
    """Return whether the suite of a row's time has a baseline beside it."""
    return isinstance(row.source, Source) and row.source.job in _PLAIN


def _measure_round(
    rows: Sequence[PageRow], taken: Taken, now: Round, done: Callable[[], None]
) -> None:
    """Run every part and every baseline program once; a round counts only when it is complete."""
    is_whole = now.is_full or not taken.rounds
    found: dict[str, list[Row]] = {}
    for job, cases in _cases_of(rows, is_whole=is_whole).items():
        if job not in taken.missing:
            try:
                found[job] = JOBS[job](now._replace(cases=cases))
            except Missing as error:
                taken.missing[job] = str(error)
        done()
    programs: dict[Asked, dict[str, float]] = {}
    for asked in _programs_of(rows, is_full=now.is_full, is_first=not taken.rounds):
        if asked not in taken.no_program:
            now.step(f"baseline: {asked[0]}")
            figures = ask_program(*asked)
            if isinstance(figures, str):
                taken.no_program[asked] = figures
            else:
                programs[asked] = figures
        done()
    taken.rounds.append(found)
    taken.programs.append(programs)


def _row(row: PageRow, taken: Taken, machine: dict[str, Any]) -> Row:
    """Return a row of the page from what the rounds have found."""
    section = next(one for one in SECTIONS if one.name == row.section)
    params: dict[str, Any] = {
        "row": row.id,
        "quantity": row.words,
        "better": row.better,
        "claim_python": row.python,
        "command": section.command,
        "note": row.note or None,
    }
    blank = Row(case=row.section, params=params, value=None, unit=row.unit, claim=row.rust)
    if isinstance(row.source, str):
        return _changed(blank, reason=row.source)
    if row.source.job in taken.missing:
        return _changed(blank, reason=taken.missing[row.source.job])
    picked = _pick(row, row.source, taken)
    first = picked[0] if picked else None
    values = _values(row, row.source, picked)
    if not values:
        reason = first.reason if first is not None else _reason_of(row.source, taken)
        return _changed(blank, reason=reason)
    base, who = _baseline(row, row.source, taken, picked)
    if len(base) != len(values):
        # What was measured once stands beside every round.
        base = [statistics.median(base)] * len(values) if base else []
    limits = [_scaled(one.limit, one.unit, row.unit) for one in picked if one.limit is not None]
    ratios = [_times(value, other, row.better) for value, other in zip(values, base, strict=False)]
    if row.source.is_ratio:
        limits = []
    return _changed(
        blank,
        params=params | {"baseline": who, "work": _work(row, picked, machine)},
        value=statistics.median(values),
        low=min(values),
        high=max(values),
        samples=values,
        baseline=statistics.median(base) if base else None,
        ratio=statistics.median(ratios) if ratios and row.better != "equal" else None,
        limit=statistics.median(limits) if limits else None,
        checked=all(one.checked for one in picked),
        reason=None,
    )


def _reason_of(source: Source, taken: Taken) -> str:
    """Return why a case has no such figure: what another row of it says."""
    said = [
        one.reason
        for found in taken.rounds
        for one in found.get(source.job, [])
        if one.case == source.case and one.value is None and one.reason
    ]
    return said[0] if said else "the part that measures it gave no such figure"


def _values(row: PageRow, source: Source, picked: list[Row]) -> list[float]:
    """Return the value of each round in the unit of the page's row."""
    if source.is_ratio:
        return [one.ratio for one in picked if one.ratio is not None]
    return [_scaled(one.value, one.unit, row.unit) for one in picked if one.value is not None]


def _pick(row: PageRow, source: Source, taken: Taken) -> list[Row]:
    """Return the row of each round that a source means; of several placements the best one's."""
    by_place: dict[Any, list[Row]] = {}
    for found in taken.rounds:
        for one in found.get(source.job, []):
            if one.case == source.case and source.match.items() <= one.params.items():
                by_place.setdefault(one.params.get("placement"), []).append(one)
    if not by_place:
        return []

    def median(rows: list[Row]) -> float:
        return statistics.median([one.value for one in rows if one.value is not None] or [0.0])

    best = max if row.better == "higher" else min
    return best(by_place.values(), key=median)


def _baseline(
    row: PageRow, source: Source, taken: Taken, picked: list[Row]
) -> tuple[list[float], str | None]:
    """Return the baseline of each round, and who made it: its program, or the suite's own."""
    if source.is_ratio:
        return [], None
    if row.program is not None:
        asked = row.program.name, row.program.arguments
        found = [
            figure_of(programs[asked], row.program.figure)
            for programs in taken.programs
            if asked in programs
        ]
        values = [_scaled(one[0], one[1], row.unit) for one in found if one is not None]
        if values:
            return values, f"baseline/{row.program.name}.py"
    if source.beside is not None:
        beside = [
            one
            for found_rows in taken.rounds
            for one in found_rows.get(source.job, [])
            if one.case == source.case and source.beside.items() <= one.params.items()
        ]
        values = [_scaled(one.value, one.unit, row.unit) for one in beside if one.value is not None]
    else:
        values = [
            _scaled(one.baseline, one.unit, row.unit) for one in picked if one.baseline is not None
        ]
    return values, _PLAIN.get(source.job) if values else None


def _scaled(value: float, unit: str, wanted: str) -> float:
    """Return a value in the unit of the page's row.

    Raises
    ------
    BenchError
        The one cannot be turned into the other.
    """
    if unit == wanted or not wanted:
        return float(value)
    factor = _FACTORS.get((unit, wanted))
    if factor is None:
        message = f"a figure is in {unit!r}, the page's row in {wanted!r}: no figure is printed"
        raise BenchError(message)
    return value * factor


def _times(value: float, other: float, better: str) -> float:
    """Return how many times better a value is than another."""
    low, high = (other, value) if better == "higher" else (value, other)
    return high / low if low else float("inf")


def _work(row: PageRow, picked: list[Row], machine: dict[str, Any]) -> str | None:
    """Return what a reader has to know of this run: orders, placement, cores."""
    said = []
    orders = [one.params["orders"] for one in picked if "orders" in one.params]
    if orders and row.id == "production.errors":
        return f"0 of {sum(orders):,} orders"
    if orders:
        said.append(f"{orders[0]:,} orders a round")
    if picked[0].params.get("placement"):
        said.append(str(picked[0].params["placement"]))
    if row.section == "cost" and picked[0].params.get("name"):
        said.append(str(picked[0].params["name"]))
    if "in_product" in picked[0].params:
        said.append("in the product" if picked[0].params["in_product"] else "not in the product")
    if row.section == "scaling":
        count = int(row.id.partition(".")[2].partition("_")[0])
        if count > machine["cores"]:
            said.append(f"beyond the {machine['cores']} cores of this machine")
    return ", ".join(said) or None


def _changed(row: Row, **changes: Any) -> Row:  # noqa: ANN401 - the row checks them
    from msgspec.structs import replace

    return replace(row, **changes)
