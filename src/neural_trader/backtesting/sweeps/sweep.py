"""A sweep: every trial of a grid, on threads or processes, with one answer on any number."""

import datetime as dt
import hashlib
import json
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neural_trader.backtesting.engine import LEVERAGE_MAX, backtest
from neural_trader.backtesting.sweeps import compiled
from neural_trader.backtesting.sweeps.grid import Grid, count_trials, read_grid, trials
from neural_trader.backtesting.sweeps.ledger import Ledger, Row
from neural_trader.backtesting.sweeps.processes import ProcessWorkers
from neural_trader.backtesting.sweeps.result import FIGURES, NotRun, SweepResult, read_rank
from neural_trader.backtesting.window import FillAt, Range, Warmup, Window, open_window
from neural_trader.core import Bars, ConfigError, Costs, DataError, RunRefused
from neural_trader.core.bars import Floats
from neural_trader.core.sessions import first_ns, session_date, session_day
from neural_trader.core.version import VERSION
from neural_trader.portfolio import compute_periods_per_year, last_of_sessions

Engine = Literal["threads", "processes"]
Make = Callable[..., Any]
Done = tuple[Sequence[int], Floats]
"""Places of trials that are done, and their rows: the figures, then ruined, then refused."""

_WIDTH = len(FIGURES) + 2
_NOISE = 1e-13
_IN_FLIGHT = 4


