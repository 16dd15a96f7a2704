"""The orders bench: from submission to decoded fill, through three processes and a journal.

Lost, doubled and rejected orders come first: where there is one, no time is printed. Beside every
time stands the floor of the same minutes, a C program that only sends and writes.
"""

import os
import statistics
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from neural_trader.bench.limits import build_orders_floor
from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.orders_stack import Stack, on_cores, placements
from neural_trader.bench.rows import Report, Row
from neural_trader.core import BenchError, ConfigError
from neural_trader.core.version import VERSION

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

DURABILITIES: Final = ("process-safe", "power-safe")
_QUANTILES: Final = ("p50", "p90", "p95", "p99", "p99.9", "max")
_FLOOR_ROUNDS: Final = {"process-safe": 20_000, "power-safe": 2_000}
_FLOOR_JOURNAL: Final = {"process-safe": "write", "power-safe": "fdatasync"}
_MEMORY_ORDERS: Final = 1_000_000
_MEMORY_ONLY: Final = "memory"


class OrdersCase(NamedTuple):
    """A load: so many on their way, or so many a second; where the processes may run.

    ``targets`` are what the project has set itself on a quiet machine, by durability: microseconds
    by quantile, orders a second, or MB. ``claims`` are the performance page's.
    """

    name: str
    words: str
    places: tuple[str, ...]
    window: int = 0
    rate: float = 0.0
    targets: dict[str, dict[str, float]] = {}  # noqa: RUF012 - a tuple's default, never changed
    claims: dict[str, float] = {}  # noqa: RUF012 - as above


def _both(process: dict[str, float], power: dict[str, float]) -> dict[str, dict[str, float]]:
    return dict(zip(DURABILITIES, (process, power), strict=True))


_SLOW: Final = {"p50": 200.0, "p99": 500.0}
_BEST: Final = ("one core", "unpinned", "gateway apart")
CASES: Final = (
    OrdersCase(
        "closed",
        "one at a time, one core",
        ("one core",),
        window=1,
        targets=_both(
            {"p50": 40, "p99": 100, "p99.9": 500}, {"p50": 400, "p99": 1_000, "p99.9": 3_000}
        ),
        claims={"p50": 700, "p99": 3_200, "p99.9": 8_500},
    ),
    OrdersCase(
        "closed_cores",
        "one at a time, unpinned",
        ("unpinned",),
        window=1,
        targets=_both({"p50": 130, "p99": 300}, {"p50": 450, "p99": 1_200}),
    ),
    *(
        OrdersCase(
            f"open_{rate}",
            f"{rate:,} a second, as due",
            ("unpinned",),
            rate=rate,
            targets=_both(_SLOW, power),
            claims={"p50": claim[0], "p99": claim[1]},
        )
        for rate, power, claim in (
            (100, {"p50": 500.0, "p99": 2_600.0}, (700, 1_800)),
            (500, {"p50": 500.0, "p99": 2_600.0}, (900, 2_400)),
            (1_000, {"p50": 500.0, "p99": 2_600.0}, (1_200, 3_800)),
            (5_000, {"p50": 1_000.0, "p99": 3_000.0}, (2_800, 12_500)),
        )
    ),
    *(
        OrdersCase(
            f"window_{window}",
            f"{window} on their way",
            _BEST,
            window=window,
            targets=_both({"rate": process}, {"rate": power}),
            claims={} if claim is None else {"rate": claim},
        )
        for window, process, power, claim in (
            (1, 22_000, 2_600, 1_250),
            (4, 55_000, 9_000, 4_800),
            (8, 65_000, 17_000, 9_100),
            (64, 110_000, 60_000, None),
        )
    ),
    OrdersCase(
        _MEMORY_ONLY,
        "gateway after 1 M orders",
        ("unpinned",),
        window=64,
        targets=_both({"memory": 120}, {"memory": 120}),
        claims={"memory": 142},
    ),
)
ORDERS_NAMES: Final = tuple(case.name for case in CASES)


def choose_orders_cases(names: Sequence[str]) -> list[OrdersCase]:
    """Return the cases that are named, or all but the long one of memory; or raise ConfigError."""
    for name in names:
        if name not in ORDERS_NAMES:
            message = f"case is {name!r}; expected one of {', '.join(ORDERS_NAMES)}"
            raise ConfigError(message)
    return [case for case in CASES if case.name in names or not names]


