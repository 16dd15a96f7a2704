"""The orders bench as its users run it: three processes, a journal, a floor."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neural_trader.bench.orders_stack import Stack, placements
from neural_trader.core import BenchError


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "bench", "orders", "--rounds", "1", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("orders")
    file = folder / "orders.json"
    done = bench(
        *("--case", "open_1000", "--case", "window_8", "--durability", "process-safe"),
        *("--folder", str(folder), "--json", "--output", str(file)),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == json.loads(file.read_text())
    assert [path.name for path in folder.iterdir()] == ["orders.json"]
    return found


def test_every_load_has_its_figures_and_lost_nothing(report: Any) -> None:
    rows = report["rows"]
    named = {(row["case"], row["params"]["quantity"]) for row in rows}
    times = {
        f"{what} {name}"
        for what in ("ack", "fill")
        for name in ("p50", "p90", "p95", "p99", "p99.9", "max")
    }
    assert named == {("window_8", "throughput")} | {
        (case, quantity) for case in ("open_1000", "window_8") for quantity in times
    }
    for row in rows:
        params = row["params"]
        assert (params["lost"], params["doubled"], params["rejected"]) == (0, 0, 0)
        assert row["checked"]
        assert row["low"] <= row["value"] <= row["high"]
        if shutil.which("cc") and params["quantity"] in ("fill p50", "ack p50"):
            assert row["limit"] > 0
    by_name = {(row["case"], row["params"]["quantity"]): row["value"] for row in rows}
    assert by_name["open_1000", "ack p50"] <= by_name["open_1000", "fill p50"]
    assert by_name["open_1000", "fill p50"] <= by_name["open_1000", "fill max"]


def test_a_table_names_floor_target_and_claim() -> None:
    done = bench("--case", "closed", "--durability", "process-safe")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    (measured,) = [line for line in lines if line[:1] == ["closed"]]
    assert len(measured) == (9 if shutil.which("cc") else 7)
    assert ["target", "40", "100", "500"] in lines
    assert ["claim", "700", "3,200", "8,500"] in lines
    assert "lost 0, doubled 0, rejected 0" in " ".join(done.stdout.split())


def test_no_time_is_printed_where_orders_were_denied(tmp_path: Path) -> None:
    with Stack("process-safe", placements()["unpinned"], tmp_path) as stack:
        config = tmp_path / "gateway.toml"
        config.write_text(config.read_text().replace("order_qty_max = 1000", "order_qty_max = 12"))
        os.kill(stack._processes[1].pid, 1)
        with pytest.raises(BenchError, match=r"rejected.*no time is printed"):
            stack.load(2_000, window=4)


def test_an_unknown_case_is_named() -> None:
    done = bench("--case", "open")
    assert done.returncode == 2
    assert "expected one of closed, closed_cores" in done.stderr
