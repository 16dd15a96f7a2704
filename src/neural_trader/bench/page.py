"""The performance page as data: every row it has, what it claims, and where our figure comes from.

The page describes the system by a "Python" and a "Rust" column. No program stands behind either;
they stand here as claims, beside what is measured. A row that is not measured says why.
"""

from typing import Any, Final, NamedTuple


class Source(NamedTuple):
    """Where a figure comes from.

    ``job`` is the part of a run that makes it; of its rows those of ``case`` count whose params
    have the values of ``match``. ``beside`` are the params of rows of another engine that are the
    baseline, where a row does not carry its own. With ``is_ratio`` the figure is how many times
    better a row is than its baseline.
    """

    job: str
    case: str
    match: dict[str, Any]
    beside: dict[str, Any] | None = None
    is_ratio: bool = False


class Program(NamedTuple):
    """A figure of a baseline program: its name, the figure without its unit, the arguments.

    One that ``is_slow`` is asked in a full run only.
    """

    name: str
    figure: str
    arguments: str = "{}"
    is_slow: bool = False


class PageRow(NamedTuple):
    """One row of the page.

    ``rust`` and ``python`` are its claims in ``unit``; ``source`` is where our figure comes from,
    or why there is none. ``program`` is the baseline program whose figure stands beside ours.
    ``note`` is what a reader has to know; ``behind`` what would have to change where we are behind
    the claim.
    """

    id: str
    words: str
    unit: str
    rust: float | None
    python: float | None
    source: Source | str
    program: Program | None = None
    note: str = ""
    behind: str = ""
    better: str = "lower"

    @property
    def section(self) -> str:
        """The name of the section it stands in."""
        return self.id.partition(".")[0]


class Section(NamedTuple):
    """A table of the page: its name on the command line, its title, what is done, its command."""

    name: str
    title: str
    words: str
    command: str


SECTIONS: Final = (
    Section(
        "backtest",
        "Full backtest",
        "Pairs KO/PEP over the 252 days of 2021: signals, decisions, fills, costs and equity at "
        "every bar, from the public call to the result; and the whole command-line process. "
        "The page does not say which program it timed, so both stand here.",
        "neural-trader bench backtest --case pairs_1y --case cli_backtest",
    ),
    Section(
        "latency",
        "Order latency",
        "One order at a time, from submission to decoded fill, through client, gateway and venue "
        "in three processes on one core, with every limit on and every order in the journal "
        "before it leaves. Limit: a C program that only sends and writes.",
        "neural-trader bench latency",
    ),
    Section(
        "throughput",
        "Order throughput",
        "Orders a second with so many on their way at a time, on the best placement of the three "
        "processes that was tried.",
        "neural-trader bench throughput",
    ),
    Section(
        "load",
        "Latency under load",
        "Orders sent at a fixed rate, each timed from the moment at which it was due, whether it "
        "could be sent then or not.",
        "neural-trader bench load",
    ),
    Section(
        "risk",
        "Monte Carlo value at risk",
        "10,000 scenarios of 50 symbols: value at risk, shortfall and the components of both.",
        "neural-trader bench risk --case linear --case memory",
    ),
    Section(
        "portfolio",
        "Portfolio metrics",
        "Metrics of 51 series over 252 days, public call to a result that is read.",
        "neural-trader bench portfolio --case metrics_51x252",
    ),
    Section(
        "signals",
        "Trading signals",
        "Hedge ratio, spread and z-score of KO/PEP at each of 252 days, signals alone.",
        "neural-trader bench signals",
    ),
    Section(
        "data",
        "Market data",
        "A year of daily bars: fetched, validated, processed.",
        "neural-trader bench data --case year_20 --case fetch_100",
    ),
    Section(
        "neural",
        "Forecasts by N-HiTS",
        "The public call for one series, five bars ahead, with its interval.",
        "neural-trader bench neural --case one --case process",
    ),
    Section(
        "startup",
        "Start-up",
        "A whole process: neural-trader --help.",
        "neural-trader bench startup",
    ),
    Section(
        "memory",
        "Memory",
        "By component: what a process grows by holding it; with its code: the peak of a process "
        "that does the work once, over one that has only imported NumPy (the strategy: over one "
        "that holds its prices). By portfolio: ten years of returns of so many positions, their "
        "covariance and a ledger. The page does not say what its megabytes count.",
        "neural-trader bench memory",
    ),
    Section(
        "scaling",
        "Worker scaling",
        "3,072 pairs backtests over 33 years on so many threads. The page times one backtest of "
        "a year on so many workers; a single one of ours is over before a thread has started, so "
        "the work is 3,072 of them, 33 times as long.",
        "neural-trader bench scaling",
    ),
    Section(
        "techniques",
        "Techniques",
        "Each with and without, answers equal.",
        "neural-trader bench techniques",
    ),
    Section(
        "production",
        "Production",
        "The page's row is of a deployment. What a program can measure of it is measured at 100 "
        "orders a second, as they are due: 187 times the page's mean of 12,500 a day over six and "
        "a half hours.",
        "neural-trader bench production",
    ),
    Section(
        "cost",
        "Cost of an instance",
        "The cheapest instance of a dated price table that has room for the measured need.",
        "neural-trader bench cost",
    ),
)
"""In the order of the page."""