def sweep(  # noqa: PLR0913 - one keyword for each thing that a user decides about a sweep
    strategy: Make,
    bars: Bars,
    grid: Mapping[str, Sequence[Any]],
    *,
    capital: float = 100_000.0,
    costs: Costs | None = None,
    start: str | dt.date | None = None,
    end: str | dt.date | None = None,
    warmup: Warmup = "before",
    fill_at: FillAt | None = None,
    max_leverage: float = LEVERAGE_MAX,
    split: str | dt.date | None = None,
    rank_by: str = "sharpe",
    workers: int | None = None,
    engine: Engine | None = None,
    ledger: str | Path | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> SweepResult:
    """Run a strategy with every combination of parameters.

    Parameters
    ----------
    strategy : callable
        Called with a trial's parameters by keyword, returns what ``nt.backtest`` takes: a class, or
        ``functools.partial(nt.Pairs, "KO", "PEP", gross=20_000)``.
    bars : Bars
    grid : mapping of str to sequence
        Parameters and their values. The last changes fastest.
    capital, costs, start, end, warmup, fill_at, max_leverage
        As for ``nt.backtest``. A trial beyond the leverage limit is counted and not ranked.
    split : str or date, optional
        Choose on the bars before this session, and run the best on those from it on.
    rank_by : {"sharpe", "final_equity", "total_return", "max_drawdown"}
        What ``best`` is chosen by.
    workers : int, optional
        Threads or processes; as many as there are cores by default.
    engine : {"threads", "processes"}, optional
        Threads for compiled strategies, processes for Python code, by default. Processes need a
        strategy that can be pickled.
    ledger : path, optional
        An SQLite file in which every trial is written down.
    resume : bool
        Take over the trials that the ledger has of the same strategy, data and arguments.
    progress : callable, optional
        Called with the number of trials done and of all.

    Returns
    -------
    SweepResult
        The same on any number of workers.

    Raises
    ------
    ConfigError
        An argument is outside its range, or no trial has parameters that the strategy takes.
    DataError
        What ``nt.backtest`` raises of the data.

    Notes
    -----
    Ctrl-C stops it; what is done by then stands in the ledger.
    """
    values = read_grid(grid)
    read_rank(rank_by)
    if engine not in (None, "threads", "processes"):
        message = f"engine is {engine!r}; expected 'threads' or 'processes'"
        raise ConfigError(message)
    count = _read_workers(workers)
    if resume and ledger is None:
        message = "resume is set and ledger is not; name the ledger to take trials over from"
        raise ConfigError(message)
    arguments: dict[str, Any] = {
        "capital": capital,
        "costs": costs or Costs(),
        "start": start,
        "end": end,
        "warmup": warmup,
        "fill_at": fill_at,
        "max_leverage": max_leverage,
    }
    whole = dict(arguments)
    if split is not None:
        arguments["end"] = _before(split, end)
    makers, not_run = _make_all(strategy, values)
    provenance = _provenance(makers, bars, arguments, values)
    table = np.full((count_trials(values), _WIDTH), np.nan)
    todo = sorted(makers)
    with Ledger.opened(ledger, provenance) as book:
        if resume:
            todo = _take_over(book, values, table, todo)
        done = len(makers) - len(todo)
        how = (todo, values, engine, count)
        for places, rows in _run(strategy, makers, (bars, arguments), how):
            table[places] = rows
            book.write(_rows(values, places, rows))
            done += len(places)
            if progress is not None:
                progress(done, len(makers))
    figures = {name: np.ascontiguousarray(table[:, k]) for k, name in enumerate(FIGURES)}
    flags = (table[:, -2] == 1.0, table[:, -1] == 1.0)
    result = SweepResult(values, figures, flags, not_run, rank_by=rank_by, provenance=provenance)
    best = result.best
    if split is not None and best is not None:
        whole |= {"start": split, "warmup": "before"}
        result.out_of_sample = _out_of_sample(strategy, bars, best["parameters"], whole)
    return result


def _read_workers(workers: int | None) -> int:
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if type(workers) is not int or not 1 <= workers <= 1024:
        message = f"workers is {workers!r}; expected a whole number from 1 to 1024"
        raise ConfigError(message)
    return workers


def _before(split: str | dt.date, end: str | dt.date | None) -> str:
    """Return the session before the split: the last on which anything is chosen."""
    day = session_day(split, option="split")
    if end is not None and session_day(end, option="end") < day:
        message = f"split is {split} and end is {end}; expected a split before the end"
        raise ConfigError(message)
    return session_date(first_ns(day - 1)).isoformat()


def _make_all(strategy: Make, grid: Grid) -> tuple[dict[int, Any], list[NotRun]]:
    """Make every trial's strategy; parameters that it refuses are noted."""
    if not callable(strategy):
        message = (
            f"strategy is {strategy!r}; expected what makes one, such as "
            "functools.partial(nt.Pairs, 'KO', 'PEP')"
        )
        raise ConfigError(message)
    made: dict[int, Any] = {}
    not_run: list[NotRun] = []
    for place, parameters in enumerate(trials(grid)):
        try:
            made[place] = strategy(**parameters)
        except TypeError as error:
            message = f"the strategy does not take {', '.join(parameters)}: {error}"
            raise ConfigError(message) from error
        except ConfigError as error:
            not_run.append(NotRun(place, str(error)))
    if not made:
        message = f"no trial can be run; the first is refused: {not_run[0].reason}"
        raise ConfigError(message)
    return made, not_run


def _provenance(
    makers: dict[int, Any], bars: Bars, arguments: dict[str, Any], grid: Grid
) -> dict[str, Any]:
    """Return what a trial is besides its parameters, and a hash of that."""
    import msgspec

    first = makers[min(makers)]
    names = getattr(first, "__struct_fields__", None) or tuple(vars(first))
    fixed = {name: getattr(first, name) for name in names if name not in grid}
    kind = getattr(first, "kind", type(first).__name__)
    config = {
        "strategy": {"kind": kind} | {name: _plain(value) for name, value in fixed.items()},
        **{name: _plain(value) for name, value in arguments.items() if name != "costs"},
        "costs": msgspec.to_builtins(arguments["costs"]),
    }
    text = json.dumps(config, sort_keys=True, separators=(",", ":"))
    return {
        "version": VERSION,
        "config": config,
        "config_hash": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",
        "data_name": bars.name,
        "data_hash": bars.data_hash,
        "data_labels": list(bars.labels),
        "grid": {name: list(values) for name, values in grid.items()},
    }


def _plain(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.isoformat() if isinstance(value, dt.date) else repr(value)


def _take_over(book: Ledger, grid: Grid, table: Floats, todo: list[int]) -> list[int]:
    """Fill in what the ledger has; return the trials that are left."""
    known = book.read()
    for place, parameters in enumerate(trials(grid)):
        row = known.get(json.dumps(parameters, sort_keys=True))
        if row is not None:
            table[place] = [math.nan if value is None else value for value in row]
    # A trial without an equity is one of a strategy that was refused: it is run again.
    equity = table[:, FIGURES.index("final_equity")]
    return [place for place in todo if math.isnan(equity[place])]


def _rows(grid: Grid, places: Sequence[int], rows: Floats) -> Iterator[Row]:
    """Yield what the ledger writes of some trials."""
    names, sizes = list(grid), [len(values) for values in grid.values()]
    for place, row in zip(places, rows.tolist(), strict=True):
        at = np.unravel_index(int(place), sizes)
        parameters = {name: grid[name][k] for name, k in zip(names, at, strict=True)}
        text = json.dumps(parameters, sort_keys=True)
        yield text, tuple(None if math.isnan(value) else value for value in row)


def _run(
    strategy: Make,
    makers: dict[int, Any],
    market: tuple[Bars, dict[str, Any]],
    how: tuple[list[int], Grid, Engine | None, int],
) -> Iterator[Done]:
    """Yield trials as they are done, in the order in which they were begun."""
    bars, arguments = market
    todo, grid, engine, count = how
    if not todo:
        return
    strategies = [makers[place] for place in todo]
    is_compiled = all(hasattr(each, "decide") for each in strategies)
    if engine == "processes" or (engine is None and not is_compiled and count > 1):
        yield from ProcessWorkers(strategy, bars, arguments, count).run(todo, grid, run_trial)
        return
    if is_compiled:
        window = _window(strategies[0], bars, arguments)
        if compiled.is_fast(strategies, window, arguments["costs"]):
            # The first is a run of its own, too: it checks every argument as nt.backtest does.
            run_trial(strategies[0], bars, arguments)
            yield from _run_fast(todo, strategies, (window, arguments), count)
            return
    for place in todo:
        yield [place], run_trial(makers[place], bars, arguments)[None, :]


def _window(strategy: Any, bars: Bars, arguments: dict[str, Any]) -> Window:  # noqa: ANN401
    start, end = (
        None if arguments[name] is None else str(arguments[name]) for name in ("start", "end")
    )
    asked = Range(start, end, arguments["warmup"], arguments["fill_at"])
    return open_window(bars, strategy.symbols, asked)


def _run_fast(
    todo: list[int], strategies: list[Any], market: tuple[Window, dict[str, Any]], count: int
) -> Iterator[Done]:
    """Run compiled strategies on threads: the kernel holds no lock of Python's."""
    window, arguments = market
    local = threading.local()
    periods = _periods(window)
    limit = float(arguments["max_leverage"])
    capital = float(arguments["capital"])

    def run(chunk: compiled.Chunk) -> Floats:
        if not hasattr(local, "worker"):
            local.worker = compiled.Worker(window, capital, arguments["costs"])
        return _table(local.worker.run(chunk), capital, periods, limit)

    places = np.array(todo)
    parts = compiled.chunks(strategies, window)
    if count == 1:
        for chunk in parts:
            yield places[chunk.places].tolist(), run(chunk)
        return
    with ThreadPoolExecutor(count) as pool:
        for chunk, rows in _in_order(pool, run, parts, count):
            yield places[chunk.places].tolist(), rows


def _in_order(
    pool: Executor, run: Callable[[Any], Any], parts: Iterable[Any], count: int
) -> Iterator[tuple[Any, Any]]:
    """Yield parts with their results, in order; few are under way at a time, to bound memory."""
    waiting: deque[tuple[Any, Future[Any]]] = deque()
    try:
        for part in parts:
            waiting.append((part, pool.submit(run, part)))
            if len(waiting) >= _IN_FLIGHT * count:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        for _, future in waiting:
            future.cancel()


def _periods(window: Window) -> float:
    stamps = window.ts_close_ns[window.first :]
    ends = stamps[last_of_sessions(stamps)]
    return float(compute_periods_per_year(ends)) if len(ends) > 2 else math.nan


def _table(raw: Floats, capital: float, periods: float, limit: float) -> Floats:
    """Turn the kernel's figures into a row a trial."""
    rows = np.empty((len(raw), _WIDTH))
    rows[:, 0], rows[:, 1], rows[:, 2] = raw[:, 0], raw[:, 1], raw[:, 2]
    rows[:, 3] = raw[:, 2] / capital - 1.0
    deviation = np.sqrt(np.maximum(raw[:, 8], 0.0))
    defined = (raw[:, 9] > _NOISE) & (deviation > 0.0) & (raw[:, 5] == 0.0)
    rows[:, 4] = np.nan
    rows[defined, 4] = raw[defined, 7] / deviation[defined] * math.sqrt(periods)
    rows[:, 5], rows[:, 6] = raw[:, 10], raw[:, 3]
    rows[:, 7], rows[:, 8] = raw[:, 5], raw[:, 3] > limit
    return rows


def run_trial(strategy: Any, bars: Bars, arguments: dict[str, Any]) -> Floats:  # noqa: ANN401
    """Run one trial as a backtest and return its row."""
    row = np.full(_WIDTH, np.nan)
    unlimited = arguments | {"max_leverage": math.inf}
    try:
        result = backtest(strategy, bars, **unlimited)
    except RunRefused:
        row[-1] = 1.0
        return row
    metrics = result.metrics
    row[:] = [
        result.trades,
        result.fill_count,
        result.final_equity,
        metrics["total_return"],
        metrics["sharpe"],
        metrics["max_drawdown"],
        result.outcome.peak_leverage,
        result.outcome.is_ruined,
        result.outcome.peak_leverage > arguments["max_leverage"],
    ]
    return row


def _out_of_sample(
    strategy: Make, bars: Bars, parameters: dict[str, Any], arguments: dict[str, Any]
) -> dict[str, Any]:
    """Run the chosen trial on what it was not chosen on."""
    try:
        row = run_trial(strategy(**parameters), bars, arguments)
    except DataError as error:
        message = f"nothing is left after the split: {error}"
        raise ConfigError(message) from error
    found = dict(zip(FIGURES, row.tolist(), strict=False))
    return {
        "start": str(arguments["start"]),
        **{name: None if math.isnan(value) else value for name, value in found.items()},
    }
