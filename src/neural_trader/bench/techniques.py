"""Techniques as A/B: the same work with one and without it, in fresh processes, answers first.

A technique that does not help says so, and is not in the product.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from neural_trader.bench.data_measure import MADE, wait_until_old, write_rows
from neural_trader.bench.fresh import run_fresh
from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.rows import Report, Row
from neural_trader.bench.runner import OURS
from neural_trader.core import BenchError, ConfigError
from neural_trader.core.version import VERSION

if TYPE_CHECKING:
    from rich.console import Console

_WORK: Final = "neural_trader.bench.techniques_work"
_ROWS: Final = 1_000_000
_CLEAR: Final = 0.05
"""By so much every round must be better before a technique is said to help."""

Found = dict[str, Any]
Pair = tuple[Found, Found]


class Technique(NamedTuple):
    """A technique: what is done with it and without it.

    Parameters
    ----------
    name, has, lacks : str
        What it is called; what is done with it, and without it.
    is_used : bool
        Whether the product has it.
    claims : dict
        The performance page's figure, by quantity: times less, or % fewer.
    tolerance : float
        How far, relatively, the two answers may be apart.
    reads_file : bool
        Whether a file of a million rows must be written first.
    """

    name: str
    has: str
    lacks: str
    is_used: bool = True
    claims: dict[str, tuple[float, str]] = {}  # noqa: RUF012 - a tuple's default, never changed
    tolerance: float = 0.0
    reads_file: bool = False


TECHNIQUES: Final = (
    Technique(
        "zero_copy",
        "two workers map the columns of 1,000,000 bars",
        "the columns are pickled and sent to both",
        reads_file=True,
    ),
    Technique(
        "concurrent_fetch",
        "100 symbols over 32 connections, 20 ms a request",
        "one after the other over one connection",
        claims={"100 symbols": (10.0, "x")},
    ),
    Technique(
        "compiled",
        "the kernel of SMA(20) on 8,313 closes",
        "a plain loop with a running sum",
        tolerance=1e-9,
    ),
    Technique(
        "vectors",
        "50 stocks and 100 options in 10,000 scenarios by AVX2 (SIMD)",
        "the same kernel built for every processor",
    ),
    Technique(
        "column_cache",
        "1,000,000 bars mapped from the column cache",
        "the same Parquet file read and checked",
        reads_file=True,
    ),
    Technique(
        "function_cache",
        "a user's loop through IndicatorCache, 90 % hits",
        "computed at every request",
        claims={"100 requests, 90 of them hits": (10.0, "x")},
    ),
    Technique(
        "indicator_cache",
        "SMA, compiled, through IndicatorCache, 90 % hits",
        "computed at every request",
        claims={"100 requests, 90 of them hits": (10.0, "x")},
    ),
    Technique(
        "pooling",
        "the core of the gateway takes order objects from a pool",
        "it makes one for every order",
        is_used=False,
        claims={"order objects for 40,000 orders": (95.0, "%")},
    ),
)
TECHNIQUE_NAMES: Final = tuple(one.name for one in TECHNIQUES)


def choose_techniques(names: Sequence[str]) -> list[Technique]:
    """Return the techniques that are named, or all, or raise ConfigError."""
    for name in names:
        if name not in TECHNIQUE_NAMES:
            message = f"case is {name!r}; expected one of {', '.join(TECHNIQUE_NAMES)}"
            raise ConfigError(message)
    return [one for one in TECHNIQUES if not names or one.name in names]


def run_techniques_suite(
    techniques: Sequence[Technique], *, rounds: int, step: Callable[[str], None]
) -> Report:
    """Measure techniques and return the report.

    Parameters
    ----------
    techniques : sequence of Technique
    rounds : int
        How often each is measured with and without, in turn, each in a fresh process; every other
        round begins without.
    step : callable
        Told the name of each step as it begins.

    Raises
    ------
    BenchError
        The two answers differ, or a process failed.

    Missing
    -------
    What this machine cannot do has a row without a value, with the reason.
    """
    machine = describe_machine()
    taken: dict[str, list[Pair]] = {one.name: [] for one in techniques}
    reasons: dict[str, str] = {}
    with TemporaryDirectory(prefix="neural-trader-techniques-") as made:
        folder = Path(made)
        if any(one.reads_file for one in techniques):
            step("a file to read")
            write_rows(folder, _ROWS)
        for number in range(rounds):
            # Those that read the file come last: it has to be old by then.
            for one in sorted(techniques, key=lambda each: each.reads_file):
                if one.name in reasons:
                    continue
                if one.reads_file:
                    wait_until_old(folder / MADE)
                found = _measure_pair(one, folder, is_turned=number % 2 == 1, step=step)
                if isinstance(found, str):
                    reasons[one.name] = found
                else:
                    taken[one.name].append(found)
    provenance = {
        "version": VERSION,
        "commit": describe_commit(Path(__file__).resolve().parents[3]),
        "config": {"rounds": rounds},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    rows = [
        row
        for one in techniques
        for row in technique_rows(one, taken[one.name], reasons.get(one.name))
    ]
    return Report(machine=machine, provenance=provenance, rows=rows)


def _measure_pair(
    one: Technique, folder: Path, *, is_turned: bool, step: Callable[[str], None]
) -> Pair | str:
    """Return what was found with and without, or why it cannot be measured here."""
    found: dict[str, Found] = {}
    for variant in ("without", "with") if is_turned else ("with", "without"):
        step(f"{one.name}, {variant}")
        found[variant] = run_fresh(_WORK, one.name, variant, str(folder))
        if found[variant].get("reason"):
            return str(found[variant]["reason"])
    difference = find_difference(found["with"]["answer"], found["without"]["answer"], one.tolerance)
    if difference is not None:
        message = f"{one.name}: with and without it the answers differ: {difference}"
        raise BenchError(message)
    return found["with"], found["without"]


def find_difference(
    mine: dict[str, list[float]], other: dict[str, list[float]], tolerance: float
) -> str | None:
    """Return in words where two answers differ, or None where they do not; NaN is equal to NaN."""
    if mine.keys() != other.keys():
        return f"{sorted(mine)} and {sorted(other)}"
    for name, values in mine.items():
        if len(values) != len(other[name]):
            return f"{name} has {len(values)} and {len(other[name])} values"
        for place, (a, b) in enumerate(zip(values, other[name], strict=True)):
            same = a == b or (math.isnan(a) and math.isnan(b))
            if not same and not abs(a - b) <= tolerance * abs(b):
                return f"{name}[{place}] is {a!r} and {b!r}"
    return None


def technique_rows(one: Technique, taken: Sequence[Pair], reason: str | None) -> list[Row]:
    """Return the rows of a technique: each quantity with it and without, and the page's claims.

    ``value`` is with it, ``baseline`` without, ``ratio`` how many times less; a claim of times less
    or % fewer has a row of its own in that unit.
    """
    words = {"engine": OURS, "with": one.has, "without": one.lacks, "in_product": one.is_used}
    if not taken:
        params = {"quantity": "time", "verdict": "not measured"} | words
        return [Row(case=one.name, params=params, value=None, unit="ms", reason=reason)]
    rows = []
    for quantity, unit in _quantities(taken):
        pairs = [(_value(a, quantity), _value(b, quantity)) for a, b in taken]
        mine = [a for a, _ in pairs]
        ratios = [b / a for a, b in pairs if a > 0.0]
        # Fewer objects are not yet a help: that is what its time says.
        verdict = judge(ratios, len(pairs)) if unit else ""
        params = {"quantity": quantity, "verdict": verdict} | words
        if ratios:
            params |= {"ratio_low": min(ratios), "ratio_high": max(ratios)}
        rows.append(
            Row(
                case=one.name,
                params=params,
                value=statistics.median(mine),
                unit=unit,
                low=min(mine),
                high=max(mine),
                baseline=statistics.median(b for _, b in pairs),
                ratio=statistics.median(ratios) if ratios else None,
                checked=True,
                samples=mine,
            )
        )
        if quantity in one.claims:
            rows.append(_claim_row(one, params, pairs))
    return rows


def _claim_row(one: Technique, params: dict[str, Any], pairs: list[tuple[float, float]]) -> Row:
    claim, unit = one.claims[params["quantity"]]
    if unit == "%":
        samples = [100.0 * (1.0 - a / b) for a, b in pairs]
        quantity = f"{params['quantity']}, fewer"
    else:
        samples = [b / a for a, b in pairs]
        quantity = f"{params['quantity']}, times less"
    return Row(
        case=one.name,
        params=params | {"quantity": quantity},
        value=statistics.median(samples),
        unit=unit,
        low=min(samples),
        high=max(samples),
        claim=claim,
        checked=True,
        samples=samples,
    )


def _quantities(taken: Sequence[Pair]) -> list[tuple[str, str]]:
    """Return quantity and unit of the figures that were measured every time, with and without."""
    known = [
        {figure["quantity"] for figure in found["figures"] if figure["value"] is not None}
        for pair in taken
        for found in pair
    ]
    shared = set.intersection(*known)
    figures = taken[0][0]["figures"]
    return [(each["quantity"], each["unit"]) for each in figures if each["quantity"] in shared]


def _value(found: Found, quantity: str) -> float:
    return next(float(x["value"]) for x in found["figures"] if x["quantity"] == quantity)


def judge(ratios: Sequence[float], rounds: int) -> str:
    """Say whether a quantity is less with a technique: only where every round says the same.

    Returns
    -------
    {"helps", "costs", "no difference", "too few rounds"}
    """
    if rounds < 2 or len(ratios) < rounds:
        return "too few rounds"
    if min(ratios) > 1.0 + _CLEAR:
        return "helps"
    if max(ratios) < 1.0 / (1.0 + _CLEAR):
        return "costs"
    return "no difference"


def print_techniques_report(report: Report, console: "Console | None" = None) -> None:
    """Print each technique with and without, their ratio, the verdict and whether it is used."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    console.print(report.head(), style="dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for name in ("technique", "quantity"):
        table.add_column(name)
    for name in ("without", "with", "ratio", "claim", "verdict"):
        table.add_column(name, justify="right")
    for row in report.rows:
        if row.value is None:
            table.add_row(row.case, row.reason, "", "", "", "", row.params["verdict"])
            continue
        claim = _shown(row.claim, row.unit)
        if row.claim is not None:
            mine = _shown(row.value, row.unit)
            table.add_row(row.case, row.params["quantity"], "", mine, "", claim, "")
            continue
        table.add_row(
            row.case,
            row.params["quantity"],
            _shown(row.baseline, row.unit),
            _shown(row.value, row.unit),
            _times(row),
            "",
            row.params["verdict"],
        )
    console.print(table)
    said = {row.case: row.params for row in report.rows}
    for case, of in said.items():
        used = "in the product" if of["in_product"] else "not in the product"
        console.print(f"{case} ({used}): {of['with']}; without: {of['without']}", style="dim")
    console.print(
        "median of the rounds, each in fresh processes, answers checked to be equal first; ratio: "
        "times less with it, lowest - highest round. At 90 % hits a cache can at most make a total "
        "ten times less: then a hit costs nothing.",
        style="dim",
    )


def _times(row: Row) -> str:
    if row.ratio is None:
        return ""
    low, high = row.params["ratio_low"], row.params["ratio_high"]
    return f"{row.ratio:.3g}x ({low:.3g} - {high:.3g})"


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.4g} {unit}".rstrip()