def run_orders_suite(
    cases: Sequence[OrdersCase],
    *,
    durabilities: Sequence[str],
    rounds: int,
    folder: Path | None,
    step: Callable[[str], None],
) -> Report:
    """Measure cases and return the report.

    Parameters
    ----------
    cases : sequence of OrdersCase
    durabilities : sequence of {"process-safe", "power-safe"}
    rounds : int
        How often each load is run; processes are started anew for every durability and placement.
    folder : Path or None
        Where journals are written: the disk that is measured. None is the temporary folder.
    step : callable
        Told what begins.

    Raises
    ------
    BenchError
        An order was lost, doubled or rejected, or something could not be started.
    """
    machine = describe_machine()
    where = places_here()
    rows: list[Row] = []
    with TemporaryDirectory(prefix="neural-trader-orders-", dir=folder) as made:
        disk = Path(made)
        for durability in durabilities:
            for place in ("one core", "unpinned", "gateway apart"):
                wanted = [case for case in cases if place in case.places]
                if wanted and place in where:
                    step(f"{durability}, {place}: floor")
                    floor = measure_floor(disk, durability, place)
                    rows += _run_cases(wanted, durability, place, floor, rounds, disk, step)
        filesystem = _filesystem(disk)
    provenance = {
        "version": VERSION,
        "commit": describe_commit(Path(__file__).resolve().parents[3]),
        "config": {"rounds": rounds, "durabilities": list(durabilities)},
        "filesystem": filesystem,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Report(machine=machine, provenance=provenance, rows=_best_places(rows))


def places_here() -> frozenset[str]:
    """Return the names of the placements that this machine has cores for."""
    return frozenset(placements())


def measure_floor(
    folder: Path, durability: str, place: str, share: float = 1.0
) -> dict[str, float]:
    """Return quantiles of the floor in microseconds, or nothing without a C compiler.

    Parameters
    ----------
    folder : Path
        Where the program is compiled and writes.
    durability : {"process-safe", "power-safe"}
    place : str
        The name of a placement.
    share : float
        How much of its rounds are run, at most 1.

    Raises
    ------
    BenchError
        The program failed.
    """
    try:
        program = build_orders_floor(folder)
    except BenchError:
        return {}
    rounds = str(int(_FLOOR_ROUNDS[durability] * share))
    journal = folder / "floor.journal"
    with on_cores(placements()[place].gateway if place == "one core" else frozenset()):
        done = subprocess.run(
            [str(program), rounds, _FLOOR_JOURNAL[durability], str(journal)],
            capture_output=True,
            text=True,
            check=False,
        )
    journal.unlink(missing_ok=True)
    if done.returncode:
        message = f"the floor program failed: {done.stderr.strip()}"
        raise BenchError(message)
    values = [int(line) / 1e3 for line in done.stdout.split()]
    return dict(zip(("p50", "p99", "p99.9"), values, strict=True))


def _run_cases(  # noqa: PLR0917 - what one stack is measured with
    cases: list[OrdersCase],
    durability: str,
    place: str,
    floor: dict[str, float],
    rounds: int,
    folder: Path,
    step: Callable[[str], None],
) -> list[Row]:
    """Start a stack, run its loads, and return their rows."""
    rows = []
    placement = placements()[place]
    for case in cases:
        with (
            TemporaryDirectory(dir=folder) as made,
            Stack(durability, placement, Path(made)) as stack,
        ):
            step(f"{durability}, {place}: {case.words}")
            if case.name == _MEMORY_ONLY:
                rows.append(_memory_row(case, stack))
                continue
            found = [
                stack.load(_orders(case, durability), window=case.window, rate=case.rate)
                for _ in range(rounds)
            ]
        rows += _rows(case, stack, floor, found)
    return rows


def _orders(case: OrdersCase, durability: str) -> int:
    """Return how many orders make a round: some seconds' worth."""
    if case.rate:
        return int(min(3 * case.rate, 15_000)) or 300
    return (20_000 if durability == "process-safe" else 4_000) * (2 if case.window > 8 else 1)


def _rows(
    case: OrdersCase, stack: Stack, floor: dict[str, float], found: list[dict[str, Any]]
) -> list[Row]:
    targets = case.targets.get(stack.durability, {})
    params = {
        "durability": stack.durability,
        "placement": stack.placement.name,
        "work": case.words,
        "orders": found[0]["sent"],
        "lost": 0,
        "doubled": 0,
        "rejected": 0,
    }
    rows = []
    if case.window and "rate" in targets:
        rates = [one["rate"] for one in found]
        extra = {"quantity": "throughput", "target": targets["rate"]}
        rows.append(
            Row(
                case=case.name,
                params=params | extra,
                value=statistics.median(rates),
                unit="orders/s",
                low=min(rates),
                high=max(rates),
                samples=rates,
                claim=case.claims.get("rate"),
                checked=True,
            )
        )
    for what in ("ack", "fill"):
        for name in _QUANTILES:
            values = [one[f"{what}_us"][name] for one in found]
            is_bounded = what == "fill" and case.name.startswith(("closed", "open"))
            value, limit = statistics.median(values), floor.get(name)
            extra = {
                "quantity": f"{what} {name}",
                "target": targets.get(name) if is_bounded else None,
                "floor_ratio": round(value / limit, 2) if limit else None,
            }
            rows.append(
                Row(
                    case=case.name,
                    params=params | extra,
                    value=value,
                    unit="us",
                    low=min(values),
                    high=max(values),
                    samples=values,
                    claim=case.claims.get(name) if is_bounded else None,
                    limit=limit,
                    checked=True,
                    reason=None if floor else "no C compiler for the floor",
                )
            )
    return rows


def _memory_row(case: OrdersCase, stack: Stack) -> Row:
    """Run a million orders and return what the gateway holds then; halfway too, for the slope."""
    memory = []
    for _ in range(2):
        stack.load(_MEMORY_ORDERS // 2, window=case.window)
        memory.append(stack.gateway_memory_mb())
    return Row(
        case=case.name,
        params={
            "quantity": "memory",
            "durability": stack.durability,
            "placement": stack.placement.name,
            "work": case.words,
            "target": case.targets[stack.durability]["memory"],
            "after_half_mb": memory[0],
        },
        value=memory[1],
        unit="MB",
        claim=case.claims["memory"],
        checked=True,
    )


def _best_places(rows: list[Row]) -> list[Row]:
    """Keep of every throughput the placement that gives the highest."""
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.params["quantity"] == "throughput":
            key = row.case, str(row.params["durability"])
            if key not in best or (row.value or 0.0) > (best[key].value or 0.0):
                best[key] = row
    return [
        row
        for row in rows
        if (row.case, str(row.params["durability"])) not in best
        or row.params["placement"]
        == best[row.case, str(row.params["durability"])].params["placement"]
    ]


def _filesystem(folder: Path) -> str:
    """Return the kind of filesystem that a folder lies on, as far as the system tells."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "unknown"
    place = os.path.realpath(folder)
    found = ("", "unknown")
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        _, mount, kind = line.split()[:3]
        if (place == mount or place.startswith(mount.rstrip("/") + "/")) and len(mount) > len(
            found[0]
        ):
            found = mount, kind
    return found[1]


def print_orders_report(report: Report, console: "Console | None" = None) -> None:
    """Print a report: a line for every load, with its floor, target and claim."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    provenance = report.provenance
    notes = f"journal on {provenance['filesystem']}", "lost 0, doubled 0, rejected 0"
    console.print(report.head(*notes), style="dim")
    for durability in provenance["config"]["durabilities"]:
        found: dict[str, dict[str, Row]] = {}
        for row in report.rows:
            if row.params["durability"] == durability:
                found.setdefault(row.case, {})[str(row.params["quantity"])] = row
        times = Table(title=durability, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
        times.add_column("case", no_wrap=True)
        for name in (*(name.upper() for name in _QUANTILES), "floor", "ratio"):
            times.add_column(name, justify="right", no_wrap=True)
        rates = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
        for name in ("case", "best on", "measured", "target", "claim"):
            rates.add_column(name, justify="left" if name in ("case", "best on") else "right")
        for case in CASES:
            rows = found.get(case.name, {})
            if "fill p50" in rows and not case.name.startswith("window"):
                _add_times(times, case, rows, durability)
            for name in ("throughput", "memory"):
                if name in rows and not case.name.startswith("closed"):
                    rates.add_row(*_rate_cells(rows[name]))
        for table in (times, rates):
            if table.row_count:
                console.print(table)
    console.print(
        "microseconds from submission (open loop: from the time due) to the decoded fill, median "
        "of the rounds; floor: the P50 of a C program that sends the same way and writes twice, "
        "in the same minutes, one at a time; ratio: our P50 over it; claim: of the performance "
        "page, for its Rust implementation.",
        style="dim",
    )


def _add_times(table: "Table", case: OrdersCase, rows: dict[str, Row], durability: str) -> None:
    """Add what was measured, and below it the target and the claim."""
    median = rows["fill p50"]
    floor = "" if median.limit is None else f"{median.limit:,.0f}"
    ratio = "" if median.limit is None else f"{median.params['floor_ratio']:.1f}"
    values = (f"{rows[f'fill {name}'].value:,.0f}" for name in _QUANTILES)
    table.add_row(case.name, *values, floor, ratio)
    for word, given in (("target", case.targets[durability]), ("claim", case.claims)):
        if any(name in given for name in _QUANTILES):
            cells = (f"{given[name]:,.0f}" if name in given else "" for name in _QUANTILES)
            table.add_row(f"  {word}", *cells, style="dim")


def _rate_cells(row: Row) -> list[str]:
    claim = "" if row.claim is None else f"{row.claim:,.0f} {row.unit}"
    half = f" ({row.params['after_half_mb']:.0f} half way)" if row.unit == "MB" else ""
    return [
        row.case,
        str(row.params["placement"]),
        f"{row.value:,.0f} {row.unit}{half}",
        f"{row.params['target']:,.0f} {row.unit}",
        claim,
    ]
