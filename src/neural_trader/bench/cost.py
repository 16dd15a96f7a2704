"""What the system needs, measured, and the cheapest machine that has it.

A gateway takes the page's day of orders at the page's highest rate, and orders apart from one
another; a backtest and a forecast run in fresh processes beside. What they need, times a headroom,
is looked up in a table of prices.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import msgspec

from neural_trader.bench.fresh import run_fresh
from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.orders_stack import Stack, placements
from neural_trader.bench.prices import Need, Prices, choose_instance
from neural_trader.bench.rows import Report, Row
from neural_trader.bench.runner import OURS
from neural_trader.core import BenchError, DataError
from neural_trader.core.version import VERSION

if TYPE_CHECKING:
    from rich.console import Console

CASE: Final = "cost"
ORDERS_A_DAY: Final = 12_500
PEAK_RATE: Final = 5_000.0
CALM_RATE: Final = 250.0
_CALM_ORDERS: Final = 500
_WARMUP: Final = 500
_IDLE_S: Final = 1.0
_DAY_S: Final = 86_400.0
HEADROOM: Final = 2.0
"""How many times what was measured a machine must have, unless it is asked for otherwise."""
SYSTEM_MB: Final = 350.0
DAYS_KEPT: Final = 365
_PAGE: Final = ("c5.large", 62.0, "c5.4xlarge", 500.0)
"""The page's instance and its price a month; what it says Python needed."""

NEEDS: Final[dict[str, tuple[str, float | None]]] = {
    "cpu of an order": ("us", None),
    "cpu of an order at the peak": ("us", None),
    "cpu while idle": ("%", None),
    "memory of the gateway": ("MB", 142.0),
    "memory of a backtest": ("MB", 118.0),
    "memory of a model": ("MB", 85.0),
    "disk a day": ("MB", None),
}
"""What is measured: unit, and the page's figure."""


def measure_needs(
    *, rounds: int, step: Callable[[str], None], share: float = 1.0
) -> dict[str, list[float]]:
    """Return what each round measured, by quantity: those of ``NEEDS``.

    Parameters
    ----------
    rounds : int
        Each starts a venue, a gateway, a backtest and a forecast of its own.
    step : callable
        Told the name of each step as it begins.
    share : float
        How much of a day's orders is sent, above 0 and at most 1.

    Raises
    ------
    BenchError
        An order was lost, doubled or rejected, something did not start, or this system has no
        ``/proc`` to read CPU and memory of another process from.
    """
    if not Path("/proc/self/stat").exists():
        message = (
            "CPU and memory of the gateway are read from /proc, which this system does not have; "
            "give --input with a report of one that has"
        )
        raise BenchError(message)
    found: dict[str, list[float]] = {name: [] for name in NEEDS}
    for _ in range(rounds):
        step("gateway")
        measured = _measure_gateway(share)
        step("backtest")
        backtest = run_fresh("neural_trader.bench.child", "ours", "pairs_1y")
        measured["memory of a backtest"] = backtest["peak_rss_mb"]
        step("model")
        model = run_fresh("neural_trader.bench.baseline.ours", "forecast")
        measured["memory of a model"] = model["figures"]["peak_rss_mb"]
        for name, value in measured.items():
            found[name].append(value)
    return found


def _measure_gateway(share: float) -> dict[str, float]:
    """Run a day's orders at the peak's rate, and some that come one by one, through a gateway."""
    at_peak, at_calm = int(ORDERS_A_DAY * share), int(_CALM_ORDERS * share)
    with TemporaryDirectory(prefix="neural-trader-cost-") as made:
        with Stack("process-safe", placements()["unpinned"], Path(made)) as stack:
            began = stack.gateway_cpu_s()
            time.sleep(_IDLE_S)
            idle = (stack.gateway_cpu_s() - began) / _IDLE_S
            began = stack.gateway_cpu_s()
            stack.load(at_calm, rate=CALM_RATE, warmup=0)
            calm = (stack.gateway_cpu_s() - began) / at_calm
            began = stack.gateway_cpu_s()
            stack.load(at_peak - _WARMUP, rate=PEAK_RATE, warmup=_WARMUP)
            peak = (stack.gateway_cpu_s() - began) / at_peak
            memory = stack.gateway_memory_mb()
        # Room that was set aside is given back when the journal is closed.
        files = (Path(made) / "journal").glob("*")
        written = sum(path.stat().st_size for path in files)
        return {
            "cpu of an order": calm * 1e6,
            "cpu of an order at the peak": peak * 1e6,
            "cpu while idle": idle * 100.0,
            "memory of the gateway": memory,
            "disk a day": written / 1e6 * ORDERS_A_DAY / (at_peak + at_calm),
        }


