"""Profiles as their users make them: real processes, a second each."""

import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from neural_trader.app.cli.main import cli
from neural_trader.bench import profiling
from neural_trader.bench.profile_page import render_profile
from neural_trader.core import ConfigError


def test_the_heap_of_a_case_is_drawn(tmp_path: Path) -> None:
    page = tmp_path / "heap.html"
    arguments = ["linear", "--memory", "--seconds", "0.3", "--json", "--output", str(page)]
    done = CliRunner().invoke(cli, ["bench", "profile", *arguments])
    assert done.exit_code == 0, done.exception
    told = json.loads(done.output)
    assert told["peak_mb"] > 0.05
    assert told["tool"].startswith("memray" if find_spec("memray") else "tracemalloc")
    text = page.read_text()
    assert "<polyline" in text
    assert "://" not in text


def test_the_heap_is_drawn_without_memray_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    found = profiling.profile_memory("pairs_1y", 0.2)
    assert found.tool == "tracemalloc"
    assert found.figures["peak_mb"] > 0.001
    assert "memory that C code takes" in render_profile(found)


def test_the_loop_of_the_gateway_is_watched_under_load() -> None:
    found = profiling.profile_loop("open_500", 1.0)
    names = {one["name"] for one in found.figures["callbacks"]}
    assert {"ClientConnection.data_received", "GatewayServer.flush"} <= names
    assert found.figures["lag"]["count"] > 50
    assert "The slowest calls" in render_profile(found)


@pytest.mark.skipif(
    not shutil.which("py-spy") and not Path(sys.executable).with_name("py-spy").exists(),
    reason="py-spy is not installed",
)
def test_a_flame_graph_holds_the_work() -> None:
    found = profiling.profile_cpu("pairs_all", 1.0)
    assert found.figures["samples"] > 20
    assert "backtest" in found.svg
    assert found.svg.rstrip().endswith("</svg>")


def test_a_missing_profiler_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(ConfigError, match=r"neural-trader\[bench\]"):
        profiling.profile_cpu("pairs_1y", 1.0)


@pytest.mark.parametrize(("case", "kind"), [("nope", "cpu"), ("pairs_1y", "async"), ("", "memory")])
def test_a_case_that_cannot_be_profiled_is_refused(case: str, kind: str) -> None:
    with pytest.raises(ConfigError, match=r"expected|expects"):
        profiling.check_case(case, kind)
