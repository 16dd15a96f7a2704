"""The order path for the page: few stacks, every load of the page, lost and doubled orders first.

Where ``bench orders`` starts a stack for every load, the page runs the loads of a placement one
after the other on one: it has to be quick.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from neural_trader.bench.orders_stack import Stack, placements
from neural_trader.bench.orders_suite import measure_floor, places_here
from neural_trader.bench.rows import Row

_LATENCIES: Final = ("mean", "p50", "p90", "p95", "p99", "p99.9")
_FEWEST: Final = 100
_WARM: Final = 500
_PROC: Final = Path("/proc/self/stat")


class Load(NamedTuple):
    """A load of the page: so many orders on their way, or so many a second, and where."""

    name: str
    places: tuple[str, ...]
    orders: int
    window: int = 0
    rate: float = 0.0
    durability: str = "process-safe"


LOADS: Final = (
    Load("closed", ("one core",), 20_000, window=1),
    # One at a time on one core is what "closed" does: it gives that throughput too.
    Load("window_1", ("gateway apart",), 20_000, window=1),
    *(
        Load(f"window_{window}", ("one core", "gateway apart"), 20_000, window=window)
        for window in (4, 8)
    ),
    *(
        Load(f"open_{rate}", ("unpinned",), orders, rate=rate)
        for rate, orders in ((100, 300), (500, 1_500), (1_000, 3_000), (5_000, 15_000))
    ),
    Load("power_closed", ("one core",), 4_000, window=1, durability="power-safe"),
)
"""In the order in which they are run; ``orders`` are those of a full round."""

STEADY: Final = "open_100"
"""The load whose CPU and memory are measured as well."""


def run_page_orders(
    names: Sequence[str],
    *,
    share: float,
    places: Sequence[str],
    folder: Path | None,
    step: Callable[[str], None],
) -> list[Row]:
    """Run the loads that are named once, and return what each took.

    Parameters
    ----------
    names : sequence of str
        From ``LOADS``.
    share : float
        How much of the orders of a full round are sent, above 0 and at most 1; never less than
        100 of a load.
    places : sequence of str
        Placements that may be used; a load that allows several is run on each of them.
    folder : Path or None
        Where journals are written: the disk that is measured. None is the temporary folder.
    step : callable
        Told what begins.

    Raises
    ------
    BenchError
        An order was lost, doubled or rejected, or something could not be started.
    """
    rows: list[Row] = []
    sent = 0
    wanted = [load for load in LOADS if load.name in names]
    with TemporaryDirectory(prefix="neural-trader-page-", dir=folder) as made:
        for durability, place in dict.fromkeys(
            (load.durability, place) for load in wanted for place in load.places
        ):
            if place not in places or place not in places_here():
                continue
            here = [load for load in wanted if place in load.places]
            here = [load for load in here if load.durability == durability]
            disk = Path(made) / f"{durability}-{place.replace(' ', '-')}"
            disk.mkdir()
            step(f"orders, {durability}, {place}: floor")
            floor = measure_floor(disk, durability, place, share)
            with Stack(durability, placements()[place], disk) as stack:
                for load in here:
                    step(f"orders, {durability}, {place}: {load.name}")
                    found = _run(stack, load, share, floor)
                    sent += int(found[0].params["orders"])
                    rows += found
    params = {"quantity": "errors", "orders": sent}
    # What was lost, doubled or rejected would have raised.
    return [*rows, Row(case="all", params=params, value=0.0, unit="%", checked=True)]


def _run(stack: Stack, load: Load, share: float, floor: dict[str, float]) -> list[Row]:
    """Run one load and return its rows."""
    orders = max(_FEWEST, int(load.orders * share))
    params = {
        "durability": load.durability,
        "placement": stack.placement.name,
        "orders": orders,
    }
    if load.name == STEADY:
        return _steady(stack, load, orders, (params, floor))
    found = stack.load(orders, window=load.window, rate=load.rate)
    rows = []
    if load.window and load.durability == "process-safe":
        quantity = params | {"quantity": "throughput"}
        by_window = load._replace(name=f"window_{load.window}")
        rows.append(_row(by_window, quantity, (found["rate"], "orders/s")))
    return rows + _latencies(load, params, found, floor)


def _steady(
    stack: Stack, load: Load, orders: int, beside: tuple[dict[str, Any], dict[str, float]]
) -> list[Row]:
    """Run a load at a steady rate on a warm gateway; return its latency, CPU and memory."""
    params, floor = beside
    stack.load(_WARM, window=1, warmup=0)
    before = stack.gateway_cpu_s() if _PROC.exists() else 0.0
    found = stack.load(orders, rate=load.rate, warmup=0)
    rows = _latencies(load, params, found, floor)
    if not _PROC.exists():
        return rows
    share = 100.0 * (stack.gateway_cpu_s() - before) / found["seconds"]
    return [
        *rows,
        _row(load, params | {"quantity": "cpu"}, (share, "%")),
        # The kernel's kilobytes are of 1,024 bytes.
        _row(load, params | {"quantity": "memory"}, (stack.gateway_memory_mb() * 1.048576, "MB")),
    ]


def _latencies(
    load: Load, params: dict[str, Any], found: dict[str, Any], floor: dict[str, float]
) -> list[Row]:
    return [
        _row(
            load,
            params | {"quantity": f"fill {name}"},
            (found["fill_us"][name], "us"),
            floor.get(name),
        )
        for name in _LATENCIES
    ]


def _row(
    load: Load, params: dict[str, Any], figure: tuple[float, str], limit: float | None = None
) -> Row:
    value, unit = figure
    return Row(
        case=load.name,
        params=params,
        value=value,
        unit=unit,
        low=value,
        high=value,
        samples=[value],
        limit=limit,
        checked=True,
    )
