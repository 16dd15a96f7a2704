"""The cases of the engine's bench: what each does, its answer, and what it measures.

A case makes its work, checks the answer, and then measures; the quantities are those that the
project has set itself to reach on one core of a quiet machine.
"""

import functools
import hashlib
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

import neural_trader as nt
from neural_trader.core import BenchError, Block
from neural_trader.core.sessions import DAY_NS, last_ns, session_day
from neural_trader.strategies import StrategyFile

_TREE: Final = Path(__file__).resolve().parents[3]
_COSTS: Final = nt.Costs(fee_bps=5, slippage_bps=5)
_GRID: Final[dict[str, list[Any]]] = {
    "lookback": list(range(20, 111, 10)),
    "entry": [1.25 + 0.25 * k for k in range(10)],
    "exit": [round(0.1 * k, 1) for k in range(1, 11)],
}


class Figure(NamedTuple):
    """A measured quantity: what it counts, its unit, the value, and the machine's limit beside."""

    quantity: str
    unit: str
    value: float
    limit: float | None = None


class EngineCase(NamedTuple):
    """A case: its name, what it does in words, its targets by quantity, and how it is run."""

    name: str
    words: str
    targets: dict[str, float]
    run: Callable[[], list[Figure]]


def _median_s(work: Callable[[], object], runs: int) -> float:
    """Return the median seconds of some runs, after one that warms up."""
    work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        message = f"{what} is {found!r}; expected {expected!r}: no figure is printed"
        raise BenchError(message)


# -------------------------------------------------------------------------------------- sweeps
def _pairs(**parameters: Any) -> nt.Pairs:  # noqa: ANN401 - a grid's values
    return nt.Pairs("KO", "PEP", gross=20_000.0, **parameters)


def run_sweep() -> list[Figure]:
    """Sweep a thousand pairs over 33 years on one core: the kernel alone, and with results."""
    from neural_trader.backtesting import make_core

    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    sweep = functools.partial(nt.sweep, _pairs, bars, _GRID, costs=_COSTS, workers=1)
    summary = sweep().summary
    _expect("trades", summary["trades"], 96_128)
    _expect("fills", summary["fills"], 384_080)
    _expect("mean final equity", round(summary["mean_final_equity"], 4), 91_340.8629)
    grid = {name: tuple(values) for name, values in _GRID.items()}
    core = make_core(_pairs, bars, grid, costs=_COSTS)
    whole = _median_s(lambda: sweep().summary, 9)
    return [
        Figure("core", "ms", _median_s(core, 9) * 1e3),
        Figure("with results", "ms", whole * 1e3),
    ]


def run_two_cores() -> list[Figure]:
    """Sweep 20,000 pairs on one core and on two; hashing on two threads is the limit beside."""
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    grid = _GRID | {"entry": [1.0 + 0.01 * k for k in range(200)]}
    sweep = functools.partial(nt.sweep, _pairs, bars, grid, costs=_COSTS)
    one = _median_s(lambda: sweep(workers=1), 3)
    two = _median_s(lambda: sweep(workers=2), 3)
    return [Figure("speed-up", "x", one / two, limit=_hash_speed_up())]


