"""The tuning bench: verdicts, answers, reasons, and the child that takes settings on."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from neural_trader.app.cli.main import cli
from neural_trader.bench import tuning
from neural_trader.bench.realtime import cpu_s, drop
from neural_trader.bench.tuning import (
    GAIN_MIN,
    ROUNDS_MIN,
    Sample,
    check_answers,
    rows_of,
    run_tuning_suite,
    unit_of,
    verdict_of,
)
from neural_trader.bench.tuning_cases import CASES, TUNING_NAMES, choose_tuning_cases
from neural_trader.bench.tuning_child import set_collector
from neural_trader.core import BenchError, ConfigError

GC = next(case for case in CASES if case.name == "gc")
BLAS = next(case for case in CASES if case.name == "blas")


def quietly(_name: str) -> None:
    """Say nothing."""


# ------------------------------------------------------------------------------------- verdicts
@pytest.mark.parametrize(
    ("gain", "low", "high", "rounds", "expected"),
    [
        (1.20, 1.10, 1.30, 5, "kept"),
        (1.20, 0.99, 1.30, 5, "dropped"),
        (1.20, 1.00, 1.30, 9, "dropped"),
        (GAIN_MIN - 0.01, 1.01, 1.04, 9, "dropped"),
        (0.50, 0.40, 0.60, 9, "dropped"),
        (2.00, 1.90, 2.10, ROUNDS_MIN - 1, "undecided"),
        (2.00, math.nan, math.nan, 9, "undecided"),
    ],
)
def test_verdict(gain: float, low: float, high: float, rounds: int, expected: str) -> None:
    assert verdict_of(gain, low, high, rounds) == expected


def test_gain_is_taken_inside_a_round_whatever_the_load() -> None:
    # The machine is ten times slower in every other round: the ratio is the same in all.
    loads = [1.0, 10.0, 1.0, 10.0, 1.0]
    pairs = [(Sample({"P50": 200 * load}, {}), Sample({"P50": 100 * load}, {})) for load in loads]
    (row,) = rows_of(GC, GC.settings[1], pairs, None)
    assert (row.ratio, row.params["gain_low"], row.params["gain_high"]) == (2.0, 2.0, 2.0)
    assert (row.params["verdict"], row.unit) == ("kept", "us")
    assert (row.baseline, row.value, row.low, row.high) == (200.0, 100.0, 100.0, 1_000.0)


def test_more_orders_a_second_are_a_gain() -> None:
    pairs = [(Sample({"window of 8": 1_000.0}, {}), Sample({"window of 8": 2_000.0}, {}))] * 5
    (row,) = rows_of(GC, GC.settings[1], pairs, None)
    assert (row.unit, row.ratio, row.params["verdict"]) == ("orders/s", 2.0, "kept")


def test_one_round_has_no_interval_and_no_verdict() -> None:
    pair = Sample({"memory": 50.0}, {}), Sample({"memory": 40.0}, {})
    (row,) = rows_of(GC, GC.settings[1], [pair], None)
    assert (row.params["gain_low"], row.params["verdict"]) == (None, "undecided")
    assert json.loads(msgspec.json.encode(row))["params"]["gain_high"] is None


def test_what_could_not_be_run_says_why() -> None:
    (row,) = rows_of(GC, GC.settings[1], [], "not allowed here")
    assert (row.value, row.reason, row.params["verdict"]) == (None, "not allowed here", None)


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [("P50", "us"), ("window of 8", "orders/s"), ("sweep peak", "MB"), ("memory", "MB"),
     ("sweep", "ms")],
)  # fmt: skip
def test_unit(quantity: str, unit: str) -> None:
    assert unit_of(quantity) == unit


# -------------------------------------------------------------------------------------- answers
def _taken(one: object, other: object) -> dict[str, list[Sample]]:
    return {"one thread": [Sample({}, {"it": one})], "two threads": [Sample({}, {"it": other})]}


@pytest.mark.parametrize(
    ("one", "other"), [(3, 3), (0.5, 0.5 + 1e-9), ([1.0, 2.0], [1.0, 2.0 + 1e-8])]
)
def test_equal_answers_pass(one: object, other: object) -> None:
    check_answers(BLAS, _taken(one, other))


@pytest.mark.parametrize(
    ("one", "other"),
    [(3, 4), (0.5, 0.51), ([1.0], [1.0, 2.0]), (1.0, math.nan), (1.0, None), ([1.0], 1.0)],
)
def test_an_answer_that_depends_on_a_setting_is_refused(one: object, other: object) -> None:
    with pytest.raises(BenchError, match="it with 'two threads' is not that with 'one thread'"):
        check_answers(BLAS, _taken(one, other))


# ---------------------------------------------------------------------------------------- runs
def test_rounds_alternate_and_keep_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def measure(_case: object, setting: Any, _folder: Path) -> Sample:
        order.append(setting.name)
        return Sample({"P50": float(len(order))}, {"orders": 1})

    monkeypatch.setattr(tuning, "_measure", measure)
    report = run_tuning_suite([BLAS], rounds=2, step=quietly)
    one, two = (setting.name for setting in BLAS.settings)
    assert order == [one, two, two, one]
    (row,) = report.rows
    assert row.samples == [2.0, 3.0]
    assert row.baseline == 2.5


def test_what_is_not_allowed_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(_case: object, setting: Any, _folder: Path) -> Sample:
        if setting.is_realtime:
            raise PermissionError(1, "Operation not permitted")
        return Sample({"P50": 1.0}, {})

    monkeypatch.setattr(tuning, "_measure", measure)
    (case,) = choose_tuning_cases(["realtime"], realtime=True)
    (row,) = run_tuning_suite([case], rounds=2, step=quietly).rows
    assert row.reason == "not allowed here: Operation not permitted"


def test_orders_through_a_gateway_with_a_setting(tmp_path: Path) -> None:
    setting = next(case for case in CASES if case.name == "malloc").settings[1]
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patched:
        patched.setattr(tuning, "_CLOSED", 50)
        patched.setattr(tuning, "_WINDOWED", 50)
        found = tuning._run_orders(setting, tmp_path)
    assert found.answer == {"orders": 100}
    assert all(value > 0 for value in found.figures.values())


# ---------------------------------------------------------------------------------------- child
_SHOW = """
import asyncio, socket
from neural_trader.bench.tuning_child import set_buffers
set_buffers(32_768)
import uvloop
async def main():
    accepted = asyncio.Event(); sizes = []
    class Peer(asyncio.Protocol):
        def connection_made(self, transport):
            found = transport.get_extra_info("socket")
            sizes.append(found.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
            accepted.set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Peer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
    await accepted.wait()
    mine = transport.get_extra_info("socket")
    sizes.append(mine.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))
    print(sizes)
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
"""
_COLLECTOR = """
import gc, sys
from neural_trader.bench.tuning_child import set_collector
set_collector(sys.argv[1])
from neural_trader.app.cli.event_loop import collect_rarely
collect_rarely()
print(gc.isenabled(), gc.get_threshold()[0] == 50_000, gc.get_freeze_count() > 0)
"""


def said_by(program: str, *arguments: str) -> str:
    """Return what a fresh process prints."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux doubles what is asked for")
