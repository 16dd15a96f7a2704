"""Trials on processes, for strategies that are Python code: bars are shared, not sent."""

import contextlib
import mmap
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
from neural_trader.data import Place, place_of

_PREFIX: Final = "ntrader-"
_OPEN_FILES: Final = Path("/proc/self/fd")
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
    """Bars that every process reads from the same pages.

    Columns that lie in the column cache are mapped from its file by whoever reads them; the others
    are copied, once, into shared memory. ``layout`` says where each is, and can be sent to another
    process.

    Attributes
    ----------
    layout : dict
        What :func:`open_shared` needs.
    copied_bytes : int
        Bytes in shared memory.
    """

    def __init__(self, bars: Bars) -> None:
        self._open: dict[tuple[int, int], int | None] = {}
        places = []
        copied: list[tuple[int, np.ndarray[Any, Any]]] = []
        self.copied_bytes = 0
        for index, block in enumerate(bars.blocks):
            for name, values in (("", block.ts_close_ns), *block.fields.items()):
                place = place_of(values)
                file = None if place is None else self._file(place)
                if file is None or place is None:
                    at = self.copied_bytes
                    copied.append((at, values))
                    self.copied_bytes += values.nbytes
                else:
                    at = place.offset
                places.append((index, name, values.shape, values.dtype.str, file, at))
        self.memory = self._copy(copied)
        self.layout = {
            "memory": None if self.memory is None else self.memory.name,
            "columns": places,
            "symbols": [block.symbols for block in bars.blocks],
            "name": bars.name,
            "basis": bars.basis,
            "labels": bars.labels,
            "splits": bars.splits,
            "data_hash": bars.data_hash,
        }

    def _file(self, place: Place) -> str | None:
        """Return a path under which other processes find a file, even once it is evicted."""
        if not _OPEN_FILES.is_dir():
            return None
        if place.inode not in self._open:
            self._open[place.inode] = None
            with contextlib.suppress(OSError):
                handle = os.open(place.path, os.O_RDONLY)
                found = os.fstat(handle)
                # Another file may have taken its place since it was mapped.
                if (found.st_dev, found.st_ino) == place.inode:
                    self._open[place.inode] = handle
                else:
                    os.close(handle)
        handle_or_none = self._open[place.inode]
        return None if handle_or_none is None else f"/proc/{os.getpid()}/fd/{handle_or_none}"

    def _copy(self, copied: list[tuple[int, np.ndarray[Any, Any]]]) -> SharedMemory | None:
        """Copy columns into shared memory; None where there are none."""
        if not copied:
            return None
        _remove_stale()
        _check_room(self.copied_bytes)
        name = f"{_PREFIX}{os.getpid()}-{id(self):x}"
        memory = SharedMemory(name, create=True, size=max(self.copied_bytes, 1))
        for at, values in copied:
            target: np.ndarray[Any, Any] = np.ndarray(values.shape, values.dtype, memory.buf, at)
            target[:] = values
        return memory

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the memory back, and close the files."""
        for handle in self._open.values():
            if handle is not None:
                os.close(handle)
        self._open.clear()
        if self.memory is not None:
            self.memory.close()
            self.memory.unlink()


Held = tuple[SharedMemory | None, dict[str, mmap.mmap]]
"""What keeps shared bars mapped."""


def open_shared(layout: dict[str, Any]) -> tuple[Bars, Held]:
    """Return the bars that another process shares, and what keeps their memory mapped."""
    memory = None if layout["memory"] is None else SharedMemory(name=layout["memory"])
    files: dict[str, mmap.mmap] = {}
    stamps: dict[int, Any] = {}
    fields: dict[int, dict[str, Floats]] = {}
    for index, name, shape, kind, path, at in layout["columns"]:
        buffer: mmap.mmap | memoryview | None = memory.buf if memory is not None else None
        if path is not None:
            if path not in files:
                with Path(path).open("rb") as file:
                    files[path] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            buffer = files[path]
        values: np.ndarray[Any, Any] = np.ndarray(shape, kind, buffer, at)
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
    return bars, (memory, files)


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
    """What a process keeps between trials; what is held, so that the bars stay mapped."""

    make: Make
    bars: Bars
    arguments: dict[str, Any]
    held: Held


_desk: list[_Desk] = []


def open_desk(sent: bytes) -> None:
    """Unpack what the parent sent; called once in every process."""
    # Ctrl-C goes to every process of a terminal: the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    layout, make, arguments = pickle.loads(sent)  # noqa: S301 - of our parent
    bars, held = open_shared(layout)
    _desk.append(_Desk(make, bars, arguments, held))


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
    cache = desk.arguments["cache"]
    before = cache.stats
    row = run_trial(desk.make, parameters, desk.bars, desk.arguments)
    after = cache.stats
    return row, after.hits - before.hits, after.misses - before.misses