_DAY: Final = "backtest", "pairs_1y"
_TIME: Final = {"quantity": "time"}


def _backtest() -> tuple[PageRow, ...]:
    own = {"engine": "neural-trader"}
    return (
        PageRow(
            "backtest.time", "time", "ms", 5_100.0, 45_200.0,
            Source(*_DAY, own | _TIME), Program("backtest", "time"),
        ),
        PageRow(
            "backtest.cpu", "CPU time", "ms", 1_785.0, 42_940.0,
            Source(*_DAY, own | {"quantity": "cpu"}), Program("backtest", "cpu"),
            note="The page says 35 % and 95 % of a CPU: of its times that is 1.8 s and 43 s. A "
            "share alone says nothing, since a program that computes all the time has 100 %.",
        ),
        PageRow(
            "backtest.memory", "peak memory", "MB", 118.0, 234.0,
            Source(*_DAY, own | {"quantity": "peak_rss"}), Program("backtest", "peak_rss"),
            note="Of the whole process, interpreter and bench included.",
        ),
        PageRow(
            "backtest.process_time", "whole process, time", "ms", 5_100.0, 45_200.0,
            Source("cli", "cli_backtest", own | {"quantity": "wall"}),
        ),
        PageRow(
            "backtest.process_memory", "whole process, peak memory", "MB", 118.0, 234.0,
            Source("cli", "cli_backtest", own | {"quantity": "peak_rss"}),
        ),
        PageRow(
            "backtest.trades", "trades, equal to the baseline's", "trades", 127.0, 127.0,
            Source("trades", "trades", {"quantity": "trades"}), better="equal",
            note="The page's 127 trades cannot be reproduced: it names neither data nor rules, and "
            "a pair with its parameters enters two to ten times a year. What can be shown is that "
            "both programs make the same trades and the same equity at every bar.",
        ),
    )  # fmt: skip


RATES: Final = ((100, 0.7, 1.8), (500, 0.9, 2.4), (1_000, 1.2, 3.8), (5_000, 2.8, 12.5))
"""Orders a second, and the page's claims in milliseconds: P50, P99."""


def _orders() -> tuple[PageRow, ...]:
    names = ("mean", "p50", "p90", "p95", "p99", "p99.9")
    rust = (0.8, 0.7, 1.2, 1.8, 3.2, 8.5)
    python = (12.3, 12.1, 18.5, 24.3, 45.8, 125.0)
    rows = [
        PageRow(
            f"latency.{name}", _upper(name), "ms", claim, before,
            Source("orders", "closed", {"quantity": f"fill {name}"}), Program("orders", name),
        )
        for name, claim, before in zip(names, rust, python, strict=True)
    ]  # fmt: skip
    rows += [
        PageRow(
            f"latency.power_{name}", f"{_upper(name)}, flushed to disk first", "ms", claim, before,
            Source("orders", "power_closed", {"quantity": f"fill {name}"}),
            Program("orders", name, '{"synchronous": "FULL"}', is_slow=True),
            note="Power-safe: no order leaves before its record is on the disk. The page does not "
            "say what its journal promises.",
            behind="The limit is a C program that only sends and flushes: the disk takes the time. "
            "One that keeps what it is told when the power fails, without a flush, would help.",
        )
        for name, claim, before in (("p50", 0.7, 12.1), ("p99", 3.2, 45.8))
    ]  # fmt: skip
    rows += [
        PageRow(
            f"throughput.{window}",
            "one after the other" if window == 1 else f"{window} parallel",
            "orders/s", claim, before,
            Source("orders", f"window_{window}", {"quantity": "throughput"}),
            Program("orders", "orders", "{}" if window == 1 else f'{{"window": {window}}}'),
            better="higher",
        )
        for window, claim, before in ((1, 1_250, 82), (4, 4_800, 280), (8, 9_100, 420))
    ]  # fmt: skip
    rows += [
        PageRow(
            f"load.{rate}_{name}", f"{rate:,} a second, {_upper(name)}", "ms", claim, None,
            Source("orders", f"open_{rate}", {"quantity": f"fill {name}"}), behind=_ASLEEP,
        )
        for rate, p50, p99 in RATES
        for name, claim in (("p50", p50), ("p99", p99))
    ]  # fmt: skip
    return tuple(rows)