def need_rows(needs: dict[str, list[float]]) -> list[Row]:
    """Return a row for each quantity that was measured."""
    return [
        Row(
            case=CASE,
            params={"quantity": name, "engine": OURS},
            value=statistics.median(needs[name]),
            unit=unit,
            low=min(needs[name]),
            high=max(needs[name]),
            claim=claim,
            checked=True,
            samples=needs[name],
        )
        for name, (unit, claim) in NEEDS.items()
    ]


def read_needs(path: Path) -> Report:
    """Read what an earlier run measured: a report of ``bench cost --json``, or one that holds it.

    Raises
    ------
    DataError
        There is no such file, it is no report, or quantities are missing from it.
    """
    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except OSError as error:
        message = f"cannot read the report {path}: {error.strerror}; give a file of --output"
        raise DataError(message) from None
    except (msgspec.DecodeError, ValueError) as error:
        message = f"{path} is no report: {error}; give a file of `bench cost --output`"
        raise DataError(message) from None
    rows = {row.params.get("quantity"): row for row in report.rows if row.case == CASE}
    for name, (unit, _) in NEEDS.items():
        row = rows.get(name)
        if row is None or row.value is None:
            message = (
                f"{path} has no figure of {name!r} in its rows of the case {CASE!r}; "
                "give a file of `bench cost --output`"
            )
            raise DataError(message)
        if row.unit != unit or not row.value >= 0.0:
            message = f"{path}: {name!r} is {row.value!r} {row.unit}; expected {unit}, 0 or more"
            raise DataError(message)
    return msgspec.structs.replace(report, rows=[rows[name] for name in NEEDS])


