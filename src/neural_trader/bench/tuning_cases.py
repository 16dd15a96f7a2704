"""What can be tuned: the settings of every case, the one that the product has first."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from neural_trader.core import ConfigError

REALTIME: Final = "realtime"


class Setting(NamedTuple):
    """One way to run a process, and what sets it outside of the bench.

    ``env`` is the process's environment. Of a gateway: ``place`` is one of the orders bench's
    placements, ``durability`` and ``segment_mb`` stand in its configuration, ``gc`` and
    ``socket_bytes`` are what ``tuning_child`` takes. Of research: ``workers``.
    """

    name: str
    by: str
    place: str = "one core"
    durability: str = "process-safe"
    segment_mb: int = 64
    gc: str = "frozen"
    socket_bytes: int = 0
    env: dict[str, str] = {}  # noqa: RUF012 - a tuple's default, never changed
    is_realtime: bool = False
    workers: int = 1


class TuningCase(NamedTuple):
    """A switch: its name, what it is in words, its settings, and what it is measured with.

    The first setting is what the product does by itself; each other one is held against it.
    ``works`` are those of ``tuning_work``; none means orders through a gateway.
    """

    name: str
    words: str
    settings: tuple[Setting, ...]
    works: tuple[str, ...] = ()


_BY_ITSELF: Final = Setting("as it is", "nothing")
_ARENA: Final = {"MALLOC_ARENA_MAX": "1"}
_TRIM: Final = {"MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_MMAP_THRESHOLD_": "65536"}
_KEEP: Final = {"MALLOC_TRIM_THRESHOLD_": "268435456", "MALLOC_MMAP_THRESHOLD_": "268435456"}
_ALLOCATORS: Final = (
    Setting("one arena", "MALLOC_ARENA_MAX=1", env=_ARENA),
    Setting("trim early", "MALLOC_TRIM_THRESHOLD_=65536 and _MMAP_ likewise", env=_TRIM),
    Setting("never trim", "MALLOC_TRIM_THRESHOLD_=268435456 and _MMAP_ likewise", env=_KEEP),
)
_BLAS: Final = "OPENBLAS_NUM_THREADS"
CASES: Final = (
    TuningCase(
        "affinity",
        "which cores the order path may use",
        (
            Setting("free", "nothing", place="unpinned"),
            Setting("one core", "taskset -c 0, for client, gateway and venue"),
            Setting("gateway apart", "taskset -c 0, for the gateway", place="gateway apart"),
        ),
    ),
    TuningCase(
        "gc",
        "the gateway's collector of garbage",
        (
            Setting("frozen after start", "nothing"),
            Setting("Python's own", "not to be set", gc="python"),
            Setting("off", "not to be set", gc="off"),
        ),
    ),
    TuningCase(
        "journal",
        "what an acknowledged order survives, and the size of the journal's files",
        (
            Setting("power-safe", "nothing", durability="power-safe"),
            Setting("process-safe", 'durability = "process-safe"'),
            Setting("files of 8 MB", "segment_mb = 8", durability="power-safe", segment_mb=8),
            Setting("files of 512 MB", "segment_mb = 512", durability="power-safe", segment_mb=512),
        ),
    ),
    TuningCase(
        "sockets",
        "the buffers of the gateway's connections",
        (
            _BY_ITSELF,
            Setting("16 KB", "not to be set", socket_bytes=16 << 10),
            Setting("1 MB", "not to be set", socket_bytes=1 << 20),
        ),
    ),
    TuningCase("malloc", "the gateway's allocator", (_BY_ITSELF, *_ALLOCATORS)),
    TuningCase(
        REALTIME,
        "scheduling of the gateway by SCHED_FIFO",
        (_BY_ITSELF, Setting("SCHED_FIFO", "chrt -f 1", is_realtime=True)),
    ),
    TuningCase(
        "blas",
        "threads of linear algebra",
        (
            Setting("one thread", "nothing", env={_BLAS: "1"}),
            Setting("two threads", f"{_BLAS}=2", env={_BLAS: "2"}),
        ),
        ("algebra",),
    ),
    TuningCase(
        "workers",
        "workers of a sweep",
        (Setting("one", "--workers 1"), Setting("two", "--workers 2", workers=2)),
        ("sweep",),
    ),
    TuningCase(
        "memory",
        "the allocator of research",
        (_BY_ITSELF, *_ALLOCATORS),
        ("backtest", "sweep"),
    ),
)
TUNING_NAMES: Final = tuple(case.name for case in CASES)


def choose_tuning_cases(names: Sequence[str], *, realtime: bool) -> list[TuningCase]:
    """Return the cases that are named, or all; real-time scheduling only where it is asked for.

    Raises
    ------
    ConfigError
        A name that there is not, or ``realtime`` without being asked for.
    """
    for name in names:
        if name not in TUNING_NAMES:
            message = f"case is {name!r}; expected one of {', '.join(TUNING_NAMES)}"
            raise ConfigError(message)
    if REALTIME in names and not realtime:
        message = (
            "the case realtime makes a gateway real-time, which can take a core from everything "
            "else; say that this is meant with --realtime"
        )
        raise ConfigError(message)
    return [
        case
        for case in CASES
        if (case.name in names or not names or (case.name == REALTIME and realtime))
        and (case.name != REALTIME or realtime)
    ]