_ASLEEP: Final = (
    "At so few orders a second the cores sleep between them, and three processes are woken for "
    "each, one after the other: at ten times the rate an order takes less time, not more. Cores "
    "that are kept awake, or faster ones, would help."
)


def _analysis() -> tuple[PageRow, ...]:
    ours = {"engine": "ours"}
    metrics = {"engine": "neural-trader"}
    table = "portfolio", "metrics_51x252"
    return (
        PageRow(
            "risk.time", "time", "ms", 85.0, 850.0,
            Source("risk", "linear", ours | _TIME, {"engine": "scipy"} | _TIME),
            Program("risk", "time"),
            note="The page's 850 ms is no figure of scipy, which takes some ten milliseconds here.",
        ),
        PageRow(
            "risk.memory", "memory of one simulation", "MB", 8.0, 80.0,
            Source("risk", "memory", ours | {"quantity": "peak"}),
            note="By how much it raises the peak of its process.",
        ),
        PageRow(
            "portfolio.time", "time, 27 metrics of each", "ms", 8.0, 120.0,
            Source(*table, metrics | {"quantity": "common 27"}), Program("portfolio", "time"),
        ),
        PageRow(
            "portfolio.all", "time, all 47 metrics of each", "ms", 8.0, 120.0,
            Source(*table, metrics | {"quantity": "all 47"}),
            note="The baseline computes 27 of them.",
        ),
        PageRow(
            "portfolio.allocations", "native heap allocations", "", 45.0, 1_250.0,
            Source(*table, metrics | {"quantity": "allocations"}),
            note="Of a second call with all 47 metrics, as memray counts them.",
            behind="NumPy's own small arrays are the rest; what would help is a result that is "
            "made only when it is read.",
        ),
        PageRow(
            "signals.time", "time", "ms", 12.0, 85.0,
            Source("signals", "signals", _TIME), Program("signals", "time"),
        ),
    )  # fmt: skip


def _data() -> tuple[PageRow, ...]:
    year, fetch = ("data", "year_20"), ("data", "fetch_100")
    return (
        PageRow(
            "data.time", "fetch and process one symbol, a year", "ms", 180.0, 1_250.0,
            Source(*fetch, {"quantity": "one symbol, checked, with returns"}),
            note="From a server on this machine that takes 20 ms a request; the page's time "
            "includes a network that nobody else has.",
        ),
        PageRow(
            "data.process", "process 20 symbols, a year, from CSV", "ms", 180.0, 1_250.0,
            Source(*year, {"quantity": "csv, time"}),
        ),
        PageRow(
            "data.memory", "memory of that, over the imports", "MB", 12.0, 45.0,
            Source(*year, {"quantity": "csv, memory over imports"}),
            behind="Most of it are pages of Polars' code, read from its file as they are first "
            "needed and shared by all processes that use them; the next row is without them.",
        ),
        PageRow(
            "data.memory_own", "memory of that, without pages of libraries", "MB", 12.0, 45.0,
            Source(*year, {"quantity": "csv, without pages of libraries"}),
        ),
        PageRow(
            "data.fetch", "fetch 100 symbols at once, over one by one", "x", 10.0, None,
            Source(*fetch, {"quantity": "100 symbols"}, is_ratio=True), better="higher",
        ),
    )  # fmt: skip