def run_cost(*, rounds: int, step: Callable[[str], None], share: float = 1.0) -> Report:
    """Measure what is needed, and return its report; ``price`` adds what it costs."""
    machine = describe_machine()
    rows = need_rows(measure_needs(rounds=rounds, step=step, share=share))
    provenance = {
        "version": VERSION,
        "commit": describe_commit(Path(__file__).resolve().parents[3]),
        "config": {"rounds": rounds, "share": share},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Report(machine=machine, provenance=provenance, rows=rows)


def price(report: Report, prices: Prices, headroom: float) -> Report:
    """Add to a report of needs what they come to, and the cheapest instance that has it.

    Parameters
    ----------
    report : Report
        Of ``run_cost`` or ``read_needs``.
    prices : Prices
    headroom : float
        How many times the need an instance must have, 1 or more. The disk is not multiplied.

    Missing
    -------
    Where no instance has what is needed its row has no value and says so.
    """
    value = {row.params["quantity"]: row.value or 0.0 for row in report.rows}
    day = ORDERS_A_DAY * value["cpu of an order"] / 1e6 / _DAY_S + value["cpu while idle"] / 100.0
    peak = PEAK_RATE * value["cpu of an order at the peak"] / 1e6
    memory = SYSTEM_MB + sum(value[name] for name in NEEDS if name.startswith("memory"))
    disk_gb = value["disk a day"] * DAYS_KEPT / 1e3
    need = Need(peak * headroom, day * headroom, memory * headroom)
    chosen = choose_instance(need, prices)
    totals = [
        _total("cpu of a day", day * 100.0, "%", headroom, claim=25.0),
        _total("cpu at the peak", peak, "cores", headroom),
        _total("memory together", memory, "MB", headroom),
        _total("disk of a year", disk_gb, "GB", 1.0),
    ]
    params: dict[str, Any] = {"quantity": "instance", "engine": OURS, "page_instance": _PAGE[0]}
    params |= {"python_instance": _PAGE[2], "python_claim": _PAGE[3]}
    cost = reason = None
    if chosen is None:
        reason = (
            f"no instance of the prices of {prices.date} has {need.cores_peak:.2f} CPUs, "
            f"{need.cores_day:.2f} of them all day, and {need.memory_mb:,.0f} MB; add one"
        )
    else:
        params |= msgspec.structs.asdict(chosen)
        params["disk_per_month"] = disk_gb * prices.disk_per_gb_month
        cost = chosen.per_hour * prices.hours_per_month + params["disk_per_month"]
    unit = f"{prices.currency}/month"
    instance = Row(
        case=CASE,
        params=params,
        value=cost,
        unit=unit,
        claim=_PAGE[1] if prices.currency == "USD" else None,
        checked=chosen is not None,
        reason=reason,
    )
    provenance = report.provenance | {
        "prices": {"date": prices.date, "source": prices.source},
        "headroom": headroom,
        "assumptions": assumptions(prices, headroom),
    }
    return Report(
        machine=report.machine, provenance=provenance, rows=[*report.rows, *totals, instance]
    )


def _total(
    quantity: str, value: float, unit: str, headroom: float, *, claim: float | None = None
) -> Row:
    params = {"quantity": quantity, "engine": OURS, "with_headroom": value * headroom}
    return Row(case=CASE, params=params, value=value, unit=unit, claim=claim, checked=True)


def assumptions(prices: Prices, headroom: float) -> list[str]:
    """Return what a cost rests on besides what was measured."""
    return [
        f"a day has {ORDERS_A_DAY:,} orders, its peak {PEAK_RATE:,.0f} a second: the highest rate "
        "of the page",
        "the venue is elsewhere; the journal is process-safe, on one disk",
        f"memory: gateway after a day's orders, one backtest and one model, each a process, and "
        f"{SYSTEM_MB:,.0f} MB for the system",
        "CPU: the gateway alone; backtests and forecasts run on what it leaves",
        f"the journal of {DAYS_KEPT} days is kept",
        f"{headroom:g} times the CPU and memory needed; a virtual CPU does what a core did here",
        f"prices of {prices.date}: {prices.source}; {prices.hours_per_month:g} hours a month, "
        f"{prices.disk_per_gb_month:g} {prices.currency} a GB and month of disk; no traffic, no "
        "support, no taxes",
    ]


def print_cost_report(report: Report, console: "Console | None" = None) -> None:
    """Print the need, the headroom, the instance and the assumptions."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    console.print(report.head(), style="dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column("need")
    for name in ("median", "low - high", "with headroom", "claim"):
        table.add_column(name, justify="right", no_wrap=True)
    *needs, instance = report.rows
    for row in needs:
        spread = "" if row.low is None else f"{row.low:,.4g} - {row.high:,.4g}"
        more = row.params.get("with_headroom")
        shown = (_shown(row.value, row.unit), spread, _shown(more, row.unit))
        table.add_row(row.params["quantity"], *shown, _shown(row.claim, row.unit))
    console.print(table)
    _print_instance(instance, console)
    _print_lines(console, report.provenance["assumptions"])


def _print_instance(row: Row, console: "Console") -> None:
    if row.value is None:
        console.print(f"instance: {row.reason}")
        return
    of = row.params
    sure = "" if of["sure"] else ", a price that is not sure"
    share = "" if of["sustained"] == 1.0 else f", {of['sustained']:.0%} of them all day"
    console.print(
        f"instance: {of['name']} ({of['vcpus']} CPUs{share}, {of['memory_gib']:g} GiB{sure}), with "
        f"its disk {row.value:,.2f} {row.unit}"
    )
    console.print(
        f"the page: {of['page_instance']} at 62 USD/month; Python: {of['python_instance']} at "
        f"{of['python_claim']:g}",
        style="dim",
    )


def _print_lines(console: "Console", lines: Sequence[str]) -> None:
    for line in lines:
        console.print(f"- {line}", style="dim")


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.4g} {unit}"
