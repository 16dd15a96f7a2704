"""A sweep: every trial of a grid, on threads or processes, with one answer on any number."""

import datetime as dt
import inspect
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from neural_trader.backtesting.engine import LEVERAGE_MAX
from neural_trader.backtesting.events import is_own
from neural_trader.backtesting.summary import data_notes
from neural_trader.backtesting.sweeps.grid import (
    Grid,
    as_text,
    count_trials,
    parameters_of,
    read_grid,
    trials,
)
from neural_trader.backtesting.sweeps.provenance import make_provenance
from neural_trader.backtesting.sweeps.result import FIGURES, NotRun, SweepResult, read_rank
from neural_trader.backtesting.sweeps.trials import WIDTH, Make, run_trial
from neural_trader.backtesting.window import FillAt, Range, Warmup, open_window
from neural_trader.core import Bars, ConfigError, Costs, DataError, Instrument, Matching
from neural_trader.core.bars import Floats
from neural_trader.core.sessions import first_ns, session_date, session_day

if TYPE_CHECKING:
    from neural_trader.backtesting.sweeps.ledger import Ledger, Row
    from neural_trader.backtesting.sweeps.runners import Done, Plan
    from neural_trader.strategies.indicators import CacheStats, IndicatorCache

Engine = Literal["threads", "processes"]

_EQUITY: Final = FIGURES.index("final_equity")


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
    matching: Matching | None = None,
    instruments: Instrument | Mapping[str, Instrument] | None = None,
    split: str | dt.date | None = None,
    rank_by: str = "sharpe",
    workers: int | None = None,
    engine: Engine | None = None,
    ledger: str | Path | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
    cache: "IndicatorCache | None" = None,
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
    capital, costs, start, end, warmup, fill_at, max_leverage, matching, instruments
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
    cache : IndicatorCache, optional
        Where trials that share whole columns find them; a new one by default. Processes have caches
        of their own, as large as this one. It changes no result.

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
    # SQLite and multiprocessing take a fifth of a start, and a backtest needs neither.
    from neural_trader.backtesting.sweeps.ledger import Ledger
    from neural_trader.backtesting.sweeps.runners import Plan
    from neural_trader.strategies.indicators import IndicatorCache

    values = read_grid(grid)
    read_rank(rank_by)
    cache = IndicatorCache.read(cache)
    count = _read_workers(workers)
    _check_resume(ledger, is_set=resume)
    arguments: dict[str, Any] = {
        "capital": capital,
        "costs": costs or Costs(),
        "start": start,
        "end": end if split is None else _before(split, end),
        "warmup": warmup,
        "fill_at": fill_at,
        "max_leverage": max_leverage,
        "matching": matching,
        "instruments": instruments,
    }
    _check_split(split, bars)
    first = _first(strategy, values)
    run = _runner(engine, first, count)
    provenance = make_provenance(strategy, first, bars, arguments, grid=values)
    # It decides nothing, so that it is no part of what a trial is.
    arguments["cache"] = cache
    table = np.full((WIDTH, count_trials(values)), np.nan)
    not_run: list[NotRun] = []
    with Ledger(ledger, provenance) as book:
        todo = _take_over(book, values, table) if resume else range(table.shape[1])
        ready = table.shape[1] - len(todo)
        before = cache.stats
        for done in run(Plan(strategy, bars, arguments, values, todo, count)):
            cache.count(*done.elsewhere)
            table[:, done.places] = done.rows.T
            not_run += done.not_run
            book.write(_ledger_rows(values, done))
            ready += len(done.places) + len(done.not_run)
            if progress is not None:
                progress(ready, table.shape[1])
    result = SweepResult(values, table, sorted(not_run), rank_by=rank_by, provenance=provenance)
    result.notes = data_notes(bars)
    result.cache = _asked(before, cache.stats)
    if split is not None and result.best is not None:
        after = arguments | {"start": split, "end": end, "warmup": "before"}
        result.out_of_sample = _out_of_sample(strategy, bars, result.best["parameters"], after)
    return result


def _asked(before: "CacheStats", after: "CacheStats") -> "CacheStats":
    """Return what was asked in between, and what is held now."""
    found = {name: getattr(after, name) - getattr(before, name) for name in after._fields[:4]}
    return after._replace(**found)


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


def _check_resume(ledger: str | Path | None, *, is_set: bool) -> None:
    """Refuse to resume out of nothing."""
    if is_set and ledger is None:
        message = "resume is set and ledger is not; name the ledger to take trials over from"
        raise ConfigError(message)


def _check_split(split: str | dt.date | None, bars: Bars) -> None:
    """Refuse a split that leaves no bar to judge on, before an hour is spent on choosing."""
    if split is None:
        return
    last = max(int(block.ts_close_ns[-1]) for block in bars.blocks)
    if last < first_ns(session_day(split, option="split")):
        message = (
            f"split is {split} and the last bar is of {session_date(last)}: nothing is left to "
            "judge on; expected a session within the data"
        )
        raise ConfigError(message)


