"""The take-over bench as its users run it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neural_trader.bench.orders_stack import Stack, placements
from neural_trader.core import BenchError


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "bench", "takeover", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_gateways_take_over_under_load_and_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "takeover.json"
    done = bench("--rounds", "3", "--rate", "2000", "--json", "--output", str(file))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report == json.loads(file.read_text())
    for durability in ("process-safe", "power-safe"):
        rows = [row for row in report["rows"] if row["params"]["durability"] == durability]
        assert [row["params"]["quantity"] for row in rows] == [
            *("pause p50", "pause max"),
            *("fill p50", "fill p99", "fill max"),
            "away max",
        ]
        tls = rows.pop()
        assert tls["checked"] is (shutil.which("openssl") is not None)
        assert (tls["value"] is None) is not tls["checked"]
        for row in rows:
            params = row["params"]
            assert (params["takeovers"], params["clients"], params["rate"]) == (3, 16, 2000)
            assert params["orders"] > 1_000
            assert [params[name] for name in ("lost", "doubled", "rejected", "disconnected")] == [
                0
            ] * 4
            assert row["value"] > 0
        assert rows[0]["value"] <= rows[1]["value"] == rows[1]["high"]


def test_a_table_is_printed() -> None:
    done = bench("--rounds", "1", "--rate", "500", "--durability", "process-safe")
    assert done.returncode == 0, done.stderr
    assert "16 clients, 500 orders a second" in " ".join(done.stdout.split())


def test_a_gateway_that_is_gone_cannot_be_taken_over(tmp_path: Path) -> None:
    with Stack("process-safe", placements()["unpinned"], tmp_path) as stack:
        stack._processes[1].kill()
        stack._processes[1].wait()
        with pytest.raises(BenchError, match="no gateway hands over"):
            stack.take_over()