def test_buffers_reach_what_is_accepted_and_what_connects() -> None:
    pytest.importorskip("uvloop")
    assert said_by(_SHOW) == "[65536, 65536]"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("frozen", "True True True"), ("python", "True False False"), ("off", "False False False")],
)
def test_collector(mode: str, expected: str) -> None:
    assert said_by(_COLLECTOR, mode) == expected


def test_a_collector_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="gc is 'often'; expected one of frozen, python, off"):
        set_collector("often")


# ------------------------------------------------------------------------------------- watchdog
_WATCH = """
import sys
from neural_trader.bench.realtime import watch
print(watch(int(sys.argv[1]), float(sys.argv[2])))
"""


def watched(pid: int, seconds: float) -> subprocess.Popen[str]:
    """Start what watches a process."""
    return subprocess.Popen(
        [sys.executable, "-c", _WATCH, str(pid), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_watchdog_ends_in_time_and_with_its_parent() -> None:
    timed, orphan = watched(os.getpid(), 0.2), watched(os.getpid(), 600.0)
    assert timed.stdout is not None
    assert timed.stdout.read() == "time\n"
    assert orphan.communicate()[0] == "parent\n"  # Its standard input is closed by this.
    timed.communicate()


_LOOKS = """
import sys
import neural_trader.bench.realtime as room
taken = iter(eval(sys.argv[1]))
room._BUSY_S = 0.3
room.cpu_s = lambda pid: next(taken)
print(room.watch(1, 60.0))
"""


@pytest.mark.parametrize(
    ("taken", "expected"),
    [("[0.1 * look for look in range(99)]", "busy"), ("[0.0, 0.0, 0.0, None]", "gone")],
)
def test_the_watchdog_knows_who_never_sleeps_and_who_is_gone(taken: str, expected: str) -> None:
    command = [sys.executable, "-c", _LOOKS, taken]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read() == f"{expected}\n"


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="Linux schedules so")
def test_a_process_is_given_back_and_one_that_ended_is_no_trouble() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        os.sched_setscheduler(process.pid, os.SCHED_BATCH, os.sched_param(0))
        drop(process.pid)
        assert os.sched_getscheduler(process.pid) == os.SCHED_OTHER
        assert cpu_s(process.pid) is not None
    drop(process.pid)
    assert cpu_s(process.pid) is None


# ------------------------------------------------------------------------------------------ cli
def test_cases_are_chosen() -> None:
    every = [case.name for case in choose_tuning_cases([], realtime=False)]
    assert every == [name for name in TUNING_NAMES if name != "realtime"]
    assert [case.name for case in choose_tuning_cases([], realtime=True)] == list(TUNING_NAMES)
    assert [case.name for case in choose_tuning_cases(["gc"], realtime=False)] == ["gc"]
    with pytest.raises(ConfigError, match="say that this is meant with --realtime"):
        choose_tuning_cases(["realtime"], realtime=False)


def test_an_unknown_case_is_named() -> None:
    done = CliRunner().invoke(cli, ["bench", "tuning", "--case", "luck"])
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith("case is 'luck'; expected one of affinity, gc, journal")


def test_json_and_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    figures = iter([10.0, 8.0, 8.0, 10.0] * 6)
    monkeypatch.setattr(
        tuning, "_measure", lambda *_: Sample({"sweep": next(figures)}, {"trades": 1})
    )
    command = ["bench", "tuning", "--case", "workers", "--rounds", "6"]
    done = CliRunner().invoke(cli, [*command, "--json", "--output", str(tmp_path / "out.json")])
    (row,) = json.loads(done.stdout)["rows"]
    assert (row["params"]["verdict"], row["ratio"], row["checked"]) == ("kept", 1.25, True)
    assert json.loads((tmp_path / "out.json").read_text()) == json.loads(done.stdout)
    shown = CliRunner().invoke(cli, command).stdout
    assert "workers" in shown
    assert "1.25-1.25" in shown
    assert "kept" in shown
