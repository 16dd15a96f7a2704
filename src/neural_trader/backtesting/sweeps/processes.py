"""Trials on processes, for strategies that are Python code: bars are shared, not sent."""

import contextlib
import os
import pickle
import signal
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np

from neural_trader.backtesting.sweeps.trials import Make, run_trial
from neural_trader.core import Bars, Block, ConfigError
from neural_trader.core.bars import Floats
from neural_trader.strategies.indicators import IndicatorCache

_PREFIX: Final = "ntrader-"
_HOME: Final = Path("/dev/shm")  # noqa: S108 - where Linux shows shared memory


def _remove_stale() -> None:
    """Give back what processes of this user have left behind that were killed."""
    for path in _HOME.glob(f"{_PREFIX}*"):
        pid = path.name.removeprefix(_PREFIX).partition("-")[0]
        # Another user's, or one that another sweep has just removed, is not ours to mind.
        with contextlib.suppress(OSError):
            mine = path.stat().st_uid == os.getuid()
            if mine and pid.isdecimal() and not Path("/proc", pid).exists():
                path.unlink()


def _check_room(size: int) -> None:
    """Refuse bars that shared memory has no room for: writing to them would kill the process."""
    if not _HOME.is_dir():
        return
    found = os.statvfs(_HOME)
    free = found.f_bavail * found.f_frsize
    if size > free:
        message = (
            f"the bars take {size / 1e6:,.0f} MB and shared memory ({_HOME}) has "
            f"{free / 1e6:,.0f} MB free; make it larger (docker: --shm-size), load less, or use "
            "engine='threads' (--engine threads), which runs one trial after the other"
        )
        raise ConfigError(message)


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
        _remove_stale()
        _check_room(size)
        name = f"{_PREFIX}{os.getpid()}-{id(self):x}"
        self.memory = SharedMemory(name, create=True, size=max(size, 1))
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

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
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


def pack(layout: dict[str, Any], make: Make, arguments: dict[str, Any]) -> bytes:
    """Return what a process needs before its first trial.

    Raises
    ------
    ConfigError
        The strategy cannot be sent to another process.
    """
    try:
        return pickle.dumps((layout, make, arguments))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        message = (
            f"the strategy cannot be sent to another process ({error}); give a class of a "
            "module or functools.partial of one, or use engine='threads'"
        )
        raise ConfigError(message) from error


class _Desk(NamedTuple):
    """What a process keeps between trials; the memory, so that the bars stay mapped."""

    make: Make
    bars: Bars
    arguments: dict[str, Any]
    memory: SharedMemory
    cache: IndicatorCache


_desk: list[_Desk] = []


def open_desk(sent: bytes) -> None:
    """Unpack what the parent sent; called once in every process."""
    # Ctrl-C goes to every process of a terminal: the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    layout, make, arguments = pickle.loads(sent)  # noqa: S301 - of our parent
    bars, memory = open_shared(layout)
    _desk.append(_Desk(make, bars, arguments, memory, IndicatorCache()))


def run_at_desk(parameters: dict[str, Any]) -> tuple[Floats | str, int, int]:
    """Run a trial in this process.

    Returns
    -------
    array or str
        Its row, or why its parameters are none.
    int, int
        Hits and misses that it had in the cache of this process.
    """
    desk = _desk[0]
    before = desk.cache.stats
    row = run_trial(desk.make, parameters, desk.bars, desk.arguments, cache=desk.cache)
    after = desk.cache.stats
    return row, after.hits - before.hits, after.misses - before.misses