def _first(strategy: Make, grid: Grid) -> Any:  # noqa: ANN401 - whatever the factory makes
    """Return the strategy of the first trial that has one, or raise ConfigError."""
    if not callable(strategy):
        message = (
            f"strategy is {strategy!r}; expected what makes one, such as "
            "functools.partial(nt.Pairs, 'KO', 'PEP')"
        )
        raise ConfigError(message)
    refusal = ""
    for parameters in trials(grid):
        _check_names(strategy, parameters)
        try:
            return strategy(**parameters)
        except ConfigError as error:
            refusal = refusal or str(error)
    message = f"no trial can be run; the first is refused: {refusal}"
    raise ConfigError(message)


def _check_names(strategy: Make, parameters: dict[str, Any]) -> None:
    """Refuse parameters that the factory does not take; what it does with them is its own."""
    try:
        signature = inspect.signature(strategy)
    except ValueError:
        # Some callables do not say what they take.
        return
    try:
        signature.bind(**parameters)
    except TypeError as error:
        taken = ", ".join(signature.parameters) or "none"
        message = f"the strategy does not take {', '.join(parameters)}: {error}; it takes {taken}"
        raise ConfigError(message) from None


def _runner(engine: str | None, first: Any, workers: int) -> "Callable[[Plan], Iterator[Done]]":  # noqa: ANN401
    """Return how trials are run: threads gain nothing where strategies are Python code."""
    if engine not in (None, "threads", "processes"):
        message = f"engine is {engine!r}; expected 'threads' or 'processes'"
        raise ConfigError(message)
    from neural_trader.backtesting.sweeps import runners

    is_compiled = not is_own(first)
    if engine == "processes" or (engine is None and not is_compiled and workers > 1):
        return runners.run_on_processes
    return runners.run_on_threads if is_compiled else runners.run_in_turn


def _take_over(book: "Ledger", grid: Grid, table: Floats) -> Sequence[int]:
    """Fill in what the ledger has; return the places of the trials that are left."""
    places = {
        name: {as_text(value): at for at, value in enumerate(values)}
        for name, values in grid.items()
    }
    for text, row in book.read():
        place = _place(places, json.loads(text))
        if place is not None:
            table[:, place] = [math.nan if value is None else value for value in row]
    left: list[int] = np.flatnonzero(np.isnan(table[_EQUITY])).tolist()
    return left


def _place(places: dict[str, dict[str, int]], parameters: dict[str, Any]) -> int | None:
    """Return the place of a trial in the grid, or None where it is not in it."""
    if parameters.keys() != places.keys():
        return None
    place = 0
    for name, at_of in places.items():
        at = at_of.get(as_text(parameters[name]))
        if at is None:
            return None
        place = place * len(at_of) + at
    return place


def _ledger_rows(grid: Grid, done: "Done") -> "Iterator[Row]":
    """Yield what the ledger writes of some trials."""
    for place, row in zip(done.places, done.rows.tolist(), strict=True):
        text = as_text(parameters_of(grid, place))
        yield text, tuple(None if math.isnan(value) else value for value in row)


def _out_of_sample(
    strategy: Make, bars: Bars, parameters: dict[str, Any], arguments: dict[str, Any]
) -> dict[str, Any]:
    """Run the chosen trial on what it was not chosen on."""
    try:
        row = run_trial(strategy, parameters, bars, arguments)
    except DataError as error:
        message = f"nothing is left after the split: {error}"
        raise ConfigError(message) from error
    if isinstance(row, str):
        raise ConfigError(row)
    found = dict(zip(FIGURES, row.tolist(), strict=False))
    return {
        "start": str(arguments["start"]),
        **{name: None if math.isnan(value) else value for name, value in found.items()},
    }


def make_core(
    make: Make, bars: Bars, grid: Grid, *, costs: Costs, capital: float = 100_000.0
) -> Callable[[], int]:
    """Return what runs all trials of compiled strategies in the kernel, for those who time it.

    Strategies are made before; signals, decisions, fills, equity and figures are made when it is
    called, on this thread. It returns how many trials it ran.
    """
    from neural_trader.backtesting.sweeps.compiled import Worker, chunks
    from neural_trader.strategies.indicators import IndicatorCache

    made = {place: make(**parameters) for place, parameters in enumerate(trials(grid))}
    asked = Range(None, None, "before", None)
    window = open_window(bars, next(iter(made.values())).symbols, asked)
    worker = Worker(window, capital, costs)

    def core() -> int:
        cache = IndicatorCache()
        return sum(len(worker.run(chunk)) for chunk in chunks(made, window, cache, is_kept=False))

    return core