def _hash_speed_up() -> float:
    block = bytes(1 << 20)

    def work(count: int) -> None:
        for _ in range(count):
            hashlib.sha256(block).digest()

    def on_threads() -> None:
        threads = [threading.Thread(target=work, args=(150,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return _median_s(lambda: work(300), 3) / _median_s(on_threads, 3)


# ---------------------------------------------------------------------------------- strategies
class NoOp(nt.Strategy):
    """Does nothing at every bar."""

    def on_bar(self, ctx: nt.Context) -> None:
        """Do nothing."""


def run_no_op() -> list[Figure]:
    """Call a strategy at every bar that does nothing."""
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    count = len(bars["KO"].close)
    seconds = _median_s(lambda: nt.backtest(NoOp(), bars), 15)
    return [Figure("a bar", "us", seconds / count * 1e6)]


def run_own_pairs() -> list[Figure]:
    """Run the pair of examples/own_pairs.py, a strategy in Python with streaming indicators."""
    path = _TREE / "examples" / "own_pairs.py"
    if not path.is_file():
        message = "the case needs the source tree, for examples/own_pairs.py; clone it"
        raise BenchError(message)
    make = StrategyFile(str(path))
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    result = nt.backtest(make(), bars, costs=_COSTS)
    answer = (result.trades, result.fill_count, round(result.final_equity, 4))
    _expect("the answer", answer, (105, 420, 94_125.7814))
    seconds = _median_s(lambda: nt.backtest(make(), bars, costs=_COSTS), 15)
    return [Figure("a bar", "us", seconds / len(bars["KO"].close) * 1e6)]


# -------------------------------------------------------------------------------------- orders
class Player(nt.Strategy):
    """Plays a list of orders: what a frame of intents does, for the plain-Python reference."""

    def __init__(self, orders: dict[str, Any]) -> None:
        # A frame's symbols stand in the order in which they come up: equity is summed in it.
        self.symbols = tuple(dict.fromkeys(orders["symbol"].tolist()))
        self.due: dict[int, list[tuple[Any, ...]]] = {}
        columns = [orders[name].tolist() for name in ("symbol", "qty", "limit", "stop", "tif")]
        for stamp, *order in zip(orders["time"].astype(np.int64).tolist(), *columns, strict=True):
            self.due.setdefault(stamp, []).append(tuple(order))

    def on_bar(self, ctx: nt.Context) -> None:
        """Make the orders of this bar."""
        for symbol, qty, limit, stop, tif in self.due.get(ctx.ts_close_ns, ()):
            prices = (None if np.isnan(price) else price for price in (limit, stop))
            ctx.order(symbol, qty, **dict(zip(("limit", "stop"), prices, strict=True)), tif=tif)


def make_orders() -> tuple[nt.Bars, dict[str, Any]]:
    """Return 50 symbols x 2,520 made-up bars, and a limit or stop on an eighth of them."""
    symbols, count = [f"S{k:02d}" for k in range(50)], 2_520
    draw = np.random.default_rng(3)
    close = 50.0 * np.exp(draw.normal(0.0, 0.015, (50, count)).cumsum(axis=1))
    opened = close * np.exp(draw.normal(0.0, 0.005, close.shape))
    reach = np.abs(draw.normal(0.0, 0.01, (2, *close.shape)))
    fields = {
        "open": opened,
        "high": np.maximum(opened, close) * (1.0 + reach[0]),
        "low": np.minimum(opened, close) * (1.0 - reach[1]),
        "close": close,
    }
    day = session_day("2010-01-01", option="start")
    stamps = np.array([last_ns(day + k) for k in range(count)], dtype=np.int64)
    bars = nt.Bars((Block(tuple(symbols), stamps, fields),), name="made")
    rows = draw.random(close.shape) < 0.125
    place, bar = np.nonzero(rows.T)[::-1]
    price = close[place, bar]
    is_buy, is_stop = draw.random(len(place)) < 0.5, draw.random(len(place)) < 0.5
    # A limit waits on the better side of the price, a stop on the worse one.
    away = price * (1.0 + np.where(is_buy == is_stop, 0.01, -0.01))
    return bars, {
        "time": stamps[bar].astype("datetime64[ns]"),
        "symbol": np.array(symbols)[place],
        "qty": np.where(is_buy, 10.0, -10.0),
        "limit": np.where(is_stop, np.nan, away),
        "stop": np.where(is_stop, away, np.nan),
        "tif": np.full(len(place), "DAY"),
    }


def run_orders() -> list[Figure]:
    """Play limits and stops on an eighth of 50 x 2,520 symbol-bars, equal to the reference."""
    from neural_trader.backtesting.reference_events import run_events

    bars, rows = make_orders()
    orders = nt.Intents(rows)

    def work() -> nt.Result:
        return nt.backtest(orders, bars, capital=1e7, costs=_COSTS)

    result = work()
    reference = run_events(Player(rows), bars, capital=1e7, costs=_COSTS)
    _expect("equity", bool((result.equity == np.array(reference.equity)).all()), True)
    _expect("fills", result.fill_count, len(reference.fills))
    return [Figure("50 x 2,520 bars", "ms", _median_s(work, 15) * 1e3)]


# ------------------------------------------------------------------------------------- minutes
def run_minutes() -> list[Figure]:
    """Cross averages of 50 symbols over a year of minutes (4.9 million rows), equity included."""
    path = _TREE / "examples" / "minute_bars.py"
    if not path.is_file():
        message = "the case needs the source tree, for examples/minute_bars.py; clone it"
        raise BenchError(message)
    make = StrategyFile(str(path))
    bars = _minutes()
    data_mb = sum(values.nbytes for block in bars.blocks for values in block.fields.values()) / 1e6

    def work() -> float:
        return float(nt.backtest(make(), bars, capital=1e6, costs=nt.Costs(fee_bps=1)).equity[-1])

    seconds = _median_s(work, 5)
    peak = _peak_mb()
    return [
        Figure("4.9 M rows", "s", seconds),
        Figure("peak memory less twice the data", "MB", peak - 2.0 * data_mb),
    ]


def _minutes() -> nt.Bars:
    count = 252 * 390
    opened = 1_672_669_800_000_000_000 + np.arange(252) * DAY_NS
    stamps = (opened[:, None] + np.arange(1, 391) * 60_000_000_000).ravel()
    close = np.random.default_rng(1).normal(0.0, 1e-4, (50, count))
    np.cumsum(close, axis=1, out=close)
    np.exp(close, out=close)
    close *= 100.0
    symbols = tuple(f"S{k:02d}" for k in range(50))
    return nt.Bars((Block(symbols, stamps, {"close": close}),), name="minutes")


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        message = "peak memory is read from /proc, which this system does not have"
        raise BenchError(message)
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return float(line.split()[1]) * 1024 / 1e6


def run_indicators() -> list[Figure]:
    """Feed a simple average a value at a time from Python, and take whole columns."""
    average = nt.indicators.SMA(20)
    values = np.random.default_rng(1).normal(100.0, 1.0, 100_000)
    listed = values.tolist()
    update = average.update

    def stream() -> None:
        for value in listed:
            update(value)

    batch = _median_s(lambda: average.batch(values), 15) / len(values)
    return [
        Figure("update", "ns", _median_s(stream, 9) / len(values) * 1e9),
        Figure("batch", "ns", batch * 1e9),
    ]


ENGINE_CASES: Final = (
    EngineCase("sweep", "1,000 pairs, 33 years", {"core": 12.0, "with results": 30.0}, run_sweep),
    EngineCase("sweep_cores", "20,000 pairs, two cores", {"speed-up": 1.8}, run_two_cores),
    EngineCase("no_op", "a strategy that does nothing", {"a bar": 0.1}, run_no_op),
    EngineCase("own_pairs", "a pair in Python", {"a bar": 0.6}, run_own_pairs),
    EngineCase("orders", "limits and stops", {"50 x 2,520 bars": 4.0}, run_orders),
    EngineCase(
        "minutes",
        "a year of minutes, 50 symbols",
        {"4.9 M rows": 0.25, "peak memory less twice the data": 100.0},
        run_minutes,
    ),
    EngineCase("indicators", "a simple average of 20", {}, run_indicators),
)
