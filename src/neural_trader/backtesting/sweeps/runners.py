"""Runs trials in turn, on threads or on processes, and yields their rows in the order begun.

Whatever the grid, few trials are under way at a time: what grows with it is one row a trial.
"""

import itertools
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from typing import Any, Final, NamedTuple

import numpy as np

from neural_trader.backtesting.engine import backtest
from neural_trader.backtesting.sweeps import compiled
from neural_trader.backtesting.sweeps.grid import Grid, parameters_of
from neural_trader.backtesting.sweeps.processes import SharedBars, open_desk, pack, run_at_desk
from neural_trader.backtesting.sweeps.result import NotRun
from neural_trader.backtesting.sweeps.trials import WIDTH, Make, rows_of_kernel, run_trial
from neural_trader.backtesting.window import Range, Window, open_window
from neural_trader.core import Bars, ConfigError, StrategyError
from neural_trader.core.bars import Floats

_BLOCK: Final = 2048
"""Strategies that are made ahead, to group those that share their signals."""
_IN_FLIGHT: Final = 16
"""Jobs under way for each worker: enough to go on with while the next block is made."""

_BROKEN: Final = (
    "a worker process ended before its trial was done: the strategy ended it, memory ran out, or "
    "it could not import the strategy. A script needs its sweep under if __name__ == '__main__':, "
    "and a notebook its strategy in a module; engine='threads' (--engine threads) runs the trials "
    "here, one after the other, and shows what goes wrong"
)


class Plan(NamedTuple):
    """What to run: a factory of strategies, on which bars, and the places of the trials.

    ``arguments`` are those of ``nt.backtest``. Their cache is that of this process; another process
    has one of its own, as large.
    """

    make: Make
    bars: Bars
    arguments: dict[str, Any]
    grid: Grid
    todo: Sequence[int]
    workers: int


class Done(NamedTuple):
    """Trials that are done: their places, their rows (n, WIDTH), and those that were refused.

    ``elsewhere`` counts hits and misses of the cache of another process.
    """

    places: list[int]
    rows: Floats
    not_run: list[NotRun]
    elsewhere: tuple[int, int] = (0, 0)


def run_in_turn(plan: Plan) -> Iterator[Done]:
    """Run each trial as a backtest, one after the other."""
    for place in plan.todo:
        yield _run_one(plan, place)


def run_on_processes(plan: Plan) -> Iterator[Done]:
    """Run each trial as a backtest, on processes that share the bars.

    Raises
    ------
    ConfigError
        The strategy cannot be sent to another process, or the bars cannot be shared.
    StrategyError
        A process ended by itself.
    """
    with SharedBars(plan.bars) as shared:
        sent = pack(shared.layout, plan.make, plan.arguments)
        # Spawned, not forked: a fork would copy the state of threads that it does not have.
        with ProcessPoolExecutor(
            plan.workers, mp_context=get_context("spawn"), initializer=open_desk, initargs=(sent,)
        ) as pool:
            jobs = (partial(run_at_desk, parameters_of(plan.grid, place)) for place in plan.todo)
            outcomes = _in_order(pool, jobs, plan.workers)
            try:
                for place, found in zip(plan.todo, outcomes, strict=True):
                    row, *counts = found
                    yield _done(place, row)._replace(elsewhere=tuple(counts))
            except BrokenProcessPool as error:
                raise StrategyError(_BROKEN) from error


def run_on_threads(plan: Plan) -> Iterator[Done]:
    """Run compiled strategies by the kernel, which holds no lock of Python's."""
    jobs = _jobs(plan)
    if plan.workers == 1:
        yield from (job() for job in jobs)
        return
    with ThreadPoolExecutor(plan.workers) as pool:
        yield from _in_order(pool, jobs, plan.workers)


def _jobs(plan: Plan) -> Iterator[Callable[[], Done]]:
    """Make strategies, a block at a time, and yield those that share their signals as one job."""
    window: Window | None = None
    local = threading.local()
    left = iter(plan.todo)
    while block := list(itertools.islice(left, _BLOCK)):
        made, refused = _make(plan, block)
        if refused:
            yield partial(Done, [], np.empty((0, WIDTH)), refused)
        if not compiled.is_fast(made.values(), plan.arguments["costs"]):
            yield from (partial(_run_one, plan, place) for place in made)
            continue
        if window is None:
            first = next(iter(made.values()))
            # One run of its own: it refuses whatever nt.backtest refuses.
            backtest(first, plan.bars, **(plan.arguments | {"max_leverage": math.inf}))
            window = _window(first, plan)
        cache, is_kept = plan.arguments["cache"], len(plan.todo) > _BLOCK
        for chunk in compiled.chunks(made, window, cache, is_kept=is_kept):
            yield partial(_run_chunk, plan, window, local, chunk)


def _run_chunk(plan: Plan, window: Window, local: Any, chunk: compiled.Chunk) -> Done:  # noqa: ANN401
    if not hasattr(local, "worker"):
        local.worker = compiled.Worker(
            window, float(plan.arguments["capital"]), plan.arguments["costs"]
        )
    raw = local.worker.run(chunk)
    return Done(chunk.places, rows_of_kernel(raw, window, plan.arguments), [])


def _run_one(plan: Plan, place: int) -> Done:
    parameters = parameters_of(plan.grid, place)
    return _done(place, run_trial(plan.make, parameters, plan.bars, plan.arguments))


def _done(place: int, found: Floats | str) -> Done:
    if isinstance(found, str):
        return Done([], np.empty((0, WIDTH)), [NotRun(place, found)])
    return Done([place], found[None, :], [])


def _make(plan: Plan, block: list[int]) -> tuple[dict[int, Any], list[NotRun]]:
    """Make strategies; parameters that they refuse are noted."""
    made: dict[int, Any] = {}
    refused: list[NotRun] = []
    for place in block:
        try:
            made[place] = plan.make(**parameters_of(plan.grid, place))
        except ConfigError as error:
            refused.append(NotRun(place, str(error)))
    return made, refused


def _window(strategy: Any, plan: Plan) -> Window:  # noqa: ANN401 - any compiled one
    dates = (plan.arguments[name] for name in ("start", "end"))
    start, end = (None if date is None else str(date) for date in dates)
    asked = Range(start, end, plan.arguments["warmup"], plan.arguments["fill_at"])
    return open_window(plan.bars, strategy.symbols, asked)


def _in_order(pool: Executor, jobs: Iterable[Callable[[], Any]], workers: int) -> Iterator[Any]:
    """Yield what jobs return, in their order; few are under way at a time, to bound memory."""
    waiting: deque[Future[Any]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(job))
            if len(waiting) >= _IN_FLIGHT * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
