"""Where a case spends its time and memory, and what an event loop waits for."""

import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from neural_trader.bench.orders_stack import Stack, placements
from neural_trader.bench.orders_suite import CASES as ORDERS_CASES
from neural_trader.bench.orders_suite import OrdersCase
from neural_trader.core import BenchError, ConfigError

_SLACK_S: Final = 300.0
_RATE: Final = 200
_CLOSED_RATE: Final = 4_000
_WINDOW_RATE: Final = 10_000
_TOP: Final = 20
_SUITE_OF_ORDERS: Final = "open_1000"
LOAD_CASES: Final = {case.name: case for case in ORDERS_CASES if case.window or case.rate} | {
    "gateway": next(case for case in ORDERS_CASES if case.name == _SUITE_OF_ORDERS)
}
"""Those of the order path: the gateway is what is profiled. ``gateway`` is 1,000 a second."""


class Profile(NamedTuple):
    """What was found: how it was measured, figures for JSON, and what the page draws.

    ``svg`` is a flame graph as the profiler wrote it, empty for the other kinds.
    """

    case: str
    kind: str
    tool: str
    figures: dict[str, Any]
    drawn: dict[str, Any]
    svg: str = ""


def case_names() -> list[str]:
    """Return every case that can be profiled."""
    from neural_trader.bench.profile_work import suites

    plain = [name for names, _ in suites().values() for name in names]
    return list(dict.fromkeys([*plain, *(name for name in LOAD_CASES if name not in plain)]))


def check_case(name: str, kind: str) -> None:
    """Refuse a case that does not exist, or has no event loop where one is asked for.

    Raises
    ------
    ConfigError
        It does not.
    """
    known = list(LOAD_CASES) if kind == "async" else case_names()
    if kind == "async" and name in case_names() and name not in LOAD_CASES:
        message = (
            f"case is {name!r}, which has no event loop; --async expects one of {', '.join(known)}"
        )
        raise ConfigError(message)
    if name not in known:
        message = f"case is {name!r}; expected one of {', '.join(known)}"
        raise ConfigError(message)


def profile_cpu(name: str, seconds: float) -> Profile:
    """Sample a case by py-spy and return the flame graph.

    Parameters
    ----------
    name : str
        From ``case_names``; of the order path the gateway is sampled.
    seconds : float

    Raises
    ------
    ConfigError
        py-spy is not installed.
    BenchError
        It failed, or the work did.
    """
    spy = _find_spy()
    # Stacks of compiled code need an unwinder that py-spy has on x86 only.
    is_native = sys.platform.startswith("linux") and platform.machine() == "x86_64"
    with tempfile.TemporaryDirectory(prefix="neural-trader-profile-") as folder:
        file = Path(folder) / "flames.svg"
        options = [
            "--rate",
            str(_RATE),
            "--output",
            str(file),
            *(["--native"] if is_native else []),
        ]
        command = [spy, "record", *options]
        if name in LOAD_CASES:
            duration = ["--duration", str(max(1, round(seconds)))]

            def spied(pid: int) -> list[str]:
                return [*command, *duration, "--pid", str(pid)]

            _run_load(LOAD_CASES[name], seconds + 1.0, Path(folder), beside=spied)
        else:
            work = [sys.executable, "-m", "neural_trader.bench.profile_work", name, str(seconds)]
            _run([*command, "--", *work], seconds)
        if not file.is_file():
            message = f"py-spy wrote no flame graph of {name}"
            raise BenchError(message)
        svg = _titled(file.read_text(encoding="utf-8"), name)
    samples = re.search(r"<title>all \(([\d,]+) samples", svg)
    figures = {
        "seconds": seconds,
        "samples": int(samples[1].replace(",", "")) if samples else None,
        "samples_a_second": _RATE,
        "native": is_native,
    }
    return Profile(name, "cpu", f"py-spy {_version('py-spy')}", figures, {}, svg)


def profile_memory(name: str, seconds: float) -> Profile:
    """Watch the heap of a case: by memray, or by tracemalloc where that is not installed.

    Raises
    ------
    BenchError
        The work failed, or left nothing to read.
    """
    tool = "memray" if importlib.util.find_spec("memray") else "tracemalloc"
    with tempfile.TemporaryDirectory(prefix="neural-trader-profile-") as folder:
        file = Path(folder) / "memory"
        if name in LOAD_CASES:
            _run_load(LOAD_CASES[name], seconds, Path(folder), watched=(tool, str(file)))
        else:
            module = "neural_trader.bench.profile_work"
            _run([sys.executable, "-m", module, name, str(seconds), tool, str(file)], seconds)
        if not file.is_file():
            message = f"{tool} wrote nothing of {name}"
            raise BenchError(message)
        found = _read_memray(file) if tool == "memray" else json.loads(file.read_text())
    heap = [size for _, size in found["timeline"]]
    figures = {
        "seconds": seconds,
        "peak_mb": found["peak_bytes"] / 1e6,
        "first_mb": heap[0] / 1e6 if heap else None,
        "last_mb": heap[-1] / 1e6 if heap else None,
        "places": found["places"],
    }
    version = f"memray {_version('memray')}" if tool == "memray" else "tracemalloc"
    return Profile(name, "memory", version, figures, {"timeline": found["timeline"]})


