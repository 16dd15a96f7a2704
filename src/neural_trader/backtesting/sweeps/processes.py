"""Trials on processes, for strategies that are Python code: bars are shared, not sent."""

import pickle
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np

from neural_trader.backtesting.sweeps.grid import Grid
from neural_trader.core import Bars, Block, ConfigError
from neural_trader.core.bars import Floats

_IN_FLIGHT = 4


class SharedBars:
    """Bars in shared memory: every process reads the same columns.

    The block's stamps and fields stand one after the other; ``layout`` says where, and can be sent
    to another process.
    """

    def __init__(self, bars: Bars) -> None:
        columns = [
            (index, name, np.ascontiguousarray(values))
            for index, block in enumerate(bars.blocks)
            for name, values in (("", block.ts_close_ns), *block.fields.items())
        ]
        size = sum(values.nbytes for _, _, values in columns)
        self.memory = SharedMemory(create=True, size=max(size, 1))
        at = 0
        places = []
        for index, name, values in columns:
            target: np.ndarray[Any, Any] = np.ndarray(
                values.shape, values.dtype, self.memory.buf, at
            )
            target[:] = values
            places.append((index, name, values.shape, values.dtype.str, at))
            at += values.nbytes
        self.layout = {
            "memory": self.memory.name,
            "columns": places,
            "symbols": [block.symbols for block in bars.blocks],
            "name": bars.name,
            "basis": bars.basis,
            "labels": bars.labels,
            "splits": bars.splits,
            "data_hash": bars.data_hash,
        }

    def close(self) -> None:
        """Give the memory back."""
        self.memory.close()
        self.memory.unlink()


def open_shared(layout: dict[str, Any]) -> tuple[Bars, SharedMemory]:
    """Return the bars that another process shares, and what keeps their memory mapped."""
    memory = SharedMemory(name=layout["memory"])
    stamps: dict[int, Any] = {}
    fields: dict[int, dict[str, Floats]] = {}
    for index, name, shape, kind, at in layout["columns"]:
        values: np.ndarray[Any, Any] = np.ndarray(shape, kind, memory.buf, at)
        values.flags.writeable = False
        if name:
            fields.setdefault(index, {})[name] = values
        else:
            stamps[index] = values
    blocks = tuple(
        Block(symbols, stamps[index], fields[index])
        for index, symbols in enumerate(layout["symbols"])
    )
    bars = Bars(
        blocks,
        name=layout["name"],
        basis=layout["basis"],
        labels=layout["labels"],
        splits=layout["splits"],
    )
    bars.remember_hash(layout["data_hash"])
    return bars, memory


class _Desk:
    """What a worker process keeps between trials."""

    def __init__(self, sent: bytes) -> None:
        layout, self.make, self.arguments, self.run = pickle.loads(sent)  # noqa: S301 - of our parent
        self.bars, self.memory = open_shared(layout)


_desk: list[_Desk] = []


def _start(sent: bytes) -> None:
    _desk.append(_Desk(sent))


def _run_one(parameters: dict[str, Any]) -> Floats:
    desk = _desk[0]
    row: Floats = desk.run(desk.make(**parameters), desk.bars, desk.arguments)
    return row


class ProcessWorkers:
    """Processes that run trials: as many as asked for, each with the strategy and the bars."""

    def __init__(
        self, strategy: Callable[..., Any], bars: Bars, arguments: dict[str, Any], count: int
    ) -> None:
        self.strategy = strategy
        self.bars = bars
        self.arguments = arguments
        self.count = count

    def run(
        self, todo: list[int], grid: Grid, run_trial: Callable[..., Floats]
    ) -> Iterator[tuple[list[int], Floats]]:
        """Yield trials with their rows, in their order.

        Raises
        ------
        ConfigError
            The strategy cannot be sent to another process.
        """
        shared = SharedBars(self.bars)
        try:
            sent = self._pickled(shared.layout, run_trial)
            # Spawned, not forked: a fork would copy the state of threads that it does not have.
            with ProcessPoolExecutor(
                self.count, mp_context=get_context("spawn"), initializer=_start, initargs=(sent,)
            ) as pool:
                yield from self._in_order(pool, todo, grid)
        finally:
            shared.close()

    def _pickled(self, layout: dict[str, Any], run_trial: Callable[..., Floats]) -> bytes:
        try:
            return pickle.dumps((layout, self.strategy, self.arguments, run_trial))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            message = (
                f"the strategy cannot be sent to another process ({error}); give a class of a "
                "module or functools.partial of one, or use engine='threads'"
            )
            raise ConfigError(message) from error

    def _in_order(
        self, pool: ProcessPoolExecutor, todo: list[int], grid: Grid
    ) -> Iterator[tuple[list[int], Floats]]:
        names, sizes = list(grid), [len(values) for values in grid.values()]
        waiting: deque[tuple[int, Future[Floats]]] = deque()
        try:
            for place in todo:
                at = np.unravel_index(place, sizes)
                parameters = {name: grid[name][k] for name, k in zip(names, at, strict=True)}
                waiting.append((place, pool.submit(_run_one, parameters)))
                if len(waiting) >= _IN_FLIGHT * self.count:
                    first, future = waiting.popleft()
                    yield [first], future.result()[None, :]
            while waiting:
                first, future = waiting.popleft()
                yield [first], future.result()[None, :]
        finally:
            for _, future in waiting:
                future.cancel()