def _models() -> tuple[PageRow, ...]:
    ours = {"engine": "compiled"}
    return (
        PageRow(
            "neural.time", "time", "ms", 18.0, 120.0,
            Source("neural", "one", ours | _TIME, {"engine": "numpy"} | _TIME),
            Program("forecast", "time"),
            note="Answers are held to the definitions in float64 first, to 1e-6.",
        ),
        PageRow(
            "neural.memory", "peak memory of a process that forecasts", "MB", 85.0, 450.0,
            Source("neural", "process", ours | {"quantity": "memory"}),
            Program("forecast", "peak_rss"),
            note="Python, NumPy and the model.",
        ),
        PageRow(
            "startup.time", "time", "ms", 300.0, 2_400.0,
            Source("startup", "cli_help", {"quantity": "wall"}), Program("startup", "time"),
        ),
    )  # fmt: skip


def _memory() -> tuple[PageRow, ...]:
    components = (
        ("market_data", "market data: 20 symbols, 33 years", 12.0, 45.0),
        ("strategy", "strategy: a pairs backtest, 33 years", 4.0, 28.0),
        ("portfolio", "portfolio: metrics, a ledger of 50 positions", 8.0, 35.0),
        ("model", "model: N-HiTS loaded, one forecast", 85.0, 450.0),
    )
    rows = [
        PageRow(
            f"memory.{name}{suffix}", words + more, "MB", rust, python,
            Source("components", name, {"quantity": quantity}), behind=behind,
        )
        for suffix, more, quantity, behind in (
            ("", "", "held", ""),
            (
                "_code", "; with its code", "memory",
                "Compiled modules and the interpreter's own objects are most of it, and they are "
                "there once, however much is held; linking the kernels into one library would "
                "save part of it.",
            ),
        )
        for name, words, rust, python in components
    ]  # fmt: skip
    rows += [
        PageRow(
            f"memory.{count}", f"{count} positions", "MB", rust, python,
            Source("held", f"memory_{count}", {"quantity": "held"}),
        )
        for count, rust, python in SIZES
    ]  # fmt: skip
    rows.append(
        PageRow(
            "memory.slope",
            "each position more",
            "MB",
            *_claimed_slopes(),
            Source("held", "slope", {"quantity": "slope"}),
            note="The slope of a least-squares line through the four sizes, each in a process of "
            "its own; the claims' is that of a line through theirs. A covariance grows with the "
            "square of the positions, so the line is a summary and no law.",
        )
    )
    return tuple(rows)


def slope_of(sizes: list[float], values: list[float]) -> float:
    """Return the slope of the least-squares line, with intercept, of values on sizes."""
    mean_x, mean_y = sum(sizes) / len(sizes), sum(values) / len(values)
    moved = [x - mean_x for x in sizes]
    along = sum(d * (y - mean_y) for d, y in zip(moved, values, strict=True))
    return along / sum(d * d for d in moved)


SIZES: Final = ((10, 14.0, 52.0), (50, 118.0, 234.0), (100, 235.0, 450.0), (500, 1_100.0, 2_100.0))
"""Positions, and the page's claims in MB: Rust, Python."""


def _claimed_slopes() -> tuple[float, float]:
    sizes = [float(count) for count, _, _ in SIZES]
    rust = slope_of(sizes, [claim for _, claim, _ in SIZES])
    python = slope_of(sizes, [claim for _, _, claim in SIZES])
    return round(rust, 3), round(python, 3)


WORKERS: Final = ((1, 5.1, 45.2), (2, 2.6, 24.8), (4, 1.3, 13.5), (8, 0.7, 7.8), (16, 0.4, 5.2))
"""Workers, and the page's claims in seconds: Rust, Python."""


def _scaling() -> tuple[PageRow, ...]:
    _, rust_alone, python_alone = WORKERS[0]
    rows = [
        PageRow(
            f"scaling.{count}", f"{count} worker{'s' * (count > 1)}, time", "ms",
            rust * 1e3, python * 1e3, Source("scaling", "scaling", {"quantity": f"time {count}"}),
            note="The claims are of one backtest of a year, ours of 3,072 of 33 years.",
        )
        for count, rust, python in WORKERS
    ]  # fmt: skip
    rows += [
        PageRow(
            f"scaling.{count}_efficiency", f"{count} workers, efficiency", "%",
            round(100.0 * rust_alone / (rust * count), 1),
            round(100.0 * python_alone / (python * count), 1),
            Source("scaling", "scaling", {"quantity": f"efficiency {count}"}), better="higher",
            note="The time of one worker over the time of so many and their number.",
            behind="One virtual core alone may clock higher than two together, and other work on "
            "the machine takes from the second: a quiet machine with cores of its own would help.",
        )
        for count, rust, python in WORKERS[1:]
    ]  # fmt: skip
    return tuple(rows)