def profile_loop(name: str, seconds: float) -> Profile:
    """Time what the gateway's event loop calls under a load, and how late its timers are.

    Raises
    ------
    BenchError
        Orders were lost, doubled or rejected, or the gateway left nothing to read.
    """
    with tempfile.TemporaryDirectory(prefix="neural-trader-profile-") as folder:
        file = Path(folder) / "loop.json"
        _run_load(LOAD_CASES[name], seconds, Path(folder), watched=("loop", str(file)))
        if not file.is_file():
            message = "the gateway ended without a report of its event loop"
            raise BenchError(message)
        found = json.loads(file.read_text(encoding="utf-8"))
    callbacks = [
        {"name": called, "calls": len(taken), "total_ms": sum(taken) / 1e6, **_quantiles(taken)}
        for called, taken in found["durations_ns"].items()
    ]
    callbacks.sort(key=lambda one: -one["total_ms"])
    figures = {
        "seconds": seconds,
        "loop": found["loop"],
        "lag": {"count": len(found["lags_ns"]), **_quantiles(found["lags_ns"])},
        "callbacks": callbacks,
        "slowest": [
            {"name": one["name"], "us": one["ns"] / 1e3} for one in found["slowest"][:_TOP]
        ],
    }
    drawn = {
        "lags_us": [ns / 1e3 for ns in found["lags_ns"]],
        "calls_us": [ns / 1e3 for taken in found["durations_ns"].values() for ns in taken],
    }
    return Profile(name, "async", "a probe in the gateway", figures, drawn)


def _run_load(
    case: OrdersCase,
    seconds: float,
    folder: Path,
    *,
    watched: tuple[str, str] | None = None,
    beside: Callable[[int], list[str]] | None = None,
) -> None:
    """Run venue and gateway, the gateway watched by a tool of ours or by a program beside it."""
    rate = case.rate or (_WINDOW_RATE if case.window > 1 else _CLOSED_RATE)
    serve = ("neural_trader.bench.gateway_child", *watched) if watched else ("neural_trader",)
    with Stack("process-safe", placements()["unpinned"], folder, serve_with=serve) as stack:
        orders = max(int(rate * seconds), 500)

        def load() -> None:
            stack.load(orders, window=case.window, rate=case.rate)

        if beside is None:
            load()
            return
        failures: list[BenchError] = []

        def watch() -> None:
            try:
                _run(beside(stack.gateway_pid), seconds)
            except BenchError as error:
                failures.append(error)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            # A load that is over sooner than thought goes on until the samples are taken.
            load()
            while watcher.is_alive():
                load()
        finally:
            watcher.join()
        if failures:
            raise failures[0]


def _run(command: list[str], seconds: float) -> None:
    """Run a program to its end, and end it where that does not come or we are interrupted."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=seconds + _SLACK_S)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            message = f"{Path(command[0]).name} did not end within {seconds + _SLACK_S:g} s"
            raise BenchError(message) from None
        raise
    if process.returncode:
        last = (said.strip().splitlines() or ["it said nothing"])[-1]
        message = (
            f"{Path(command[0]).name} failed with exit code {process.returncode}: {last[:300]}"
        )
        raise BenchError(message)


def _read_memray(file: Path) -> dict[str, Any]:
    """Return the heap over time, its peak, and who held most at the peak."""
    from memray import FileReader

    with FileReader(file) as reader:
        snapshots = list(reader.get_memory_snapshots())
        peak = int(reader.metadata.peak_memory)
        records = list(reader.get_high_watermark_allocation_records(merge_threads=True))
    places: dict[str, list[int]] = {}
    for record in records:
        stack = record.stack_trace(max_stacks=1)
        place = _place(*stack[0]) if stack else "no Python frame"
        held = places.setdefault(place, [0, 0])
        held[0] += record.size
        held[1] += record.n_allocations
    most = sorted(places.items(), key=lambda one: -one[1][0])[:_TOP]
    began = snapshots[0].time if snapshots else 0
    return {
        "timeline": [((one.time - began) / 1e3, one.heap) for one in snapshots],
        "peak_bytes": peak,
        "places": [{"place": place, "bytes": size, "count": n} for place, (size, n) in most],
    }


def _place(function: str, file: str, line: int) -> str:
    """Return a line of code, without the folders that differ from machine to machine."""
    path = Path(file)
    roots = [Path(root) for root in sys.path if root and path.is_relative_to(root)]
    # The longest root: packages lie in a folder of the library, which is a root too.
    longest = max(roots, key=lambda root: len(root.parts), default=None)
    return f"{path.relative_to(longest) if longest else path}:{line} {function}"


def _titled(svg: str, name: str) -> str:
    """Return a flame graph with the name of the case for a title, where the command stood."""
    return re.sub(r'(<text id="title"[^>]*>)[^<]*', rf"\g<1>{name}: CPU samples", svg, count=1)


def _quantiles(values: list[int]) -> dict[str, float | None]:
    if not values:
        return dict.fromkeys(("p50_us", "p99_us", "max_us"))
    found = np.quantile(values, (0.5, 0.99, 1.0)) / 1e3
    return dict(zip(("p50_us", "p99_us", "max_us"), found.tolist(), strict=True))


def _find_spy() -> str:
    beside = Path(sys.executable).with_name("py-spy")
    found = str(beside) if beside.exists() else shutil.which("py-spy")
    if found is None:
        message = (
            "--cpu needs py-spy, which is not installed; install the extra: "
            "pip install 'neural-trader[bench]'"
        )
        raise ConfigError(message)
    return found


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "of the system"