_CACHED: Final = "100 requests, 90 of them hits"


def _techniques() -> tuple[PageRow, ...]:
    ratios = (
        ("zero_copy", "columns mapped by workers, over copies", "zero_copy", "time", None),
        ("compiled", "a compiled loop, over a plain one", "compiled", "time", None),
        ("simd", "SIMD, over the same kernel without", "vectors", "CPU", None),
        ("column_cache", "a cache of columns, over reading", "column_cache", "time", None),
        ("cache", "a cache of an indicator, 90 % hits", "indicator_cache", _CACHED, 10.0),
        ("cache_function", "the same, of a user's own loop", "function_cache", _CACHED, 10.0),
        (
            "pooling_time", "orders from a pool, CPU of an order", "pooling",
            "CPU of an order in the core", None,
        ),
    )  # fmt: skip
    rows = [
        PageRow(
            f"techniques.{name}", words, "x", claim, None,
            Source("techniques", case, {"quantity": quantity}, is_ratio=True), better="higher",
            behind="A cache cannot gain more than what it saves costs: a compiled indicator costs "
            "little more than the look-up." if "cache" in name else "",
        )
        for name, words, case, quantity, claim in ratios
    ]  # fmt: skip
    rows.insert(
        1,
        PageRow(
            "techniques.concurrent_fetch",
            "100 symbols fetched at once, over one by one",
            "x",
            10.0,
            None,
            # What `bench techniques` measures too; once is enough.
            Source("data", "fetch_100", {"quantity": "100 symbols"}, is_ratio=True),
            better="higher",
        ),
    )
    rows.append(
        PageRow(
            "techniques.pooling",
            "orders from a pool, fewer objects",
            "%",
            95.0,
            None,
            Source("techniques", "pooling", {"quantity": "order objects for 40,000 orders, fewer"}),
            better="higher",
            note="Fewer objects are not yet a help: whether it is one, its time says.",
        )
    )
    return tuple(rows)


def _deployment() -> tuple[PageRow, ...]:
    steady = "orders", "open_100"
    return (
        PageRow(
            "production.orders", "orders a day", "orders", 12_500.0, None,
            "it counts what customers of a deployment sent, and says nothing of what a system can "
            "do; see throughput for that", better="higher",
        ),
        PageRow(
            "production.mean", "mean latency", "ms", 1.2, None,
            Source(*steady, {"quantity": "fill mean"}), behind=_ASLEEP,
        ),
        PageRow(
            "production.p99", "P99 latency", "ms", 3.8, None,
            Source(*steady, {"quantity": "fill p99"}), behind=_ASLEEP,
        ),
        PageRow(
            "production.cpu", "CPU of the gateway", "%", 25.0, None,
            Source(*steady, {"quantity": "cpu"}), note="Of one core.",
        ),
        PageRow(
            "production.memory", "memory of the gateway", "MB", 142.0, None,
            Source(*steady, {"quantity": "memory"}),
        ),
        PageRow(
            "production.errors", "orders lost, doubled or rejected", "%", 0.002, None,
            Source("orders", "all", {"quantity": "errors"}),
            note="Of all orders of this run. None in n tells with 95 % that fewer than 3 / n are.",
        ),
        PageRow(
            "production.uptime", "uptime", "%", 99.98, None,
            "it takes a deployment and months of its log; what can be shown is that a gateway is "
            "replaced without a disconnect: neural-trader bench takeover", better="higher",
        ),
        PageRow(
            "cost.instance", "the cheapest instance", "USD/month", 62.0, 500.0,
            Source("cost", "cost", {"quantity": "instance"}),
        ),
    )  # fmt: skip


def _upper(name: str) -> str:
    return name if name == "mean" else name.upper()


PAGE: Final = (
    *_backtest(),
    *_orders(),
    *_analysis(),
    *_data(),
    *_models(),
    *_memory(),
    *_scaling(),
    *_techniques(),
    *_deployment(),
)
"""Every row of the page, in its order."""
